"""Avro with the writer's schema: columns, broken bytes, unknown ids, references."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.unit.decode.conftest import KEY, VALUE
from tests.unit.decode.debezium import (
    KEY_ID,
    TOPIC,
    VALUE_ID,
    connect,
    decimal,
    decoded,
    envelope,
    envelope_schema,
    framed,
    optional,
    put,
    record,
    row_change,
    struct,
)
from worker.decode.avro_schema import column_type, self_contained
from worker.decode.decoder import DebeziumDecoder, DecoderSettings
from worker.decode.port import NotARow, SchemaNeeded
from worker.errors import ConfigError, FatalError, RecordError, Stage
from worker.model import Change, Op

if TYPE_CHECKING:
    from tests.unit.decode.conftest import NewDecoder
    from worker.clock import FakeClock
    from worker.decode.local_registry import LocalRegistry

ROW = {"id": 1, "name": "jacket", "note": None}
KEY_BYTES = framed(KEY_ID, KEY, {"id": 1})
VALUE_BYTES = framed(VALUE_ID, VALUE, envelope("u", ROW, ROW))

SCALE = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "namespace": "io.debezium.data",
    "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
    "connect.name": "io.debezium.data.VariableScaleDecimal",
}


def test_decode_asks_for_each_schema_and_never_fetches(decoder: DebeziumDecoder) -> None:
    with pytest.raises(SchemaNeeded) as value_needed:
        decoder.decode(record(KEY_BYTES, VALUE_BYTES))
    assert (value_needed.value.schema_id, value_needed.value.topic) == (VALUE_ID, TOPIC)
    decoder.load(value_needed.value)
    with pytest.raises(SchemaNeeded) as key_needed:
        decoder.decode(record(KEY_BYTES, VALUE_BYTES))
    assert key_needed.value.schema_id == KEY_ID
    decoder.load(key_needed.value)
    assert row_change(decoder, record(KEY_BYTES, VALUE_BYTES)).after == ROW


def test_a_loaded_schema_survives_the_registry(
    registry: LocalRegistry, decoder: DebeziumDecoder
) -> None:
    row_change(decoder, record(KEY_BYTES, VALUE_BYTES))
    registry.stop()
    assert row_change(decoder, record(KEY_BYTES, VALUE_BYTES)).after == ROW


@pytest.mark.parametrize(
    "data",
    [
        VALUE_BYTES[:-1],
        VALUE_BYTES[:20],
        VALUE_BYTES + b"\x00",
        VALUE_BYTES[:5] + b"\x08" + VALUE_BYTES[6:],
        VALUE_BYTES.replace(b"jacket", b"jac\xff\xfet"),
        VALUE_BYTES[:5] + b"\xff" * 40,
    ],
    ids=["cut", "cut early", "trailing byte", "no such branch", "no UTF-8", "endless integer"],
)
def test_broken_bytes_are_that_records_fault(data: bytes, decoder: DebeziumDecoder) -> None:
    with pytest.raises(RecordError) as caught:
        decoded(decoder, record(KEY_BYTES, data))
    assert (caught.value.kind, caught.value.stage) == ("BrokenAvro", Stage.VALUE_CONVERTER)
    assert row_change(decoder, record(KEY_BYTES, VALUE_BYTES)).after == ROW


@pytest.mark.parametrize("data", [KEY_BYTES + b"\x00", KEY_BYTES[:5] + b"\x80"])
def test_a_broken_key_is_told_from_a_broken_value(data: bytes, decoder: DebeziumDecoder) -> None:
    with pytest.raises(RecordError) as caught:
        decoded(decoder, record(data, VALUE_BYTES))
    assert (caught.value.kind, caught.value.stage) == ("BrokenAvro", Stage.KEY_CONVERTER)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1), st.binary(min_size=1))
def test_no_bytes_whatsoever_are_more_than_the_records_fault(
    decoder: DebeziumDecoder, key: bytes, value: bytes
) -> None:
    incoming = record(KEY_BYTES[:5] + key, VALUE_BYTES[:5] + value)
    try:
        assert isinstance(decoded(decoder, incoming), Change | NotARow)
    except RecordError as error:
        assert error.kind  # noqa: PT017 - whether it fails depends on the example


def test_threads_may_load_at_once(registry: LocalRegistry, new_decoder: NewDecoder) -> None:
    for schema_id in range(100, 120):
        put(registry, schema_id, VALUE)
    decoder = new_decoder()
    row_change(decoder, record(KEY_BYTES, VALUE_BYTES))
    needed = [SchemaNeeded(schema_id, TOPIC) for schema_id in range(100, 120)] * 2
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decoder.load, needed))
    for schema_id in range(100, 120):
        data = framed(schema_id, VALUE, envelope("c", ROW))
        assert isinstance(decoder.decode(record(KEY_BYTES, data)), Change)


def test_an_unknown_id_is_the_records_fault_and_asked_for_again_after_a_minute(
    registry: LocalRegistry, decoder: DebeziumDecoder, clock: FakeClock
) -> None:
    incoming = record(KEY_BYTES, framed(77, VALUE, envelope("c", ROW)))
    with pytest.raises(RecordError, match="77") as caught:
        decoded(decoder, incoming)
    assert (caught.value.kind, caught.value.stage) == ("UnknownSchema", Stage.VALUE_CONVERTER)
    put(registry, 77, VALUE)
    clock.advance(59)
    with pytest.raises(RecordError):
        decoded(decoder, incoming)
    clock.advance(1)
    assert row_change(decoder, incoming).after == ROW


def test_both_versions_of_a_table_are_read_with_their_own_schema(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    wider = envelope_schema({"id": "int", "name": "string", "price": optional("double")})
    put(registry, 9, wider, f"{TOPIC}-value")
    decoder = new_decoder(frozenset({"name", "price"}))
    data = framed(9, wider, envelope("u", {"id": 1, "name": "b", "price": 2.5}))
    old = record(KEY_BYTES, VALUE_BYTES)
    assert row_change(decoder, old).after == {"name": "jacket"}
    assert row_change(decoder, record(KEY_BYTES, data)).after == {"name": "b", "price": 2.5}


def test_only_wanted_columns_are_read_and_named_types_survive_it(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    columns = {
        "id": "int",
        "first": optional(SCALE),
        "second": "io.debezium.data.VariableScaleDecimal",
    }
    schema = envelope_schema(columns)
    put(registry, 10, schema)
    row = {
        "id": 1,
        "first": {"scale": 1, "value": b"\x0f"},
        "second": {"scale": 2, "value": b"\x7b"},
    }
    data = framed(10, schema, envelope("u", row, row))
    for wanted, expected in (
        (None, {"id": 1, "first": Decimal("1.5"), "second": Decimal("1.23")}),
        (frozenset({"second"}), {"second": Decimal("1.23")}),
        (frozenset({"first", "second"}), {"first": Decimal("1.5"), "second": Decimal("1.23")}),
        (frozenset[str](), {}),
    ):
        assert row_change(new_decoder(wanted), record(KEY_BYTES, data)).after == expected


@pytest.mark.parametrize("kind", [["int", "null"], ["null", "int"]])
def test_null_and_value_are_told_apart_in_both_orders_of_a_union(
    kind: list[str], registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = envelope_schema({"id": "int"})
    column = {"name": "n", "type": kind, "default": 7 if kind[0] == "int" else None}
    schema["fields"][0]["type"][1]["fields"].append(column)
    put(registry, 11, schema)
    decoder = new_decoder(frozenset({"n"}))
    for number in (None, 0, 7):
        data = framed(11, schema, envelope("c", {"id": 1, "n": number}))
        assert row_change(decoder, record(KEY_BYTES, data)).after == {"n": number}


def test_a_decimal_keeps_digits_beyond_its_declared_precision(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = envelope_schema({"price": decimal(4, 2)})
    wide = envelope_schema({"price": decimal(20, 2)})
    put(registry, 12, schema)
    data = framed(12, wide, envelope("c", {"price": Decimal("1234567.89")}))
    assert fastavro.parse_schema(schema)
    change = row_change(new_decoder(), record(KEY_BYTES, data))
    assert change.after == {"price": Decimal("1234567.89")}


def test_a_value_of_the_wrong_type_names_its_column(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = envelope_schema({"when": connect("string", "io.debezium.time.Date")})
    put(registry, 13, schema)
    data = framed(13, schema, envelope("c", {"when": "soon"}))
    with pytest.raises(RecordError, match="column when") as caught:
        decoded(new_decoder(), record(KEY_BYTES, data))
    assert caught.value.kind == "BrokenColumn"


@pytest.mark.parametrize(
    "text", ["{}", "not json", '{"type": "record"}', '"no.such.Type"', '{"type": "enum"}']
)
def test_a_schema_that_is_no_avro_stops_the_task(
    text: str, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    registry.schemas[14] = text
    with pytest.raises(FatalError, match="14"):
        decoded(new_decoder(), record(KEY_BYTES, b"\x00\x00\x00\x00\x0eabc"))


def test_types_from_referenced_schemas_are_put_in_place() -> None:
    part = {"type": "record", "name": "a.Part", "fields": [{"name": "n", "type": "int"}]}
    whole = {
        "type": "record",
        "name": "Whole",
        "namespace": "b",
        "fields": [{"name": "x", "type": "a.Part"}, {"name": "y", "type": "a.Part"}],
    }
    node = self_contained(json.dumps(whole), [json.dumps(part)])
    assert node["name"] == "b.Whole"
    assert node["fields"][0]["type"]["name"] == "a.Part"
    assert node["fields"][1]["type"] == "a.Part"
    assert column_type(node).field("y") == column_type(node).field("x")
    fastavro.parse_schema(node)


def test_names_are_resolved_in_their_namespace() -> None:
    inner = struct({"n": "int"}, "Value", "one")
    schema: dict[str, Any] = {
        "type": "record",
        "name": "Outer",
        "namespace": "two",
        "fields": [{"name": "a", "type": inner}, {"name": "b", "type": ["null", "one.Value"]}],
    }
    assert self_contained(json.dumps(schema))["fields"][1]["type"] == ["null", "one.Value"]


def test_a_type_inside_itself_is_no_endless_loop() -> None:
    tree = {
        "type": "record",
        "name": "Tree",
        "fields": [{"name": "left", "type": ["null", "Tree"]}, {"name": "n", "type": "int"}],
    }
    kind = column_type(self_contained(json.dumps(tree)))
    assert kind.field_names == {"left", "n"}


def test_an_optional_flat_value_at_the_top_may_be_null(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = ["null", struct({"id": "int", "name": "string"}, "Value")]
    put(registry, 15, schema)
    decoder = new_decoder(frozenset({"name"}))
    data = framed(15, schema, {"id": 1, "name": "a"})
    assert row_change(decoder, record(KEY_BYTES, data)).after == {"name": "a"}
    assert row_change(decoder, record(KEY_BYTES, framed(15, schema, None))).op is Op.TOMBSTONE


def test_a_column_that_no_version_has_is_a_mistake_with_a_suggestion(
    new_decoder: NewDecoder,
) -> None:
    decoder = new_decoder(frozenset({"nmae"}))
    with pytest.raises(FatalError, match=r"no column nmae; did you mean name\? \(they have id, n"):
        decoded(decoder, record(KEY_BYTES, VALUE_BYTES))


def test_a_column_that_came_or_went_is_absent_with_one_warning(
    registry: LocalRegistry, new_decoder: NewDecoder, caplog: pytest.LogCaptureFixture
) -> None:
    put(registry, 16, envelope_schema({"id": "int", "price": "int"}), f"{TOPIC}-value")
    decoder = new_decoder(frozenset({"name", "price"}))
    with caplog.at_level(logging.WARNING, "worker.decode"):
        for _ in range(3):
            after = row_change(decoder, record(KEY_BYTES, VALUE_BYTES)).after
            assert after == {"name": "jacket"}
    assert [entry.getMessage() for entry in caplog.records] == [
        f"Rows of {TOPIC} of schema {VALUE_ID} have no column price: it is null."
    ]


def test_a_registry_that_cannot_list_versions_only_warns(
    registry: LocalRegistry, new_decoder: NewDecoder, caplog: pytest.LogCaptureFixture
) -> None:
    registry.subjects.clear()
    decoder = new_decoder(frozenset({"nmae"}))
    assert row_change(decoder, record(KEY_BYTES, VALUE_BYTES)).after == {}
    assert "no column nmae" in caplog.text


def test_each_topic_needs_the_column_by_itself(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    other = envelope_schema({"id": "int", "title": "string"}, topic="shop.public.books")
    put(registry, 17, other, "shop.public.books-value")
    decoder = new_decoder(frozenset({"name"}))
    row_change(decoder, record(KEY_BYTES, VALUE_BYTES))
    data = framed(17, other, envelope("c", {"id": 1, "title": "a"}))
    with pytest.raises(FatalError, match=r"shop\.public\.books have no column name"):
        decoded(decoder, record(KEY_BYTES, data, topic="shop.public.books"))


def test_avro_without_a_registry_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"key\.converter\.schema\.registry\.url"):
        DebeziumDecoder(DecoderSettings())
