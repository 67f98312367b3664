"""What tables look like: their keys, and odd values of every database with what they should become.

Written down by hand from docs/documents.md, so that nothing of the worker decides what is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Key: TypeAlias = tuple[int | str, ...]

_SKUS: Mapping[str, str] = {
    "a_b": "a%5Fb",
    "a": "a",
    "b_c": "b%5Fc",
    "x#1": "x%231",
    "100%": "100%25",
    "two words": "two%20words",
    "Größe": "Gr%C3%B6%C3%9Fe",
    "🌂": "%F0%9F%8C%82",
}
"""With their spelling in ids."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key of a table: its columns, and all that rows may have."""

    columns: Mapping[str, str]
    """With their types."""
    values: Sequence[Key]
    spare: Key
    """For swaps."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(self.columns)


NUMBERS = Keys({"id": "int"}, [(number,) for number in range(1, 41)], (9_999,))
"""Few, so that keys come back."""
PAIRS = Keys(
    {"shop": "int", "sku": "varchar(40)"},
    [(shop, sku) for shop in range(1, 6) for sku in _SKUS],
    (9_999, "a"),
)


def point_id(key: Key) -> str:
    """The id of a row, without the number of a chunk."""
    return "_".join(_SKUS[part] if isinstance(part, str) else str(part) for part in key)


@dataclass(frozen=True, slots=True)
class Oddity:
    """Values of the odd columns, and the metadata that they should become."""

    values: tuple[object, ...]
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Odd:
    """The odd columns of a database; their names are the same everywhere."""

    types: Mapping[str, str]
    choices: Sequence[Oddity]


ODD_NAMES = (
    "odd_float",
    "odd_time",
    "odd_day",
    "odd_json",
    "odd_list",
    "odd_number",
    "odd_text",
    "odd_bytes",
)
_JSON = '{"b": 1, "a": [1.50, null, "x"], "c": {"z": 0, "y": true}}'
_JSON_NORMAL = '{"a":[1.5,null,"x"],"b":1,"c":{"y":true,"z":0}}'
_FAMILY = "tab\tquote\" 'apostrophe' 👩‍👩‍👧‍👦 e\u0301 \u2028 \u202eright to left\\ %s {{ name }}"


def _odd(types: Sequence[str], *choices: tuple[tuple[object, ...], Mapping[str, object]]) -> Odd:
    nothing = Oddity((None,) * len(ODD_NAMES), {})
    made = [
        Oddity(values, {f"odd_{name}": value for name, value in metadata.items()})
        for values, metadata in choices
    ]
    return Odd(dict(zip(ODD_NAMES, types, strict=True)), [nothing, *made])


POSTGRES = _odd(
    (
        "double precision",
        "timestamptz",
        "date",
        "jsonb",
        "text[]",
        "numeric",
        "text",
        "bytea",
    ),
    (
        (
            "0.1",
            "2024-02-29 13:14:15.123456+02",
            "2024-02-29",
            _JSON,
            '{hiking,"two words",NULL}',
            "3.14159265358979323846",
            "  as it is ",
            b"\x00\xff",
        ),
        {
            "float": 0.1,
            "time": "2024-02-29T11:14:15.123456Z",
            "day": "2024-02-29",
            "json": _JSON_NORMAL,
            "list": ["hiking", "two words"],
            "number": "3.14159265358979323846",
            "text": "  as it is ",
        },
    ),
    (
        ("NaN", "infinity", "-infinity", '"text"', "{}", "12345678901234567890", "", b""),
        {
            "time": "infinity",
            "day": "-infinity",
            "json": '"text"',
            "number": "12345678901234567890",
            "text": "",
        },
    ),
    (
        ("-Infinity", "-infinity", "infinity", "[]", '{"a, b","雨 🌂"}', "-0.00001", _FAMILY, b"a"),
        {
            "time": "-infinity",
            "day": "infinity",
            "json": "[]",
            "list": ["a, b", "雨 🌂"],
            "number": -0.00001,
            "text": _FAMILY,
        },
    ),
    (
        (
            "1e300",
            "9999-12-31 23:59:59.999999+00",
            "5874897-12-31",
            "{}",
            "{NULL}",
            "1e20",
            "a\r\nb",
            None,
        ),
        {
            "float": 1e300,
            "time": "9999-12-31T23:59:59.999999Z",
            "day": "+5874897-12-31",
            "json": "{}",
            "number": "100000000000000000000",
            "text": "a\r\nb",
        },
    ),
    (
        ("-0.0", "0001-01-01 00:00:00+00", "0001-01-01", "1e2", "{x}", "0.00", "\ufeffx", None),
        {
            "float": 0.0,
            "time": "0001-01-01T00:00:00Z",
            "day": "0001-01-01",
            "json": "100",
            "list": ["x"],
            "number": 0.0,
            "text": "\ufeffx",
        },
    ),
)

MYSQL = _odd(
    (
        "double",
        "datetime(6)",
        "date",
        "json",
        "set('red','green','blue')",
        "decimal(30,10)",
        "varchar(200)",
        "varbinary(20)",
    ),
    (
        (
            0.1,
            "2024-02-29 13:14:15.123456",
            "2024-02-29",
            _JSON,
            "red,blue",
            "3.1415926535",
            "  as it is ",
            b"\x00\xff",
        ),
        {
            "float": 0.1,
            "time": "2024-02-29T13:14:15.123456",
            "day": "2024-02-29",
            "json": _JSON_NORMAL,
            "list": ["red", "blue"],
            "number": 3.1415926535,
            "text": "  as it is ",
        },
    ),
    (
        (
            -1e300,
            "1000-01-01 00:00:00",
            "9999-12-31",
            '"text"',
            "",
            "12345678901234567890.0000000001",
            "",
            b"",
        ),
        {
            "float": -1e300,
            "time": "1000-01-01T00:00:00",
            "day": "9999-12-31",
            "json": '"text"',
            "number": "12345678901234567890.0000000001",
            "text": "",
        },
    ),
    (
        (0.0, "9999-12-31 23:59:59.999999", "1000-01-01", "[]", "green", "-0.0001", _FAMILY, b"a"),
        {
            "float": 0.0,
            "time": "9999-12-31T23:59:59.999999",
            "day": "1000-01-01",
            "json": "[]",
            "list": ["green"],
            "number": -0.0001,
            "text": _FAMILY,
        },
    ),
)
