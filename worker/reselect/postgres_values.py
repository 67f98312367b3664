"""From PostgreSQL's text of a value to what the decode step makes of Debezium's.

The text is that of the type's output function, which logical replication sends as well. Debezium's
handling modes are taken to be its defaults: decimals ``precise``, binary ``bytes``, hstore
``json``, times ``adaptive``. Types whose values come over Kafka in another way, or were not
compared, are left out: their columns stay unavailable. Source: the recorded samples of the decode
step's tests.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from worker.json_text import normal_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.model import Value

    Read: TypeAlias = Callable[[str], Value]

_INFINITE = frozenset({"infinity", "-infinity"})
_END_OF_DAY = "24:00:00"


def _number(text: str) -> Decimal:
    """Debezium's connector stops at NaN and infinity, so no value of theirs is right."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("not a number")
    return value


def _free_number(text: str) -> Decimal:
    """Debezium cuts zeros off the end of a fraction where the column has no scale."""
    return _number(text.rstrip("0").rstrip(".") if "." in text else text)


def _bool(text: str) -> bool:
    return text[0] == "t"


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _date(text: str) -> date | str:
    return text if text in _INFINITE else date.fromisoformat(text)


def _timestamp(text: str) -> datetime | str:
    return text if text in _INFINITE else datetime.fromisoformat(text)


def _instant(text: str) -> datetime | str:
    return text if text in _INFINITE else datetime.fromisoformat(text).astimezone(UTC)


def _time(text: str) -> time | timedelta:
    return timedelta(days=1) if text == _END_OF_DAY else time.fromisoformat(text)


_AS_IT_IS = (
    "text", "varchar", "bpchar", "name", "citext", "xml", "uuid", "inet", "cidr", "macaddr",
    "ltree", "tsvector", "enum",
)  # fmt: skip

_SCALARS: dict[str, Read] = {
    **dict.fromkeys(_AS_IT_IS, str),
    "json": normal_json,
    "jsonb": normal_json,
    "hstore": normal_json,  # selected as json
    "bytea": _bytes,
    "numeric": _number,
    "numeric of any scale": _free_number,
    "bool": _bool,
    **dict.fromkeys(("int2", "int4", "int8"), int),
    **dict.fromkeys(("float4", "float8"), float),
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _instant,
}

_ELEMENTS = frozenset(_SCALARS) - {"name", "xml", "hstore", "inet", "cidr", "macaddr"}


def scalar_reader(kind: str) -> Read | None:
    """For a column of this type; None if its values cannot be matched exactly."""
    return _SCALARS.get(kind)


def array_reader(element: str) -> Callable[[list[str | None]], Value] | None:
    """For a column that is an array of this type; None as above."""
    if element not in _ELEMENTS:
        return None
    read = _SCALARS[element]

    def convert(texts: list[str | None]) -> list[Value]:
        return [None if text is None else read(_flat(text)) for text in texts]

    return convert


def _flat(text: str | list[str]) -> str:
    """Debezium has arrays of one dimension only."""
    if not isinstance(text, str):
        raise TypeError("an array of arrays")
    return text
