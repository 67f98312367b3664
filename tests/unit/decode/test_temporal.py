"""Dates and times within and beyond what Python can hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.decode import temporal

NAIVE = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 - no zone is meant
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - no zone is meant
ANY_MICROS = st.integers(-(2**63), 2**63 - 1)


@given(NAIVE)
def test_every_timestamp_that_python_has_survives(moment: datetime) -> None:
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    assert temporal.timestamp()(micros) == moment
    assert temporal.timestamp(units_per_us=1000)(micros * 1000 + 999) == moment
    assert temporal.instant(1)(micros) == moment.replace(tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_zoned_text_survives_in_utc(moment: datetime) -> None:
    text = moment.isoformat().replace("+00:00", "Z")
    assert temporal.zoned_timestamp(text) == moment


@given(ANY_MICROS)
def test_no_count_of_micros_is_an_error(micros: int) -> None:
    assert isinstance(temporal.timestamp()(micros), datetime | str)
    assert isinstance(temporal.time_of_day()(micros), time | timedelta)
    assert isinstance(temporal.duration()(micros), timedelta)


@given(st.integers(-(2**31), 2**31 - 1))
def test_no_count_of_days_is_an_error(days: int) -> None:
    assert isinstance(temporal.day(days), date | str)


@given(st.dates())
def test_every_date_survives(day: date) -> None:
    assert temporal.day((day - date(1970, 1, 1)).days) == day


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (2_932_897, "+10000-01-01"),
        (2_145_042_905, "+5874897-12-31"),  # PostgreSQL's last day
        (-719_163, "0000-12-31"),  # 1 BC
        (-2_440_588, "-4713-11-24"),  # PostgreSQL's first day, 4714-11-24 BC
        (-622_191_234, "infinity"),
        (622_191_233, "-infinity"),
        (-2_147_472_692, "infinity"),
        (-2_147_472_691, "-infinity"),
        (2_146_033_979, "infinity"),
    ],
)
def test_days_beyond_python_are_iso_text(days: int, text: str) -> None:
    assert temporal.day(days) == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (9_223_372_036_825_200_000, "infinity"),
        (-9_223_372_036_832_400_000, "-infinity"),
        (253_402_300_800_000_000, "+10000-01-01T00:00:00"),
        (-62_135_596_800_000_001, "0000-12-31T23:59:59.999999"),
    ],
)
def test_moments_beyond_python_are_iso_text(micros: int, text: str) -> None:
    assert temporal.timestamp()(micros) == text
    assert temporal.instant(1)(micros) == text


def test_zoned_text_without_a_python_value_stays_text() -> None:
    for text in ("infinity", "-infinity", "+12345-01-01T00:00:00Z", "-0043-03-15T00:00:00Z"):
        assert temporal.zoned_timestamp(text) == text
    assert temporal.zoned_time("24:00:00Z") == "24:00:00Z"
    assert temporal.iso_time("24:00:00Z") == "24:00:00Z"


def test_fractions_below_a_microsecond_are_cut() -> None:
    expected = datetime(2020, 1, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert temporal.zoned_timestamp("2020-01-01T10:00:00.123456789Z") == expected


@pytest.mark.parametrize(
    ("micros", "expected"),
    [
        (0, time(0)),
        (86_399_999_999, time(23, 59, 59, 999999)),
        (86_400_000_000, timedelta(days=1)),
        (-1, timedelta(microseconds=-1)),
        (3_020_399_000_000, timedelta(hours=838, minutes=59, seconds=59)),
    ],
)
def test_what_is_no_time_of_a_day_is_a_length(micros: int, expected: time | timedelta) -> None:
    assert temporal.time_of_day()(micros) == expected


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("P1Y2M3DT4H5M6.780S", "P1Y2M3DT4H5M6.78S"),
        ("P0Y0M0DT0H0M0S", "PT0S"),
        ("P0Y0M10DT0H0M0.0S", "P10D"),
        ("P0Y1M0DT0H1M0S", "P1MT1M"),
        ("P-1Y0M0DT-2H0M0S", "P-1YT-2H"),
        ("__debezium_unavailable_value", "__debezium_unavailable_value"),
    ],
)
def test_intervals_lose_their_empty_parts(text: str, normal: str) -> None:
    assert temporal.interval(text) == normal


def test_iso_strings_of_columns_without_a_zone_are_naive() -> None:
    assert temporal.iso_date("2017-09-15Z") == date(2017, 9, 15)
    assert temporal.iso_time("10:11:12.5Z") == time(10, 11, 12, 500000)
    assert temporal.iso_timestamp("2017-09-15T10:11:12Z") == datetime(2017, 9, 15, 10, 11, 12)  # noqa: DTZ001 - no zone is meant
    for convert in (temporal.iso_date, temporal.iso_time, temporal.iso_timestamp):
        assert convert("infinity") == "infinity"
