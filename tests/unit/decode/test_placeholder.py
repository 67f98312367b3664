"""The TOAST placeholder in every type of column."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.decode.conftest import KEY
from tests.unit.decode.debezium import (
    KEY_ID,
    connect,
    envelope,
    envelope_schema,
    framed,
    optional,
    put,
    record,
    row_change,
    settings,
)
from worker.decode.column_type import ColumnType
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.decode.placeholder import Placeholder
from worker.errors import ConfigError

if TYPE_CHECKING:
    from tests.unit.decode.conftest import NewDecoder
    from worker.decode.local_registry import LocalRegistry

TEXT = "__debezium_unavailable_value"
RAW = TEXT.encode()
CODES = list(RAW)
JSON = connect("string", "io.debezium.data.Json")
UUID = connect("string", "io.debezium.data.Uuid")
DAY = connect("int", "io.debezium.time.Date")
KEY_BYTES = framed(KEY_ID, KEY, {"id": 1})


def array(element: Any) -> dict[str, Any]:
    return {"type": "array", "items": optional(element)}


CASES = {
    "text": ("string", TEXT, "x"),
    "jsonb": (JSON, TEXT, "{}"),
    "hstore": (JSON, f'{{"{TEXT}":"{TEXT}"}}', "{}"),
    "hstore as map": ({"type": "map", "values": optional("string")}, {TEXT: TEXT}, {"a": None}),
    "bytea": ("bytes", RAW, b"x"),
    "text[]": (array("string"), [TEXT], [TEXT, TEXT]),
    "jsonb[]": (array(JSON), [TEXT], []),
    "bytea[]": (array("bytes"), [RAW], [b"x"]),
    "int4[]": (array("int"), CODES, CODES[1:]),
    "int8[]": (array("long"), CODES, []),
    "date[]": (array(DAY), CODES, [1]),
    "uuid[]": (array(UUID), ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"], []),
}


@pytest.mark.parametrize("op", ["u", "c"])
@pytest.mark.parametrize("case", CASES)
def test_the_placeholder_is_set_apart(
    case: str, op: str, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    kind, placeholder, ordinary = CASES[case]
    schema = envelope_schema({"id": "int", "large": optional(kind)})
    put(registry, 20, schema)
    decoder = new_decoder()
    data = framed(20, schema, envelope(op, {"id": 1, "large": placeholder}))
    change = row_change(decoder, record(KEY_BYTES, data))
    assert change.unavailable == {"large"}
    assert change.after == {"id": 1}
    data = framed(20, schema, envelope(op, {"id": 1, "large": ordinary}))
    change = row_change(decoder, record(KEY_BYTES, data))
    assert change.unavailable == frozenset()
    assert "large" in change.after


def test_snapshots_read_the_row_itself(registry: LocalRegistry, new_decoder: NewDecoder) -> None:
    schema = envelope_schema({"large": "string"})
    put(registry, 21, schema)
    data = framed(21, schema, envelope("r", {"large": TEXT}))
    assert row_change(new_decoder(), record(KEY_BYTES, data)).after == {"large": TEXT}


def test_only_wanted_columns_are_reported(registry: LocalRegistry, new_decoder: NewDecoder) -> None:
    schema = envelope_schema({"id": "int", "large": "string", "other": "string"})
    put(registry, 22, schema)
    data = framed(22, schema, envelope("u", {"id": 1, "large": TEXT, "other": TEXT}))
    change = row_change(new_decoder(frozenset({"id", "other"})), record(KEY_BYTES, data))
    assert change.unavailable == {"other"}
    assert change.after == {"id": 1}


@pytest.mark.parametrize(("setting", "sent"), [("gone!", "gone!"), ("hex:676f6e6521", "gone!")])
def test_the_placeholder_is_configurable(setting: str, sent: str, registry: LocalRegistry) -> None:
    schema = envelope_schema({"text": "string", "raw": "bytes", "old": "string"})
    put(registry, 23, schema)
    row = {"text": sent, "raw": sent.encode(), "old": TEXT}
    with closing(DebeziumDecoder(settings(registry, unavailable_value=setting))) as decoder:
        change = row_change(decoder, record(KEY_BYTES, framed(23, schema, envelope("u", row))))
    assert change.unavailable == {"text", "raw"}
    assert change.after == {"old": TEXT}


def test_a_placeholder_that_is_no_hex_is_a_mistake() -> None:
    part = PartSettings(Format.JSON)
    with pytest.raises(ConfigError, match="hexadecimal"):
        DebeziumDecoder(DecoderSettings(part, part, unavailable_value="hex:xyz"))


def test_types_that_are_never_toasted_are_not_looked_at() -> None:
    placeholder = Placeholder()
    for kind in (
        ColumnType("int"),
        ColumnType("boolean"),
        ColumnType("bytes", "org.apache.kafka.connect.data.Decimal"),
        ColumnType("record", "io.debezium.data.VariableScaleDecimal"),
        ColumnType("array", element=ColumnType("double")),
    ):
        assert placeholder.marks(kind) == ()
        assert placeholder.json_marks(kind) == ()
