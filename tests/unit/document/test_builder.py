"""A change to its document."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.document.builder import DocumentBuilder
from worker.document.chunking import Chunking
from worker.document.digests import column_digests
from worker.document.fingerprint import Fingerprints
from worker.document.spec import parse_spec, parse_text
from worker.errors import ConfigError, FatalError, RecordError, Stage
from worker.model import (
    Change,
    Document,
    Key,
    ModelId,
    Op,
    Origin,
    Point,
    Position,
    Record,
    Stamp,
)

if TYPE_CHECKING:
    from tests.unit.document.conftest import MakeChange

FIELDS = "Product: name, description"
ROW = {"name": "Chair", "description": "Soft.", "price": Decimal("12.50"), "active": True}
UNTOLD = Origin()


def test_a_row_becomes_a_document(make_change: MakeChange, model: ModelId) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS, metadata="price"), model)
    assert builder.build(make_change(ROW)) == Document(
        namespace="shop.public.products",
        id="42",
        text="Product: Chair\nSoft.",
        metadata={"source_table": "products", "updated_at": 1_700_000_000_000, "price": 12.5},
        stamp=Stamp(
            fingerprint=Fingerprints(model).of("Product: Chair\nSoft."),
            position=Position("T", 0, 5),
            model="fake/words/8",
            source_position=7,
            columns=column_digests(ROW, ("description", "name"), "postgresql"),
        ),
    )


def test_a_change_without_its_large_columns_is_completed_by_the_index(
    make_change: MakeChange, model: ModelId
) -> None:
    spec = parse_spec(fields=FIELDS, metadata="price, description as said")
    builder = DocumentBuilder(spec, model)
    whole = builder.build(make_change(ROW))
    assert whole is not None
    there = Point("42", np.ones(8, np.float32), whole.metadata, whole.stamp)
    lacking = frozenset({"description"})
    dearer = {name: value for name, value in ROW.items() if name != "description"} | {"price": 99}
    completed = builder.build(make_change(dearer, unavailable=lacking), there)
    assert completed is not None
    assert completed.stamp.fingerprint == whole.stamp.fingerprint
    assert completed.stamp.columns == whole.stamp.columns
    assert completed.metadata == {**whole.metadata, "price": 99}
    with pytest.raises(RecordError, match="left out description"):
        builder.build(make_change(dearer | {"name": "Table"}, unavailable=lacking), there)
    with pytest.raises(RecordError, match="left out description"):
        builder.build(make_change(dearer, unavailable=lacking))


def test_the_columns_are_those_of_text_condition_and_metadata(model: ModelId) -> None:
    spec = parse_spec(template="{{ a }}{{ b }}", when="c", metadata="d as e", namespace="${db}")
    assert DocumentBuilder(spec, model).columns == {"a", "b", "c", "d"}


def test_a_row_outside_the_condition_is_not_in_the_index(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS, when="active"), model)
    assert builder.build(make_change(ROW)) is not None
    assert builder.build(make_change({**ROW, "active": False})) is None


def test_a_row_without_any_text_is_not_in_the_index(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS), model)
    assert builder.build(make_change({"name": None, "description": " "})) is None


ANYTHING = st.recursive(
    st.none()
    | st.text(st.characters())
    | st.floats()
    | st.integers()
    | st.decimals()
    | st.binary()
    | st.booleans()
    | st.datetimes()
    | st.timedeltas(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(ANYTHING, ANYTHING)
def test_whatever_a_row_holds_a_store_can_take_its_document(one: object, other: object) -> None:
    builder = DocumentBuilder(parse_spec(fields="a, T: b", metadata="a, b"), ModelId("p", "m", 8))
    change = _change("p.public.t", Op.READ, Origin("postgresql", "d", "public", "t", 1))
    document = builder.build(replace(change, after={"a": one, "b": other}))
    if document is None:
        return
    assert document.text.encode().strip()
    assert json.loads(json.dumps(document.metadata, allow_nan=False)) == document.metadata
    for value in document.metadata.values():
        items = value if isinstance(value, list) else [value]
        assert all(isinstance(item, str | int | float | bool) for item in items)
        assert all(item.encode() is not None for item in items if isinstance(item, str))


@given(ANYTHING)
def test_fields_and_template_agree_about_a_column(value: object) -> None:
    row = {"a": value}
    assert parse_text("a", None).render(row) == parse_text(None, "{{ a }}").render(row)


@pytest.mark.parametrize("op", [Op.DELETE, Op.TOMBSTONE])
def test_a_deleted_row_has_a_target_and_no_document(
    op: Op, make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS), model)
    change = make_change(op=op)
    assert builder.build(change) is None
    assert builder.target(change) == ("shop.public.products", "42")


def test_an_unavailable_column_is_an_error_where_it_is_needed(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS, metadata="notes"), model)
    lacking = make_change({"name": "Chair"}, unavailable=frozenset({"description", "notes", "z"}))
    with pytest.raises(
        RecordError, match=r"left out description, notes,.*REPLICA IDENTITY"
    ) as told:
        builder.build(lacking)
    assert (told.value.kind, told.value.stage) == ("UnavailableColumn", Stage.DOCUMENT)


def test_an_unavailable_column_that_nobody_needs_is_no_matter(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS), model)
    assert builder.build(make_change(ROW, unavailable=frozenset({"photo"}))) is not None


def test_a_row_that_leaves_the_index_needs_no_unavailable_text(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS, when="active"), model)
    gone = make_change({"name": "x", "active": False}, unavailable=frozenset({"description"}))
    assert builder.build(gone) is None
    with pytest.raises(RecordError, match="left out active,"):
        builder.build(make_change({"name": "x"}, unavailable=frozenset({"active"})))


def test_a_text_of_columns_that_do_not_exist_stops_the_task(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields="Product: nmae", metadata="name"), model)
    with pytest.raises(FatalError, match=r"no column nmae.*the row has name"):
        builder.build(make_change({"name": "Chair"}))


def test_a_column_that_some_rows_lack_is_said_once(
    make_change: MakeChange, model: ModelId, caplog: pytest.LogCaptureFixture
) -> None:
    builder = DocumentBuilder(parse_spec(fields="name, colour"), model)
    with caplog.at_level(logging.WARNING):
        for name in ("Chair", "Table"):
            document = builder.build(make_change({"name": name}))
            assert document is not None
            assert document.text == name
    assert [record.getMessage() for record in caplog.records] == [
        "shop.public.products: 'colour' is not a column of the rows, read as null (said once)"
    ]


def test_a_condition_on_a_column_that_does_not_exist_is_said(
    make_change: MakeChange, model: ModelId, caplog: pytest.LogCaptureFixture
) -> None:
    builder = DocumentBuilder(parse_spec(fields="name", when="actve"), model)
    with caplog.at_level(logging.WARNING):
        assert builder.build(make_change(ROW)) is None
    assert "'actve' is not a column of the rows" in caplog.text


def test_a_column_that_debezium_left_out_is_not_called_absent(
    make_change: MakeChange, model: ModelId, caplog: pytest.LogCaptureFixture
) -> None:
    builder = DocumentBuilder(parse_spec(fields="name, body"), model)
    with caplog.at_level(logging.WARNING), pytest.raises(RecordError, match="left out body"):
        builder.build(make_change({"name": "x"}, unavailable=frozenset({"body"})))
    assert not caplog.records


def test_too_large_metadata_loses_its_largest_column_and_says_so_once(
    make_change: MakeChange, model: ModelId, caplog: pytest.LogCaptureFixture
) -> None:
    builder = DocumentBuilder(parse_spec(fields="name", metadata="name, body"), model, 200)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            document = builder.build(make_change({"name": "Chair", "body": "secret " * 50}))
            assert document is not None
            assert set(document.metadata) == {"source_table", "updated_at", "name"}
    assert len(caplog.records) == 1
    assert "'body' is left out" in caplog.text
    assert "secret" not in caplog.text


LONG = " ".join(f"Sentence number {number} is here." for number in range(30))


def test_without_chunking_a_document_has_no_chunks(make_change: MakeChange, model: ModelId) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS), model)
    document = builder.build(make_change({"name": "Chair", "description": LONG}))
    assert document is not None
    assert builder.chunks(document) == ()
    assert builder.head(document.id) == "42"


def test_a_long_text_becomes_chunks_of_which_the_first_knows_how_many(
    make_change: MakeChange, model: ModelId
) -> None:
    chunking = Chunking(32, 8)
    builder = DocumentBuilder(parse_spec(fields=FIELDS), model, chunking=chunking)
    document = builder.build(make_change({"name": "Chair", "description": LONG}))
    assert document is not None
    chunks = builder.chunks(document)
    assert tuple(chunk.text for chunk in chunks) == chunking.split(document.text)
    assert [chunk.id for chunk in chunks] == [f"42#{number}" for number in range(len(chunks))]
    assert (document.id, builder.head("42")) == ("42", "42#0")
    marks = [Fingerprints(model).of(chunk.text) for chunk in chunks]
    whole = document.stamp
    first = replace(whole, fingerprint=marks[0], document=whole.fingerprint, chunks=len(chunks))
    stamps = [first, *(replace(whole, fingerprint=mark, columns=()) for mark in marks[1:])]
    assert [chunk.stamp for chunk in chunks] == stamps
    assert all(chunk.metadata == document.metadata for chunk in chunks)


def test_a_change_without_its_large_columns_is_completed_by_the_first_chunk(
    make_change: MakeChange, model: ModelId
) -> None:
    spec = parse_spec(fields=FIELDS, metadata="price", keeps_text=True)
    builder = DocumentBuilder(spec, model, chunking=Chunking(32))
    whole = builder.build(make_change({**ROW, "description": LONG}))
    assert whole is not None
    first = builder.chunks(whole)[0]
    there = Point(first.id, np.ones(8, np.float32), first.metadata, first.stamp)
    lacking = frozenset({"description"})
    completed = builder.build(
        make_change({"name": "Chair", "price": 9}, unavailable=lacking), there
    )
    assert completed is not None
    assert completed.stamp == whole.stamp
    assert completed.metadata == {**whole.metadata, "price": 9}
    assert builder.chunks(completed) == ()


def test_a_text_that_was_not_sent_again_stays_in_the_metadata(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS, metadata="price", keeps_text=True), model)
    whole = builder.build(make_change(ROW))
    assert whole is not None
    there = Point("42", np.ones(8, np.float32), whole.metadata, whole.stamp)
    lacking = frozenset({"description"})
    completed = builder.build(
        make_change({"name": "Chair", "price": 9}, unavailable=lacking), there
    )
    assert completed is not None
    assert completed.metadata == {**whole.metadata, "price": 9}


def test_a_short_text_is_one_chunk(make_change: MakeChange, model: ModelId) -> None:
    builder = DocumentBuilder(parse_spec(fields=FIELDS), model, chunking=Chunking(64))
    document = builder.build(make_change(ROW))
    assert document is not None
    (chunk,) = builder.chunks(document)
    assert (chunk.id, chunk.text, chunk.stamp.chunks) == ("42#0", document.text, 1)


@given(st.text(st.characters(), min_size=1))
def test_whatever_a_row_holds_can_be_cut(value: str) -> None:
    builder = DocumentBuilder(
        parse_spec(template="{{ a }}{{ a * 30 }}", metadata="a", keeps_text=True),
        ModelId("p", "m", 8),
        chunking=Chunking(32),
    )
    change = _change("p.public.t", Op.READ, Origin("postgresql", "d", "public", "t", 1))
    document = builder.build(replace(change, after={"a": value}))
    if document is None:
        return
    chunks = builder.chunks(document)
    assert "".join("".join(chunk.text for chunk in chunks).split()) == "".join(
        document.text.split()
    )
    assert all(chunk.text.encode() == str(chunk.metadata["text"]).encode() for chunk in chunks)


def test_the_text_is_kept_as_metadata_if_that_is_wanted(
    make_change: MakeChange, model: ModelId
) -> None:
    spec = parse_spec(fields=FIELDS, metadata="price", keeps_text=True)
    document = DocumentBuilder(spec, model).build(make_change(ROW))
    assert document is not None
    assert document.metadata["text"] == document.text == "Product: Chair\nSoft."


def test_a_chunk_keeps_its_own_text_as_metadata(make_change: MakeChange, model: ModelId) -> None:
    spec = parse_spec(fields=FIELDS, metadata="price", keeps_text=True)
    builder = DocumentBuilder(spec, model, chunking=Chunking(32))
    document = builder.build(make_change({**ROW, "description": LONG}))
    assert document is not None
    assert "text" not in document.metadata
    for chunk in builder.chunks(document):
        assert chunk.metadata == {**document.metadata, "text": chunk.text}


def test_a_text_that_makes_metadata_too_large_goes_before_any_column(
    make_change: MakeChange, model: ModelId, caplog: pytest.LogCaptureFixture
) -> None:
    spec = parse_spec(fields="name", metadata="body", keeps_text=True)
    row = {"name": "secret name " * 5, "body": "b" * 100}
    with caplog.at_level(logging.WARNING):
        for chunking in (None, Chunking(64)):
            builder = DocumentBuilder(spec, model, 200, chunking)
            document = builder.build(make_change(row))
            assert document is not None
            points = builder.chunks(document) or (document,)
            assert set(points[0].metadata) == {"source_table", "updated_at", "body"}
    assert ["'text' is left out" in record.getMessage() for record in caplog.records] == [True] * 2
    assert "secret" not in caplog.text


def test_a_column_called_text_is_like_others_if_the_text_is_not_kept(
    make_change: MakeChange, model: ModelId
) -> None:
    builder = DocumentBuilder(parse_spec(fields="name", metadata="text, body"), model, 200)
    document = builder.build(make_change({"name": "x", "text": "t" * 50, "body": "b" * 150}))
    assert document is not None
    assert set(document.metadata) == {"source_table", "updated_at", "text"}


def test_text_needs_exactly_one_recipe() -> None:
    with pytest.raises(ConfigError, match=r'add such as "document.fields": "Product: name'):
        parse_spec()
    with pytest.raises(ConfigError, match="both there"):
        parse_spec(fields="a", template="{{ a }}")


def test_a_fingerprint_depends_on_text_and_model() -> None:
    models = [ModelId("p", "m", 8), ModelId("p", "m", 9), ModelId("p", "m", 8, "document")]
    marks = [Fingerprints(model).of(text) for model in models for text in ("a", "b", "")]
    assert len(set(marks)) == len(marks)
    assert all(re.fullmatch(r"[\w-]{22}", mark) for mark in marks)
    assert Fingerprints(ModelId("p", "m", 8)).of("a") == marks[0]


def test_the_fingerprint_of_a_text_that_is_cut_depends_on_how() -> None:
    model = ModelId("p", "m", 8)
    ways = [None, Chunking(64), Chunking(64, 8), Chunking(65)]
    marks = [Fingerprints(model, way).of("a") for way in ways]
    assert len(set(marks)) == len(marks)
    assert marks[0] == Fingerprints(model).of("a")
    assert Fingerprints(model, Chunking(64)).of("a") == marks[1]


def test_a_fingerprint_stays_the_same_between_releases() -> None:
    assert Fingerprints(ModelId("p", "m", 8)).of("Grüße") == "c9PGedEeetkM0siqNXfdWA"


NAME = st.text(st.sampled_from("abc_-"), min_size=1, max_size=6)
ANY_NAME = st.text(st.sampled_from("ab_- üé$"), min_size=1, max_size=6)
PREFIX = st.lists(NAME, min_size=1, max_size=3).map(".".join)


def _kafka_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _change(topic: str, op: Op, origin: Origin) -> Change:
    key = Key(topic, (("id", 1),))
    return Change(Record(topic, 0, 1, b"", None), key, op, {"name": "x"}, origin)


@given(PREFIX, ANY_NAME, ANY_NAME, ANY_NAME)
def test_a_postgres_tombstone_finds_its_row_even_if_nothing_was_seen(
    prefix: str, db: str, schema: str, table: str
) -> None:
    topic = f"{prefix}.{_kafka_name(schema)}.{_kafka_name(table)}"
    spec = parse_spec(fields="name", namespace="n-${schema}", point_id="${topic}:${table}:${key}")
    model = ModelId("p", "m", 8)
    upsert = _change(topic, Op.CREATE, Origin("postgresql", db, schema, table))
    fresh = DocumentBuilder(spec, model).target(_change(topic, Op.TOMBSTONE, UNTOLD))
    assert fresh == DocumentBuilder(spec, model).target(upsert)


@given(PREFIX, ANY_NAME, ANY_NAME)
def test_a_mysql_tombstone_finds_its_row_even_if_nothing_was_seen(
    prefix: str, db: str, table: str
) -> None:
    topic = f"{prefix}.{_kafka_name(db)}.{_kafka_name(table)}"
    spec = parse_spec(fields="name", namespace="n-${schema}", point_id="${topic}:${table}:${key}")
    model = ModelId("p", "m", 8)
    upsert = _change(topic, Op.CREATE, Origin("mysql", db, None, table))
    fresh = DocumentBuilder(spec, model).target(_change(topic, Op.TOMBSTONE, UNTOLD))
    assert fresh == DocumentBuilder(spec, model).target(upsert)


@pytest.mark.parametrize(
    "origin",
    [Origin("postgresql", "shop", "public", "a b.c"), Origin("mysql", "shop", None, "items")],
)
def test_a_tombstone_knows_the_database_from_the_changes_before_it(
    origin: Origin, model: ModelId
) -> None:
    spec = parse_spec(fields="name", namespace="${db}", point_id="${table}:${key}")
    builder = DocumentBuilder(spec, model)
    seen = builder.target(_change("routed", Op.DELETE, origin))
    assert builder.target(_change("routed", Op.TOMBSTONE, UNTOLD)) == seen


def test_a_tombstone_of_an_unknown_database_is_an_error(model: ModelId) -> None:
    builder = DocumentBuilder(parse_spec(fields="name", namespace="${db}"), model)
    with pytest.raises(RecordError, match=r"store.namespace uses \$\{db\}.*p.public.t") as told:
        builder.target(_change("p.public.t", Op.TOMBSTONE, UNTOLD))
    assert told.value.kind == "UnknownTable"


def test_a_tombstone_of_a_topic_with_several_tables_is_an_error(model: ModelId) -> None:
    builder = DocumentBuilder(parse_spec(fields="name", point_id="${table}:${key}"), model)
    for table in ("shard1", "shard2"):
        origin = Origin("mysql", "shop", None, table)
        assert builder.target(_change("p.shop.all", Op.CREATE, origin))[1] == f"{table}:1"
    with pytest.raises(RecordError, match=r"\$\{table\}"):
        builder.target(_change("p.shop.all", Op.TOMBSTONE, UNTOLD))
