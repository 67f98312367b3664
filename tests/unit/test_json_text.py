"""One spelling for equal JSON."""

from __future__ import annotations

import json
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
        ("[1e16, 0.00006103515625, 6.103515625e-05]", "[1e+16,0.00006103515625,0.00006103515625]"),
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


def test_very_deep_json_is_no_error() -> None:
    for depth in (300, 2000, 100_000):
        text = "[" * depth + "]" * depth
        assert normal_json(text) == text


def test_a_lone_surrogate_is_kept_as_an_escape_or_as_it_was() -> None:
    assert json.loads(normal_json('"\\ud800"')) == "\ud800"
