"""PostgreSQL's texts as values, and keys as PostgreSQL's texts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.reselect.postgres_keys import can_be_key, key_text
from worker.reselect.postgres_values import array_reader, scalar_reader


def value(kind: str, text: str) -> Any:
    read = scalar_reader(kind)
    assert read is not None
    return read(text)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", " as it is ", " as it is "),
        ("jsonb", '{"b": 1, "a": 1.50}', '{"a":1.5,"b":1}'),
        ("hstore", '{"b": null, "a": "1"}', '{"a":"1","b":null}'),
        ("bytea", "\\x00ff", b"\x00\xff"),
        ("numeric", "-12345678901234567890.10", Decimal("-12345678901234567890.10")),
        ("time", "24:00:00", timedelta(days=1)),
        ("time", "13:14:15.5", time(13, 14, 15, 500000)),
        ("date", "infinity", "infinity"),
        (
            "timestamptz",
            "2024-02-29 13:14:15.5+05:30",
            datetime(2024, 2, 29, 7, 44, 15, 500000, UTC),
        ),
        ("float4", "0.1", 0.1),
    ],
)
def test_a_text_becomes_the_decoded_value(kind: str, text: str, expected: object) -> None:
    assert repr(value(kind, text)) == repr(expected)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("numeric", "NaN"),
        ("numeric", "-Infinity"),
        ("date", "0044-03-15 BC"),
        ("date", "12345-01-31"),
        ("timestamp", "12345-01-31 00:00:00"),
    ],
)
def test_what_debezium_sends_in_another_way_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every message will do
        value(kind, text)


@pytest.mark.parametrize("kind", ["money", "interval", "timetz", "point", "vector", "bit", "mine"])
def test_types_that_were_not_compared_have_no_reader(kind: str) -> None:
    assert scalar_reader(kind) is None
    assert array_reader(kind) is None
    assert not can_be_key(kind)


def test_an_array_is_read_by_element() -> None:
    read = array_reader("numeric")
    assert read is not None
    assert read(["1.50", None]) == [Decimal("1.50"), None]


def test_an_array_of_arrays_is_refused() -> None:
    read = array_reader("text")
    assert read is not None
    with pytest.raises(TypeError):
        read([["a"], ["b"]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("kind", "decoded"),
    [
        ("int4", st.integers()),
        ("numeric", st.decimals(allow_nan=False, allow_infinity=False)),
        ("float8", st.floats(allow_nan=False)),
        ("text", st.text()),
        ("bytea", st.binary()),
        ("bool", st.booleans()),
        ("date", st.dates()),
        ("timestamp", st.datetimes()),
        ("timestamptz", st.datetimes(timezones=st.just(UTC))),
        ("time", st.times() | st.just(timedelta(days=1))),
    ],
)
def test_a_keys_text_says_the_same_value(kind: str, decoded: st.SearchStrategy[Any]) -> None:
    @given(decoded)
    def check(key: Any) -> None:
        text = key_text(kind, key)
        assert text is not None
        assert value(kind, text.lower() if kind == "bool" else text) == key

    check()


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("int4", "1"),
        ("int4", None),
        ("text", 1),
        ("uuid", b"0"),
        ("date", 19782),
        ("date", "-0043-03-15"),
        ("timestamptz", "+12345-01-31T10:00:00Z"),
        ("time", timedelta(hours=25)),
        ("bytea", "3q2+7w=="),
        ("bool", 1),
        ("numeric", "AQ=="),
        ("date", ("a", "tuple")),
    ],
)
def test_a_key_of_another_form_finds_nothing(kind: str, key: Any) -> None:
    assert key_text(kind, key) is None


def test_an_infinite_date_is_a_key() -> None:
    assert key_text("date", "-infinity") == "-infinity"
    assert key_text("date", date(2024, 2, 29)) == "2024-02-29"
