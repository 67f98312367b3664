r"""JSON columns in one normal form, as snapshot and stream write them differently.

MySQL's snapshot says ``{"c": "red"}`` and its binlog ``{"c":"red"}``. The form is compact, with
sorted keys and with text as it is (no ``\u`` escapes). Numbers are the shortest digits of the
same value; one that a double cannot hold keeps its own digits. What is no JSON stays as it is.

Debezium writes a double of the binlog in full from ten millions on (Java's ``Double.toString`` has
an exponent there): 1e100 with its 101 digits, 12345678.9 as 12345678.90000000037…, 10000000.0 as
10000000. So whole doubles of that size are written as integers, and all digits of one that is not
whole stand for the shortest.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import orjson

_NOT_AT_ONCE = re.compile(r"[0-9](?:[0-9.]{15}|[0-9]{7}\.|[eE][+-]?[0-9]+(?:[\],}\s]|$))")
"""Up to 15 significant digits survive a double; more are looked at one by one, and so is what may
be a whole double of ten millions or more."""
_IN_FULL = 1e7
"""From here on Debezium writes doubles without an exponent and without a point."""


def normal_json(text: str) -> str:
    """The one spelling of this JSON value."""
    try:
        if _NOT_AT_ONCE.search(text) is None:
            return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
        return _dump(json.loads(text, parse_float=_number))
    except (ValueError, TypeError, RecursionError):
        return text


class _Digits(str):
    """A number that no double holds, as it was written."""

    __slots__ = ()


def _number(text: str) -> float | _Digits:
    value = float(text)
    if _significant(repr(value)) != _significant(text) and Decimal(text) != Decimal(value):
        return _Digits(text)
    return int(value) if abs(value) >= _IN_FULL and value.is_integer() else value


def _significant(text: str) -> tuple[str, int]:
    """Digits without zeros at either end, and the power of ten of the last."""
    mantissa, _, exponent = text.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    shortest = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction) + len(digits) - len(shortest)
    return shortest, power if shortest else 0


def _dump(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        pairs = (f"{_dump(name)}:{_dump(value[name])}" for name in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dump, value)) + "]"
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, float):
        return orjson.dumps(value).decode()  # spells some numbers in another way than json
    return json.dumps(value, ensure_ascii=False)
