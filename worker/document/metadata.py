"""Columns as metadata that every store can keep and a search can filter by.

Types are chosen for filters: numbers stay numbers for ranges, everything with a calendar is the
ISO 8601 text of the document (sortable as text, as it is in UTC), and strings stay exactly as they
are in the database, apart from NUL and lone surrogates, so that ``==`` finds them. Null, NaN,
infinity, bytes and empty lists or structs are left out. ``updated_at`` is a number: milliseconds.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from worker.document.values import storable, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.document.metadata_fields import MetadataField
    from worker.model import MetadataValue, Origin, Value

SOURCE_TABLE = "source_table"
UPDATED_AT = "updated_at"
TEXT = "text"
"""Where ``metadata.text`` puts the text."""

_EXACT = 2**53
"""Stores keep numbers as doubles; larger integers would change silently."""


_DIGITS = 15
"""So many digits always survive the way through a double (C's DBL_DIG)."""


def metadata_value(value: Value) -> MetadataValue | None:
    """A column as metadata; None if it has to be left out."""
    if value is None:
        return None
    kind = type(value)
    if kind is str:
        return storable(value)
    convert = _FORMS.get(kind)
    return convert(value) if convert else text_of(value) or None


def metadata_of(
    row: Mapping[str, Value], fields: tuple[MetadataField, ...], table: str | None, origin: Origin
) -> dict[str, MetadataValue]:
    """The metadata of a row: its table and commit time, then the chosen columns."""
    held: dict[str, MetadataValue] = {}
    if table:
        held[SOURCE_TABLE] = storable(table)
    if origin.committed_ms is not None:
        held[UPDATED_AT] = origin.committed_ms
    for field in fields:
        value = metadata_value(row.get(field.column))
        if value is not None:
            held[field.name] = value
    return held


def _int(value: int) -> int | str:
    return value if -_EXACT <= value <= _EXACT else str(value)


def _float(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _decimal(value: Decimal) -> int | float | str | None:
    """A number if a double holds it exactly enough to print the same digits, else text."""
    if not value.is_finite():
        return None
    _, digits, exponent = value.as_tuple()
    if exponent == 0:
        return int(value) if -_EXACT <= value <= _EXACT else f"{value:f}"
    number = float(value)
    if len(digits) <= _DIGITS and -_DIGITS <= exponent < 0:  # type: ignore[operator]  # as it is finite
        return number  # most are so, and 0.4 µs cheaper than to compare digits
    return number if Decimal(repr(number)) == value else f"{value:f}"


def _list(value: list[Any]) -> list[str] | None:
    texts = [storable(item) if isinstance(item, str) else text_of(item) for item in value]
    return [text for text in texts if text] or None


_FORMS: dict[type, Callable[[Any], MetadataValue | None]] = {
    bool: bool,
    int: _int,
    float: _float,
    Decimal: _decimal,
    list: _list,
    tuple: _list,
}
