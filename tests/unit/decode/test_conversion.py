"""Column types of Debezium to values, from Avro and from JSON."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.decode.column_type import ColumnType
from worker.decode.conversion import conversion, json_conversion
from worker.decode.numbers import unscaled

DECIMAL = "org.apache.kafka.connect.data.Decimal"
DECIMAL_2 = ColumnType("bytes", DECIMAL, {"scale": "2"})
VARIABLE = ColumnType(
    "record",
    "io.debezium.data.VariableScaleDecimal",
    fields=(("scale", ColumnType("int")), ("value", ColumnType("bytes"))),
)


def avro(kind: ColumnType, value: Any) -> Any:
    convert = conversion(kind)
    return convert(value) if convert else value


def from_json(kind: ColumnType, value: Any) -> Any:
    convert = json_conversion(kind)
    return convert(value) if convert else value


def twos_complement(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


@given(st.integers(-(10**200), 10**200), st.integers(-20, 40))
def test_decimals_of_any_size_are_exact(number: int, scale: int) -> None:
    expected = Decimal((number < 0, tuple(map(int, str(abs(number)))), -scale))
    assert unscaled(twos_complement(number), scale) == expected
    assert unscaled(twos_complement(number), scale).as_tuple().exponent == -scale


@given(st.floats(width=32, allow_nan=False))
def test_a_float32_prints_short_and_is_the_same_number(value: float) -> None:
    found = avro(ColumnType("float"), value)
    assert math.isinf(found) or struct.pack("f", found) == struct.pack("f", value)


@pytest.mark.parametrize(
    ("name", "base", "raw", "expected"),
    [
        ("", "float", 0.10000000149011612, 0.1),
        ("", "long", 2**63 - 1, 2**63 - 1),
        ("io.debezium.data.Json", "string", '{"b": 1, "a": 2}', '{"a":2,"b":1}'),
        ("io.debezium.data.EnumSet", "string", "a,c", ["a", "c"]),
        ("io.debezium.data.EnumSet", "string", "", []),
        ("io.debezium.data.Enum", "string", "a", "a"),
        ("io.debezium.data.Uuid", "string", "0b0e7a4c", "0b0e7a4c"),
        ("io.debezium.time.Date", "int", 0, date(1970, 1, 1)),
        ("io.debezium.time.Time", "int", 1_500, time(0, 0, 1, 500000)),
        ("io.debezium.time.MicroTime", "long", 1, time(0, 0, 0, 1)),
        ("io.debezium.time.NanoTime", "long", 1_999, time(0, 0, 0, 1)),
        ("io.debezium.time.Year", "int", 2024, 2024),
        ("io.debezium.time.MicroDuration", "long", -1, timedelta(microseconds=-1)),
        ("io.debezium.time.NanoDuration", "long", 5_000, timedelta(microseconds=5)),
        ("io.debezium.time.Interval", "string", "P1Y0M0DT0H0M0S", "P1Y"),
        ("io.debezium.time.ZonedTime", "string", "10:00:00Z", time(10, tzinfo=UTC)),
        ("org.apache.kafka.connect.data.Date", "int", 1, date(1970, 1, 2)),
        ("org.apache.kafka.connect.data.Time", "int", 1_000, time(0, 0, 1)),
        ("timestamp-millis", "long", 0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("timestamp-micros", "long", 1, datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("date", "int", -1, date(1969, 12, 31)),
    ],
)
def test_scalars_are_what_a_person_expects_in_both_formats(
    name: str, base: str, raw: Any, expected: Any
) -> None:
    kind = ColumnType(base, name)
    assert avro(kind, raw) == expected
    assert type(avro(kind, raw)) is type(expected)
    assert from_json(kind, raw) == expected


@pytest.mark.parametrize("name", ["small", "with pockets, lined"])
def test_a_comma_in_the_name_of_an_enum_is_the_same_in_snapshot_and_stream(name: str) -> None:
    allowed = {"allowed": r"small,with pockets\, lined"}
    kind = ColumnType("string", "io.debezium.data.Enum", parameters=allowed)
    in_the_stream = name.replace(",", r"\,")
    assert avro(kind, in_the_stream) == avro(kind, name) == name
    assert from_json(kind, in_the_stream) == from_json(kind, name) == name


@pytest.mark.parametrize(
    "name",
    [
        "io.debezium.time.Timestamp",
        "org.apache.kafka.connect.data.Timestamp",
        "local-timestamp-millis",
    ],
)
def test_timestamps_without_a_zone_are_naive(name: str) -> None:
    assert avro(ColumnType("long", name), 1_000).tzinfo is None


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (DECIMAL_2, b"\x01\xe2\x3a", Decimal("1234.50")),
        (ColumnType("bytes", DECIMAL, {"scale": "-2"}), b"\x05", Decimal("5E+2")),
        (ColumnType("bytes", "decimal", {"scale": "1"}), b"\xff", Decimal("-0.1")),
        (ColumnType("bytes"), b"\x00\x01", b"\x00\x01"),
        (
            ColumnType("bytes", "io.debezium.data.Bits", {"length": "12"}),
            b"\x01\x08",
            "1" + "0" * 10 + "1",
        ),
        (ColumnType("bytes", "io.debezium.data.Bits", {"length": "8"}), b"", "00000000"),
        (
            ColumnType("bytes", "io.debezium.data.Bits", {"length": "2147483647"}),
            b"\x05",
            "00000101",
        ),
        (ColumnType("bytes", "io.debezium.data.Bits", {"length": "2147483647"}), b"", ""),
    ],
)
def test_bytes_become_values_and_are_base64_in_json(
    kind: ColumnType, raw: bytes, expected: Any
) -> None:
    assert repr(avro(kind, raw)) == repr(expected)
    assert repr(from_json(kind, b64encode(raw).decode())) == repr(expected)


def test_decimals_as_json_numbers_get_their_scale_back() -> None:
    assert str(from_json(DECIMAL_2, 12.5)) == "12.50"
    assert str(from_json(DECIMAL_2, 7)) == "7.00"


def test_nan_and_infinity_are_text_in_json() -> None:
    assert math.isnan(from_json(ColumnType("double"), "NaN"))
    assert from_json(ColumnType("float"), "-Infinity") == -math.inf


def test_numerics_without_scale_carry_their_own() -> None:
    assert avro(VARIABLE, {"scale": 2, "value": b"\x7b"}) == Decimal("1.23")
    assert from_json(VARIABLE, {"scale": 0, "value": "ew=="}) == Decimal(123)


def test_elements_of_arrays_maps_and_structs_are_converted_and_nulls_stay() -> None:
    days = ColumnType("array", element=ColumnType("int", "io.debezium.time.Date"))
    by_name = ColumnType("map", element=DECIMAL_2)
    nested = ColumnType("record", "x", fields=(("when", days), ("n", ColumnType("int"))))
    assert avro(days, [0, None]) == [date(1970, 1, 1), None]
    assert avro(by_name, {"a": b"\x7b", "b": None}) == {"a": Decimal("1.23"), "b": None}
    assert avro(nested, {"when": [0], "n": 3}) == {"when": [date(1970, 1, 1)], "n": 3}
    assert from_json(by_name, {"a": "ew=="}) == {"a": Decimal("1.23")}


def test_plain_columns_cost_nothing() -> None:
    for kind in (
        ColumnType("string"),
        ColumnType("array", element=ColumnType("string")),
        ColumnType("array", "io.debezium.data.FloatVector", element=ColumnType("float")),
        ColumnType("union"),
    ):
        assert conversion(kind) is None


def test_geometries_lose_their_binary_form() -> None:
    point = ColumnType("record", "io.debezium.data.geometry.Point")
    area = ColumnType(
        "record",
        "io.debezium.data.geometry.Geometry",
        fields=(("wkb", ColumnType("bytes")), ("srid", ColumnType("int"))),
    )
    assert avro(point, {"x": 1.0, "y": 2.0, "wkb": b"..", "srid": None}) == {"x": 1.0, "y": 2.0}
    assert avro(area, {"wkb": b"\x01\xff", "srid": 4326}) == {"wkb": "01ff", "srid": 4326}
    assert from_json(area, {"wkb": "Af8=", "srid": None}) == {"wkb": "01ff", "srid": None}
