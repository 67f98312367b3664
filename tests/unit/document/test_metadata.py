"""metadata.fields, the values of metadata, and their size."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.document.fitting import fitted
from worker.document.metadata import metadata_of, metadata_value
from worker.document.metadata_fields import MetadataField, parse_metadata
from worker.errors import ConfigError
from worker.model import MetadataValue, Origin


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (42, 42),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**63), "-9223372036854775808"),
        (2.5, 2.5),
        (math.nan, None),
        (math.inf, None),
        (Decimal("12.50"), 12.5),
        (Decimal(7), 7),
        (Decimal(2**60), str(2**60)),
        (Decimal("1234567890.1234567890"), "1234567890.1234567890"),
        (Decimal("NaN"), None),
        ("  as it is \r\n", "  as it is \r\n"),
        ("", ""),
        ("a\x00b\ud800", "ab\ufffd"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "2026-11-23T10:00:00Z"),
        (b"bytes", None),
        (["a", None, "b "], ["a", "b "]),
        ([1, 2.0], ["1", "2"]),
        ([], None),
        ([None], None),
        ({"b": 1}, '{"b":1}'),
        ({}, None),
    ],
)
def test_a_value_becomes_what_one_can_filter_by(value: Any, kept: Any) -> None:
    found = metadata_value(value)
    assert found == kept
    assert type(found) is type(kept)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_decimal_is_a_number_only_if_no_digit_is_lost(value: Decimal) -> None:
    kept = metadata_value(value)
    assert Decimal(kept if isinstance(kept, str) else repr(kept)) == value


def test_an_integer_of_any_length_is_text() -> None:
    longest = "9" * 131_072
    assert metadata_value(Decimal(longest)) == longest
    assert metadata_value(Decimal(-(2**53) - 1)) == "-9007199254740993"


def test_fields_are_columns_with_an_optional_name() -> None:
    assert parse_metadata(r"brand, price as cost , Unit\ Price AS unit_price") == (
        MetadataField("brand", "brand"),
        MetadataField("price", "cost"),
        MetadataField("Unit Price", "unit_price"),
    )
    assert parse_metadata(" ") == ()


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("a, b as a", r"item 2 \('b as a'\): the name 'a' is already that of 'a'"),
        ("updated_at", "write 'updated_at as row_updated_at'"),
        ("t as source_table", "always in the metadata"),
        ("a as _fp", "begins with _ or"),
        ("$and", "begins with _ or"),
        ("a as b as c", "'as' twice"),
        ("brand name", "a space in a name"),
        ("a,,b", "item 2: is empty"),
    ],
)
def test_a_mistake_in_metadata_fields_is_named_with_its_place(written: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"metadata.fields.*{complaint}"):
        parse_metadata(written)


def test_the_name_text_is_taken_if_the_text_is_kept() -> None:
    assert parse_metadata("text", keeps_text=False) == (MetadataField("text", "text"),)
    assert parse_metadata("text as t", keeps_text=True) == (MetadataField("text", "t"),)
    with pytest.raises(ConfigError, match=r"'text' is already that of 'metadata\.text'"):
        parse_metadata("a, body as text", keeps_text=True)


def test_table_and_commit_time_are_always_there() -> None:
    origin = Origin("postgresql", "shop", "public", "products", 1_700_000_000_123)
    assert metadata_of({"a": None, "b": 1}, parse_metadata("a, b as c"), "products", origin) == {
        "source_table": "products",
        "updated_at": 1_700_000_000_123,
        "c": 1,
    }


def test_the_largest_fields_go_until_the_rest_fits() -> None:
    metadata: dict[str, MetadataValue] = {
        "source_table": "t" * 50,
        "updated_at": 1,
        "big": "x" * 900,
        "mid": "y" * 80,
        "n": 1,
    }
    fit = fitted(metadata, 300)
    assert fit.dropped == ("big",)
    assert fit.metadata == {key: value for key, value in metadata.items() if key != "big"}
    assert fitted(metadata, 100).dropped == ("big", "mid")


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=60) | st.integers(0, 9)),
    st.integers(60, 300),
)
def test_fitted_metadata_fits_and_drops_nothing_in_vain(extra: dict[str, Any], limit: int) -> None:
    metadata = {"source_table": "t", "updated_at": 1, **extra}
    whole = {**metadata, "source_table": "t", "updated_at": 1}
    fit = fitted(whole, limit)
    assert len(orjson.dumps(fit.metadata)) <= limit
    assert set(fit.metadata) | set(fit.dropped) == set(whole)
    if fit.dropped:
        last = fit.dropped[-1]
        assert len(orjson.dumps({**fit.metadata, last: whole[last]})) > limit
