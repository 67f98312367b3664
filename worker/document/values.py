r"""A decoded column as the text that a person expects; one form for snapshot, stream and repair.

The forms, one per type of ``Value`` (docs/documents.md shows them with examples):

- null, NaN, infinity, bytes, empty lists and structs: no text at all, ``""``
- str: as it is, with ``\n`` for every kind of line end, without NUL and lone surrogates, stripped
- bool ``true``/``false``; int in decimal
- Decimal as stored, never with an exponent: ``12.50``
- float as PostgreSQL prints it: the shortest digits that give the same number, without ``.0``
- date and time in ISO 8601 with ``T``; what has a time zone is turned to UTC and ends in ``Z``,
  the form in which Debezium writes ``ZonedTimestamp``
- timedelta ``[-]HH:MM:SS[.ffffff]``; hours may exceed 24, as in MySQL's TIME
- list ``a, b, c``; struct as compact JSON with sorted keys
"""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.model import Value


def text_of(value: Value) -> str:
    """The text of one column; empty if it has nothing to say."""
    if value is None:
        return ""
    form = _FORMS.get(type(value)) or _inherited_form(type(value))
    return form(value)


def clean(text: str) -> str:
    r"""Without what no model or store takes: NUL, lone surrogates; line ends become ``\n``."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return storable(unified)


def storable(text: str) -> str:
    """Without NUL and lone surrogates, otherwise exactly as it is."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # A pair that was split over two characters becomes the one it stands for; others U+FFFD.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _str(value: str) -> str:
    if value.isascii() and "\r" not in value and "\x00" not in value:
        return value.strip()  # what most are; the hot path of every row
    return clean(value).strip()


def _decimal(value: Decimal) -> str:
    return f"{value:f}" if value.is_finite() else ""


def _bool(value: bool) -> str:  # noqa: FBT001 - the value itself, no switch
    return "true" if value else "false"


def _float(value: float) -> str:
    return repr(value).removesuffix(".0") if math.isfinite(value) else ""


def _datetime(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _time(value: time) -> str:
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _timedelta(value: timedelta) -> str:
    sign = "-" if value < timedelta(0) else ""
    seconds, micros = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    fraction = f".{micros:06d}" if micros else ""
    return f"{sign}{hour:02d}:{minute:02d}:{second:02d}{fraction}"


def _list(value: list[Any]) -> str:
    return ", ".join(text for text in map(text_of, value) if text)


def _struct(value: dict[str, Any]) -> str:
    held = _plain(value)
    if not held:
        return ""
    packed = json.dumps(held, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return storable(packed)


def _plain(value: Value) -> Any:  # noqa: ANN401 - any JSON value
    """As JSON can hold it; None for what has no text. Numbers that JSON would bend become text."""
    if isinstance(value, dict):
        held = {str(name): _plain(inner) for name, inner in value.items()}
        return {name: inner for name, inner in held.items() if inner is not None}
    if isinstance(value, list):
        return [inner for inner in map(_plain, value) if inner is not None]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return storable(value)
    return text_of(value) or None


def _nothing(_: Value) -> str:
    return ""


_FORMS: dict[type, Callable[[Any], str]] = {
    str: _str,
    bool: _bool,
    int: str,
    float: _float,
    Decimal: _decimal,
    datetime: _datetime,
    date: date.isoformat,
    time: _time,
    timedelta: _timedelta,
    list: _list,
    tuple: _list,
    dict: _struct,
    bytes: _nothing,
    bytearray: _nothing,
    memoryview: _nothing,
}


def _inherited_form(kind: type) -> Callable[[Any], str]:
    """The form of the nearest type that this one descends from; an Enum of str is a str."""
    forms = (_FORMS[known] for known in kind.__mro__ if known in _FORMS)
    return next(forms, _other)


def _other(value: object) -> str:
    return clean(str(value)).strip()
