"""One spelling for equal JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.json_text import normal_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_white_space_and_order_of_keys_make_no_difference(value: Any) -> None:
    spellings = [
        json.dumps(value),
        json.dumps(value, indent=2, ensure_ascii=False),
        json.dumps(value, separators=(",", ":"), sort_keys=True),
    ]
    assert len({normal_json(text) for text in spellings}) == 1


@given(VALUES)
def test_the_normal_form_means_the_same_and_is_its_own(value: Any) -> None:
    normal = normal_json(json.dumps(value))
    assert json.loads(normal) == value
    assert normal_json(normal) == normal


@given(st.integers())
def test_integers_of_any_size_keep_every_digit(number: int) -> None:
    assert normal_json(f'{{"n": {number}}}') == f'{{"n":{number}}}'


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ('{"c": "red"}', '{"c":"red"}'),
        ('{"b": 1, "a": [1.50, null]}', '{"a":[1.5,null],"b":1}'),
        ("3.141592653589793238462643", "3.141592653589793238462643"),
        ("0.10000000000000000", "0.1"),
        ("[12345678901234567890123, 1]", "[12345678901234567890123,1]"),
        ("1e400", "1e400"),
        (
            "[1e16, 0.00006103515625, 6.103515625e-05]",
            "[10000000000000000,0.00006103515625,0.00006103515625]",
        ),
        ('{"a":1,"a":2}', '{"a":2}'),
        ('"ünï \\u96e8"', '"ünï 雨"'),
        ("null", "null"),
        ("not json", "not json"),
        ("", ""),
        ("{", "{"),
    ],
)
def test_examples(text: str, normal: str) -> None:
    assert normal_json(text) == normal


def _in_the_binlog(number: float) -> str:
    """As Debezium writes a double of it: ``BigDecimal`` wherever ``Double.toString`` has an E."""
    has_exponent = number != 0 and not 1e-3 <= abs(number) < 1e7
    return format(Decimal(number), "f") if has_exponent else repr(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_of_mysqls_binlog_is_spelled_as_that_of_the_snapshot(number: float) -> None:
    assert normal_json(f'{{"n":{_in_the_binlog(number)}}}') == normal_json(f'{{"n": {number}}}')


@pytest.mark.parametrize(
    ("snapshot", "binlog", "normal"),
    [
        ("1e15", "1000000000000000", "1000000000000000"),
        ("-1.5e20", "-150000000000000000000", "-150000000000000000000"),
        ("10000000.0", "10000000", "10000000"),
        ("9999999.0", "9999999.0", "9999999.0"),
        ("12345678.9", "12345678.90000000037252902984619140625", "12345678.9"),
        (
            "0.0000001",
            "0.0000000999999999999999954748111825886258685613938723690807819366455078125",
            "1e-7",
        ),
        ("1e23", "99999999999999991611392", "99999999999999991611392"),
    ],
)
def test_numbers_that_mysql_and_debezium_spell_differently(
    snapshot: str, binlog: str, normal: str
) -> None:
    assert normal_json(f'{{"n": {snapshot}}}') == f'{{"n":{normal}}}'
    assert normal_json(f"[{snapshot}]") == f"[{normal}]"
    assert normal_json(snapshot) == normal
    assert normal_json(f'{{"n":{binlog}}}') == f'{{"n":{normal}}}'


def test_very_deep_json_is_no_error() -> None:
    for depth in (300, 2000, 100_000):
        text = "[" * depth + "]" * depth
        assert normal_json(text) == text


def test_a_lone_surrogate_is_kept_as_an_escape_or_as_it_was() -> None:
    assert json.loads(normal_json('"\\ud800"')) == "\ud800"
