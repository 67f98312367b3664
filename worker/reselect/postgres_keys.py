"""From a decoded key column to a text that PostgreSQL reads as the same value of the type."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.model import Value

_INFINITE = frozenset({"infinity", "-infinity"})
_END_OF_DAY = timedelta(days=1)

_TEXTS = frozenset(
    {"text", "varchar", "bpchar", "citext", "uuid", "inet", "cidr", "macaddr", "enum"}
)
_NUMBERS = frozenset(
    {"int2", "int4", "int8", "numeric", "numeric of any scale", "float4", "float8"}
)
_TIMES = frozenset({"date", "time", "timestamp", "timestamptz"})
_KEYS = _TEXTS | _NUMBERS | _TIMES | {"bool", "bytea"}
"""Types whose decoded values are equal exactly where the database's are."""


def can_be_key(kind: str) -> bool:
    """Whether rows can be found by a column of this type."""
    return kind in _KEYS


def key_text(kind: str, value: Value) -> str | None:
    """The text; None if no row of such a column can have been decoded to this value."""
    if kind in _TEXTS:
        return value if isinstance(value, str) else None
    if kind in _TIMES:
        return _time(value)
    if kind == "bytea":
        return f"\\x{value.hex()}" if isinstance(value, bytes) else None
    if kind == "bool":
        return str(value) if isinstance(value, bool) else None
    return str(value) if isinstance(value, int | float | Decimal) else None


def _time(value: Value) -> str | None:
    """Years that Python cannot hold are text, in a form that PostgreSQL does not read."""
    if isinstance(value, date | time):
        return value.isoformat()
    if value == _END_OF_DAY:
        return "24:00:00"
    return value if value in _INFINITE else None
