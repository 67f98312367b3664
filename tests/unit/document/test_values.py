"""The text of a decoded column."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.document.values import text_of

CET = timezone(timedelta(hours=1))


class Size(StrEnum):
    LARGE = "large"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (2.0, "2"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (math.nan, ""),
        (-math.inf, ""),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("NaN"), ""),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 10, 0), "2026-11-23T10:00:00"),  # noqa: DTZ001 - no zone is the case
        (datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "2026-11-23T10:00:00Z"),
        (datetime(2026, 11, 23, 10, 0, 0, 500, tzinfo=CET), "2026-11-23T09:00:00.000500Z"),
        (time(10, 30), "10:30:00"),
        (time(10, 30, tzinfo=UTC), "10:30:00Z"),
        (timedelta(hours=26, seconds=5), "26:00:05"),
        (timedelta(seconds=-1, microseconds=-5), "-00:00:01.000005"),
        (b"\x00\x01", ""),
        ([], ""),
        (["a", None, "b", ""], "a, b"),
        ([1, 2.5, Decimal("1.10"), True], "1, 2.5, 1.10, true"),
        ({}, ""),
        ({"b": 1, "a": "ü"}, '{"a":"ü","b":1}'),
        ({"x": Decimal("1.10"), "n": None, "f": math.nan, "w": b"1"}, '{"x":"1.10"}'),
        ([{"a": [1, None]}, {"b": True}], '{"a":[1]}, {"b":true}'),
        ("  two\r\nlines\r ", "two\nlines"),
        ("nul\x00byte", "nulbyte"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("split \ud83d\ude00 pair", "split 😀 pair"),
        (Size.LARGE, "large"),
    ],
)
def test_a_value_reads_as_a_person_expects(value: Any, text: str) -> None:
    assert text_of(value) == text


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(min_value=-(10**20), max_value=10**20) | st.just(Decimal("NaN")),
    st.text(st.characters()),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC) | st.just(CET)),
    st.times(),
    st.timedeltas(),
)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=8)


@given(VALUES)
def test_every_value_gives_a_text_that_can_be_sent(value: Any) -> None:
    text = text_of(value)
    assert text.encode().decode() == text
    assert "\x00" not in text
    assert "\r" not in text
    assert text == text.strip() or isinstance(value, list | dict)


@given(st.dictionaries(st.text(), SCALARS))
def test_a_struct_does_not_depend_on_the_order_of_its_fields(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert text_of(value) == text_of(turned)
    if text_of(value):
        json.loads(text_of(value))


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_reads_the_same_in_every_zone(value: datetime) -> None:
    if date(2, 1, 1) < value.date() < date(9998, 1, 1):
        assert text_of(value.astimezone(CET)) == text_of(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_keeps_its_digits_and_has_no_exponent(value: Decimal) -> None:
    text = text_of(value)
    assert "E" not in text
    assert Decimal(text) == value
