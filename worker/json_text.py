r"""JSON columns in one normal form, as snapshot and stream write them differently.

MySQL's snapshot says ``{"c": "red"}`` and its binlog ``{"c":"red"}``. The form is compact, with
sorted keys and with text as it is (no ``\u`` escapes). Numbers are the shortest digits of the
same value; one that a double cannot hold keeps its own digits. What is no JSON stays as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_MAY_LOSE_DIGITS = re.compile(r"[0-9][0-9.]{15}|[eE][+-]?[0-9]{3}")
"""Up to 15 significant digits survive a double; more are looked at one by one."""


def normal_json(text: str) -> str:
    """The one spelling of this JSON value."""
    try:
        if _MAY_LOSE_DIGITS.search(text) is None:
            return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
        return _dump(json.loads(text, parse_float=_number))
    except (ValueError, TypeError, RecursionError):
        return text


class _Digits(str):
    """A number that no double holds, as it was written."""

    __slots__ = ()


def _number(text: str) -> float | _Digits:
    value = float(text)
    return value if _significant(repr(value)) == _significant(text) else _Digits(text)


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
