"""Records of real databases through the real Debezium, compared with the SQL that made them."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.decode import samples
from tests.unit.decode.debezium import decoded, decoder_for
from tests.unit.decode.expected_values import EXPECTED
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.decode.local_registry import LocalRegistry
from worker.decode.port import NotARow
from worker.model import Change, Op

if TYPE_CHECKING:
    from collections.abc import Iterator

SNAPSHOT_ROWS, STREAMED_ROWS = (1, 2, 3), (11, 12, 13)
UNTYPED = {"mysql_json", "postgres_json", "postgres_toast_json", "postgres_two_keys_json"}
TYPED_JSON = {"postgres_json_schema", "postgres_two_keys_json_schema"}


@pytest.fixture(scope="module")
def registry() -> Iterator[LocalRegistry]:
    texts = {schema_id: json.dumps(schema) for schema_id, schema in samples.schemas().items()}
    with LocalRegistry(texts) as running:
        yield running


def decoder_of(name: str, registry: LocalRegistry) -> DebeziumDecoder:
    if name in UNTYPED | TYPED_JSON:
        part = PartSettings(Format.JSON, schemas_enable=name in TYPED_JSON)
        return DebeziumDecoder(DecoderSettings(part, part))
    return decoder_for(registry)


def everything(name: str, registry: LocalRegistry) -> list[Change | NotARow]:
    with closing(decoder_of(name, registry)) as decoder:
        return [decoded(decoder, record) for record in samples.load(name).records]


def changes(name: str, registry: LocalRegistry) -> list[Change]:
    return [each for each in everything(name, registry) if isinstance(each, Change)]


def same(found: Any, expected: Any) -> bool:
    """NaN equals itself, and True is not 1."""
    return type(found) is type(expected) and (found == expected or repr(found) == repr(expected))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_column_is_what_its_sql_literal_says(name: str, registry: LocalRegistry) -> None:
    sample = samples.load(name)
    compared, wrong = 0, []
    for change in changes(name, registry):
        if change.op not in (Op.READ, Op.CREATE):
            continue
        row_id = dict(change.key.columns)["id"]
        for column in sample.columns:
            literal = sample.literal(row_id, column.name)
            known = EXPECTED[name][column.name]
            assert literal in known or literal == "NULL", f"no expectation for {column} {literal}"
            compared += 1
            if not same(change.after[column.name], known.get(literal)):
                wrong.append((row_id, column.name, literal, change.after[column.name]))
    assert wrong == []
    assert compared >= len(sample.columns)


@pytest.mark.parametrize("name", ["mysql_types", "postgres_types"])
def test_snapshot_and_stream_agree_on_every_column(name: str, registry: LocalRegistry) -> None:
    rows = {
        dict(change.key.columns)["id"]: change.after
        for change in changes(name, registry)
        if change.op in (Op.READ, Op.CREATE)
    }
    for read, streamed in zip(SNAPSHOT_ROWS, STREAMED_ROWS, strict=True):
        before, after = {**rows[read], "id": 0}, {**rows[streamed], "id": 0}
        assert repr(before) == repr(after)


@pytest.mark.parametrize("name", samples.names())
def test_no_real_record_is_refused(name: str, registry: LocalRegistry) -> None:
    found = everything(name, registry)
    assert len(found) == len(samples.load(name).records)
    assert any(isinstance(each, Change) for each in found)


@pytest.mark.parametrize(
    "name", [each for each in samples.names() if each.startswith(("postgres_two", "mysql_two"))]
)
def test_a_key_change_links_both_halves_whatever_the_format(
    name: str, registry: LocalRegistry
) -> None:
    found = changes(name, registry)
    away = [(change.op, change.key.columns) for change in found if change.moves_away]
    arrived = {change.key.columns: change.moved_from for change in found if change.moved_from}
    old = (("shop", 1), ("sku", "b"))
    assert away == [(Op.DELETE, old)]
    assert {new: key.columns for new, key in arrived.items()} == {
        (("shop", 1), ("sku", "moved")): old
    }


@pytest.mark.parametrize("name", ["postgres_toast", "postgres_toast_json"])
def test_columns_that_postgres_did_not_log_are_set_apart(
    name: str, registry: LocalRegistry
) -> None:
    large = {"days", "doc", "ids", "longs", "numbers", "plain", "raw", "tags", "title"}
    updates = [change for change in changes(name, registry) if change.op is Op.UPDATE]
    assert [change.unavailable for change in updates] == [large | {"body"}, large]
    for change in updates:
        assert not change.unavailable & change.after.keys()
    assert dict(updates[1].after) == {"id": 1, "n": 2, "body": "now short"}


@pytest.mark.parametrize("name", ["postgres_toast", "postgres_toast_json"])
def test_the_create_of_a_key_change_has_placeholders_too(
    name: str, registry: LocalRegistry
) -> None:
    created = [change for change in changes(name, registry) if change.op is Op.CREATE]
    assert [change.moved_from and change.moved_from.columns for change in created] == [(("id", 1),)]
    assert "title" in created[0].unavailable
    assert created[0].after["body"] == "now short"


def test_the_real_placeholders_of_a_snapshot_are_real_values(registry: LocalRegistry) -> None:
    read = [change for change in changes("postgres_toast", registry) if change.op is Op.READ]
    assert [change.unavailable for change in read] == [frozenset()]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("postgres_other_records", {"heartbeat", "message", "transaction", "truncate"}),
        ("mysql_types", {"schema-change"}),
        ("mysql_json", {"schema-change"}),
    ],
)
def test_records_that_are_no_rows_are_named(
    name: str, kinds: set[str], registry: LocalRegistry
) -> None:
    found = {each.kind for each in everything(name, registry) if isinstance(each, NotARow)}
    assert found == kinds


def test_origins_of_real_records_are_complete(registry: LocalRegistry) -> None:
    for name, connector, schema in (
        ("postgres_two_keys", "postgresql", "public"),
        ("mysql_two_keys", "mysql", None),
    ):
        rows = [each for each in changes(name, registry) if each.op is not Op.TOMBSTONE]
        for change in rows:
            origin = change.origin
            assert (origin.connector, origin.db, origin.schema, origin.table) == (
                connector,
                name,
                schema,
                "stock",
            )
            assert origin.committed_ms is not None
            assert origin.position is not None


def test_positions_grow_along_a_real_stream(registry: LocalRegistry) -> None:
    for name in ("postgres_two_keys", "mysql_two_keys"):
        by_key: dict[Any, list[int]] = {}
        for change in changes(name, registry):
            if change.origin.position is not None:
                by_key.setdefault(change.key, []).append(change.origin.position)
        assert all(positions == sorted(positions) for positions in by_key.values())
