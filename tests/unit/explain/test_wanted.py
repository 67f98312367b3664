"""Keys as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import ConfigError
from worker.explain.wanted import Wanted
from worker.model import Key

if TYPE_CHECKING:
    from worker.model import Value

TOPIC = "shop.public.products"


def key(**columns: Value) -> Key:
    return Key(TOPIC, tuple(columns.items()))


@pytest.mark.parametrize("given", ["42", " 42 ", "id=42", '{"id": 42}', '{"id": "42"}'])
def test_a_key_of_one_column_may_be_written_in_four_ways(given: str) -> None:
    wanted = Wanted.parse(given)
    assert wanted.is_key(key(id=42))
    assert wanted.is_key(key(id="42"))
    assert not wanted.is_key(key(id=421))
    assert not wanted.is_key(key(id=None))


@pytest.mark.parametrize("given", ["region=eu,id=7", "id=7, region=eu", '{"id":7,"region":"eu"}'])
def test_several_columns_may_stand_in_any_order(given: str) -> None:
    wanted = Wanted.parse(given)
    assert wanted.is_key(key(region="eu", id=7))
    assert not wanted.is_key(key(region="us", id=7))
    assert not wanted.is_key(key(region="eu"))


def test_a_negative_number_may_be_written_behind_its_column() -> None:
    assert Wanted.parse("id=-42").is_key(key(id=-42))


def test_a_plain_value_is_no_key_of_two_columns() -> None:
    assert not Wanted.parse("eu").is_key(key(region="eu", id="eu"))
    assert not Wanted.parse("eu").fits(key(region="eu", id="eu"))


def test_a_text_with_an_equals_sign_is_found_where_no_column_has_that_name() -> None:
    wanted = Wanted.parse("a=b")
    assert wanted.is_key(key(code="a=b"))
    assert not wanted.is_key(key(a="a=b"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("12.50"), "12.5"),
        (True, "true"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 12, tzinfo=UTC), "2024-05-01T12:00:00Z"),
        (datetime(2024, 5, 1, 12), "2024-05-01 12:00:00"),  # noqa: DTZ001 - as databases have them
        (b"\x01\xff", "01FF"),
        (1.5, "1.5"),
        ((1, 2), "[1,2]"),
        ("größe", "größe"),
    ],
)
def test_values_of_every_type_are_compared_as_they_are_written(value: Value, text: str) -> None:
    assert Wanted(text, None).is_key(key(id=value))
    assert not Wanted(text + "0", None).is_key(key(id=None))


def test_null_is_written_in_json() -> None:
    assert Wanted.parse('{"a": null, "b": 1}').is_key(key(a=None, b=1))
    assert not Wanted.parse('{"a": null, "b": 1}').is_key(key(a="null", b=1))


@given(st.text(min_size=1).filter(lambda text: "," not in text and text == text.strip()))
def test_every_text_finds_itself_by_name(text: str) -> None:
    wanted = Wanted.parse(f"code={text}")
    assert wanted.is_key(key(code=text))
    assert not wanted.is_key(key(code=text + "x"))


@given(st.integers())
def test_every_number_finds_itself_and_nothing_else(number: int) -> None:
    wanted = Wanted.parse(f'{{"id": {number}}}')
    assert wanted.is_key(key(id=number))
    assert not wanted.is_key(key(id=number + 1))


@pytest.mark.parametrize("given", ["", "  ", "{", '{"id"', "{}"])
def test_what_is_no_key_is_a_mistake_that_shows_the_forms(given: str) -> None:
    with pytest.raises(ConfigError, match="region=eu,id=7"):
        Wanted.parse(given)


def test_a_key_that_does_not_fit_is_told_the_columns() -> None:
    said = str(Wanted.parse("42").misfit(key(region="eu", id=7)))
    assert "the columns region, id: write region=…,id=…" in said


def test_a_key_without_record_takes_its_columns_order_from_another() -> None:
    made = Wanted.parse("id=7,region=eu").as_key(TOPIC, key(region="us", id=1))
    assert made == key(region="eu", id="7")
