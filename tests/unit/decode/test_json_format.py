"""Messages of Connect's JsonConverter, with and without their schema."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.decode.debezium import TOPIC, decoded, envelope, record, row_change
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.decode.port import NotARow
from worker.errors import FatalError, RecordError, Stage
from worker.model import Change, Key, Op

TYPED = PartSettings(Format.JSON, schemas_enable=True)
UNTYPED = PartSettings(Format.JSON, schemas_enable=False)
PLACEHOLDER = "__debezium_unavailable_value"

COLUMNS = [
    {"type": "int32", "optional": False, "field": "id"},
    {
        "type": "bytes",
        "optional": True,
        "name": "org.apache.kafka.connect.data.Decimal",
        "version": 1,
        "parameters": {"scale": "2"},
        "field": "price",
    },
    {"type": "string", "optional": True, "name": "io.debezium.data.Json", "field": "doc"},
    {"type": "bytes", "optional": True, "field": "raw"},
    {"type": "string", "optional": True, "field": "schema"},
]
ROW = {"id": 1, "price": "AeI6", "doc": '{"b": 1}', "raw": "AAE=", "schema": 'x,"payload":{'}


def typed(schema: Any, payload: Any) -> bytes:
    return json.dumps({"schema": schema, "payload": payload}, separators=(",", ":")).encode()


def row_schema(columns: Any, name: str) -> dict[str, Any]:
    return {"type": "struct", "fields": columns, "optional": True, "name": name}


def envelope_schema(columns: Any = COLUMNS) -> dict[str, Any]:
    row = row_schema(columns, f"{TOPIC}.Value")
    fields = [
        {**row, "field": "before"},
        {**row, "field": "after"},
        {"type": "struct", "fields": [], "name": "Source", "field": "source"},
        {"type": "string", "optional": False, "field": "op"},
    ]
    return {"type": "struct", "fields": fields, "optional": False, "name": f"{TOPIC}.Envelope"}


KEY = typed(row_schema(COLUMNS[:1], f"{TOPIC}.Key"), {"id": 1})
PLAIN_KEY = b'{"id":1}'


def decoder(part: PartSettings, columns: frozenset[str] | None = None) -> DebeziumDecoder:
    return DebeziumDecoder(DecoderSettings(part, part, columns))


def test_types_come_from_the_schema_in_the_message() -> None:
    reading = decoder(TYPED)
    for number in (1, 2, 3):  # the first time the schema is read, then it is recognised
        data = typed(envelope_schema(), envelope("c", {**ROW, "id": number}))
        assert row_change(reading, record(KEY, data)).after == {
            "id": number,
            "price": Decimal("1234.50"),
            "doc": '{"b":1}',
            "raw": b"\x00\x01",
            "schema": 'x,"payload":{',
        }


def test_each_schema_of_a_topic_has_its_own_types() -> None:
    reading = decoder(TYPED, frozenset({"price", "note"}))
    noted = [*COLUMNS, {"type": "string", "optional": True, "field": "note"}]
    wide = typed(envelope_schema(noted), envelope("u", {**ROW, "note": "n"}))
    narrow = typed(envelope_schema(), envelope("u", ROW))
    for _ in range(2):
        assert row_change(reading, record(KEY, narrow)).after == {"price": Decimal("1234.50")}
        assert row_change(reading, record(KEY, wide)).after["note"] == "n"


def test_the_order_of_schema_and_payload_makes_no_difference() -> None:
    message = {"payload": envelope("c", ROW), "schema": envelope_schema()}
    spaced = json.dumps(message, indent=1).encode()
    reading = decoder(TYPED)
    for _ in range(2):
        after = row_change(reading, record(KEY, spaced)).after
        assert after["price"] == Decimal("1234.50")


def test_a_schema_with_the_payload_marker_inside_is_not_cut_there() -> None:
    schema = envelope_schema()
    schema["parameters"] = {"x": "y", "payload": "z"}
    reading = decoder(TYPED)
    for number in (1, 2):
        data = typed(schema, envelope("c", {**ROW, "id": number}))
        assert row_change(reading, record(KEY, data)).after["id"] == number


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        (UNTYPED, PLAIN_KEY, b"null"),
        (UNTYPED, PLAIN_KEY, None),
        (TYPED, KEY, b"null"),
        (TYPED, KEY, None),
        (TYPED, KEY, b'{"schema":null,"payload":null}'),
        (TYPED, KEY, typed(envelope_schema(), None)),
    ],
)
def test_every_kind_of_null_is_a_tombstone(
    part: PartSettings, key: bytes, value: bytes | None
) -> None:
    reading = decoder(part)
    if part is TYPED:
        row_change(reading, record(KEY, typed(envelope_schema(), envelope("c", ROW))))
    change = row_change(reading, record(key, value))
    assert (change.op, change.key) == (Op.TOMBSTONE, Key(TOPIC, (("id", 1),)))


def test_without_a_schema_values_stay_as_they_are() -> None:
    data = json.dumps(envelope("u", ROW)).encode()
    change = row_change(decoder(UNTYPED), record(PLAIN_KEY, data))
    assert change.after == ROW
    assert change.origin.position == 24_023_128


def test_without_a_schema_a_missing_column_is_absent_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reading = decoder(UNTYPED, frozenset({"doc", "nmae"}))
    data = json.dumps(envelope("u", ROW)).encode()
    with caplog.at_level(logging.WARNING, "worker.decode"):
        for _ in range(3):
            after = row_change(reading, record(PLAIN_KEY, data)).after
            assert after == {"doc": '{"b": 1}'}
    assert [each.getMessage() for each in caplog.records] == [
        f"Rows of {TOPIC} have no column nmae: it is null."
    ]


@pytest.mark.parametrize(
    ("part", "key", "value", "kind", "hint"),
    [
        (TYPED, KEY, b'{"op":"c"}', "NoSchemaInMessage", "schemas.enable=false"),
        (UNTYPED, PLAIN_KEY, typed(envelope_schema(), {}), "SchemaInMessage", "enable=true"),
        (UNTYPED, PLAIN_KEY, b"\x00\x00\x00\x00\x01abc", "BrokenJson", "value.converter=avro"),
        (UNTYPED, PLAIN_KEY, b"{", "BrokenJson", "no JSON"),
        (UNTYPED, PLAIN_KEY, b"", "BrokenJson", "no JSON"),
        (TYPED, KEY, b'{"schema":{"type":"struct"},"payload":', "BrokenJson", "no JSON"),
        (TYPED, KEY, b'{"schema":[1],"payload":{"a":1}}', "BrokenSchema", "none of Kafka"),
        (TYPED, KEY, typed({"type": "string"}, "x"), "NotAnEnvelope", "is a string"),
        (TYPED, KEY, typed(envelope_schema(), [1]), "NotAnEnvelope", "is a list"),
        (UNTYPED, PLAIN_KEY, b"[1]", "NotAnEnvelope", "is a list"),
        (UNTYPED, PLAIN_KEY, b"7", "NotAnEnvelope", "is a int"),
    ],
)
def test_what_cannot_be_read_says_what_to_configure(
    part: PartSettings, key: bytes, value: bytes, kind: str, hint: str
) -> None:
    with pytest.raises(RecordError) as caught:
        decoded(decoder(part), record(key, value))
    assert (caught.value.kind, caught.value.stage) == (kind, Stage.VALUE_CONVERTER)
    assert hint in str(caught.value)


def test_a_broken_key_is_told_from_a_broken_value() -> None:
    data = json.dumps(envelope("u", ROW)).encode()
    with pytest.raises(RecordError) as caught:
        decoded(decoder(UNTYPED), record(b"{", data))
    assert (caught.value.kind, caught.value.stage) == ("BrokenJson", Stage.KEY_CONVERTER)


@pytest.mark.parametrize(
    ("part", "key", "columns"),
    [
        (UNTYPED, b'"sku"', (("key", "sku"),)),
        (UNTYPED, b"7", (("key", 7),)),
        (UNTYPED, b'{"b":1,"a":[1,[2]]}', (("b", 1), ("a", (1, (2,))))),
        (UNTYPED, b'{"doc":{"b":1,"a":2}}', (("doc", '{"a":2,"b":1}'),)),
        (TYPED, typed({"type": "string"}, "sku"), (("key", "sku"),)),
        (
            TYPED,
            typed(row_schema(COLUMNS[1:2], "Key"), {"price": "ew=="}),
            (("price", Decimal("1.23")),),
        ),
    ],
)
def test_keys_are_hashable_columns_in_key_order(
    part: PartSettings, key: bytes, columns: tuple[tuple[str, Any], ...]
) -> None:
    found = row_change(decoder(part), record(key, None)).key
    assert found == Key(TOPIC, columns)
    assert hash(found)


def test_placeholders_are_found_with_and_without_a_schema() -> None:
    encoded = b64encode(PLACEHOLDER.encode()).decode()
    row = {**ROW, "doc": PLACEHOLDER, "raw": encoded}
    for part, key, data in (
        (TYPED, KEY, typed(envelope_schema(), envelope("u", row))),
        (UNTYPED, PLAIN_KEY, json.dumps(envelope("u", row)).encode()),
    ):
        change = row_change(decoder(part), record(key, data))
        assert change.unavailable == {"doc", "raw"}
        assert set(change.after) == {"id", "price", "schema"}


def test_the_old_key_of_a_key_change_is_read_without_types() -> None:
    headers = (("__debezium.oldkey", b'{"id":5}'),)
    data = json.dumps(envelope("c", ROW)).encode()
    change = row_change(decoder(UNTYPED), record(PLAIN_KEY, data, headers))
    assert change.moved_from == Key(TOPIC, (("id", 5),))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"ts_ms": 1}, "heartbeat"),
        ({"status": "BEGIN", "id": "1", "data_collections": None}, "transaction"),
        ({"source": {}, "databaseName": "d", "ddl": "drop"}, "schema-change"),
        ({"aggregate_type": "a", "type": "b", "additional_data": {}}, "notification"),
        ({"op": "m", "source": {}, "message": {}}, "message"),
        (envelope("t"), "truncate"),
    ],
)
def test_debeziums_own_records_are_told_by_their_shape(content: Any, kind: str) -> None:
    data = json.dumps(content).encode()
    found = decoded(decoder(UNTYPED), record(None, data))
    assert isinstance(found, NotARow)
    assert found.kind == kind


def test_flattened_rows_are_rows() -> None:
    data = json.dumps({"id": 1, "name": "a", "__op": "c", "__deleted": "false"}).encode()
    change = row_change(decoder(UNTYPED), record(PLAIN_KEY, data))
    assert (change.op, change.after) == (Op.CREATE, {"id": 1, "name": "a"})


NAMES = st.sampled_from(
    [
        "op",
        "source",
        "before",
        "after",
        "id",
        "lsn",
        "file",
        "pos",
        "sequence",
        "ts_ms",
        "schema",
        "payload",
        "type",
        "fields",
        "field",
        "name",
        "__op",
        "__deleted",
        "__lsn",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["c", "u", "d", "struct", ""])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(ANYTHING, ANYTHING, st.sampled_from([TYPED, UNTYPED]))
def test_no_json_whatsoever_is_more_than_the_records_fault(
    key: Any, value: Any, part: PartSettings
) -> None:
    incoming = record(json.dumps(key).encode(), json.dumps(value).encode())
    try:
        assert isinstance(decoded(decoder(part), incoming), Change | NotARow)
    except (RecordError, FatalError) as error:
        assert str(error)  # noqa: PT017 - which of the three it is depends on the example


def test_key_and_value_may_have_different_formats() -> None:
    reading = DebeziumDecoder(DecoderSettings(UNTYPED, TYPED))
    data = typed(envelope_schema(), envelope("c", ROW))
    assert row_change(reading, record(PLAIN_KEY, data)).after["price"] == Decimal("1234.50")
