"""What has to be done to the values of a column type; nothing for most.

Enum, Uuid, Xml, Ltree, inet, ranges, vectors and plain numbers are right as they come.
"""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from worker.decode import numbers, temporal
from worker.decode.column_type import BYTES, FLOAT32, FLOATS, STRUCTS
from worker.decode.geometry import geometry, point
from worker.json_text import normal_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.decode.column_type import ColumnType

    Convert: TypeAlias = Callable[[Any], Any]

DECIMAL = "org.apache.kafka.connect.data.Decimal"
JSON = "io.debezium.data.Json"
UUID = "io.debezium.data.Uuid"
_ESCAPED_COMMA = "\\,"
VECTORS = frozenset({"io.debezium.data.FloatVector", "io.debezium.data.DoubleVector"})


def conversion(kind: ColumnType) -> Convert | None:
    """From what Avro's reader returns (without logical types) to the value; None: as it is."""
    named = _BY_NAME.get(kind.name)
    if named is not None:
        return named
    factory = _BY_PARAMETERS.get(kind.name)
    if factory is not None:
        return factory(kind)
    if kind.name in VECTORS:
        return None
    if kind.base in FLOAT32:
        return numbers.shortest_float32
    return _nested(kind, conversion)


def json_conversion(kind: ColumnType) -> Convert | None:
    """From what Connect's JsonConverter wrote to the value; None: as it is."""
    native = _native(kind)
    convert = conversion(kind)
    if native is None or convert is None:
        return native or convert
    return lambda value: convert(native(value))


def _native(kind: ColumnType) -> Convert | None:
    """From JSON's few types to those that Avro has: bytes are base64, NaN is text."""
    if kind.name == DECIMAL:
        return _json_decimal
    if kind.base in BYTES:
        return b64decode
    if kind.base in FLOATS:
        return float
    return _nested(kind, _native)


def _json_decimal(value: str | float | Decimal) -> bytes | Decimal:
    """``decimal.format`` is BASE64 or NUMERIC."""
    return b64decode(value) if isinstance(value, str) else Decimal(str(value))


def _nested(kind: ColumnType, inner: Callable[[ColumnType], Convert | None]) -> Convert | None:
    if kind.element is not None:
        each = inner(kind.element)
        if each is None:
            return None
        return _each_value(each) if kind.base == "map" else _each_element(each)
    if kind.base in STRUCTS:
        by_field = {name: each for name, field in kind.fields if (each := inner(field))}
        return _each_field(by_field) if by_field else None
    return None


def _each_element(convert: Convert) -> Convert:
    return lambda values: [None if value is None else convert(value) for value in values]


def _each_value(convert: Convert) -> Convert:
    return lambda values: {
        name: None if value is None else convert(value) for name, value in values.items()
    }


def _each_field(converts: dict[str, Convert]) -> Convert:
    def convert(struct: dict[str, Any]) -> dict[str, Any]:
        return {
            name: converts[name](value) if name in converts and value is not None else value
            for name, value in struct.items()
        }

    return convert


def _decimal(kind: ColumnType) -> Convert:
    return numbers.decimal(int(kind.parameters.get("scale", 0)))


def _bits(kind: ColumnType) -> Convert:
    length = kind.parameters.get("length")
    return numbers.bits(None if length is None else int(length))


def _enum(kind: ColumnType) -> Convert | None:
    """Debezium escapes the commas of MySQL's names in the stream, and not in snapshots."""
    if _ESCAPED_COMMA not in kind.parameters.get("allowed", ""):
        return None
    return lambda name: name.replace(_ESCAPED_COMMA, ",")


def _enum_set(text: str) -> list[str]:
    return text.split(",") if text else []


_BY_PARAMETERS: dict[str, Callable[[ColumnType], Convert | None]] = {
    "io.debezium.data.Enum": _enum,
    DECIMAL: _decimal,
    "decimal": _decimal,
    "io.debezium.data.Bits": _bits,
}

_BY_NAME: dict[str, Convert] = {
    JSON: normal_json,
    "io.debezium.data.EnumSet": _enum_set,
    "io.debezium.data.VariableScaleDecimal": numbers.variable_scale,
    "io.debezium.data.geometry.Point": point,
    "io.debezium.data.geometry.Geometry": geometry,
    "io.debezium.data.geometry.Geography": geometry,
    "io.debezium.time.Date": temporal.day,
    "io.debezium.time.Time": temporal.time_of_day(us_per_unit=1000),
    "io.debezium.time.MicroTime": temporal.time_of_day(),
    "io.debezium.time.NanoTime": temporal.time_of_day(units_per_us=1000),
    "io.debezium.time.Timestamp": temporal.timestamp(us_per_unit=1000),
    "io.debezium.time.MicroTimestamp": temporal.timestamp(),
    "io.debezium.time.NanoTimestamp": temporal.timestamp(units_per_us=1000),
    "io.debezium.time.ZonedTimestamp": temporal.zoned_timestamp,
    "io.debezium.time.ZonedTime": temporal.zoned_time,
    "io.debezium.time.IsoDate": temporal.iso_date,
    "io.debezium.time.IsoTime": temporal.iso_time,
    "io.debezium.time.IsoTimestamp": temporal.iso_timestamp,
    "io.debezium.time.MicroDuration": temporal.duration(),
    "io.debezium.time.NanoDuration": temporal.duration(units_per_us=1000),
    "io.debezium.time.Interval": temporal.interval,
    # time.precision.mode=connect: only columns without a zone have these
    "org.apache.kafka.connect.data.Date": temporal.day,
    "org.apache.kafka.connect.data.Time": temporal.time_of_day(us_per_unit=1000),
    "org.apache.kafka.connect.data.Timestamp": temporal.timestamp(us_per_unit=1000),
    # Avro's own, from producers that are not Kafka Connect
    "date": temporal.day,
    "time-millis": temporal.time_of_day(us_per_unit=1000),
    "time-micros": temporal.time_of_day(),
    "timestamp-millis": temporal.instant(us_per_unit=1000),
    "timestamp-micros": temporal.instant(us_per_unit=1),
    "local-timestamp-millis": temporal.timestamp(us_per_unit=1000),
    "local-timestamp-micros": temporal.timestamp(),
}
