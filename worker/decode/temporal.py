"""Debezium's dates, times and durations as Python's.

Types without a zone give naive values, types with one give aware values in UTC. What PostgreSQL can
hold and Python cannot becomes text: ``infinity``, ``-infinity``, or ISO 8601 with a signed year
(``+12345-01-31T10:00:00``, ``-0043-03-15`` for 44 BC), the form in which Debezium itself
writes such values of zoned types. Fractions below a microsecond are cut.
Source: Debezium's documentation, "Temporal types" of the PostgreSQL and MySQL connectors.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Instant: TypeAlias = "datetime | str"

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the naive epoch, for columns without a zone
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_US = 86_400_000_000

_INFINITY_US = 9_223_372_036_825_200_000
"""pgjdbc's PGStatement.DATE_POSITIVE_INFINITY in µs, and its counterpart."""
_MINUS_INFINITY_US = -9_223_372_036_832_400_000
_OVERFLOWN = (
    ("infinity", -622_191_234),
    ("-infinity", 622_191_233),
    ("-infinity", -625_821_272),
)
"""PostgreSQL's infinite dates in snapshots: the days overflow 32 bits. Seen with Debezium 3.6."""
_ZONE_SLACK = 2
"""Days by which the zone of the connector's machine and rounding may move them."""
_INFINITE_DATES = {
    "-5877611-06-21": "infinity",  # PostgresValueConverter.POSITIVE_INFINITY_LOCAL_DATE of 3.6
    "+5877611-06-21": "infinity",  # the same later (debezium/dbz#2524)
    "-5877611-06-22": "-infinity",
}
"""And in the stream. No finite date of PostgreSQL is so far away."""


def timestamp(units_per_us: int = 1, us_per_unit: int = 1) -> Callable[[int], Instant]:
    """Converts a count since the epoch; one unit is ``us_per_unit / units_per_us`` µs."""

    def convert(count: int) -> Instant:
        micros = count * us_per_unit // units_per_us
        try:
            return _EPOCH + timedelta(microseconds=micros)
        except OverflowError:
            return _far_timestamp(micros)

    return convert


def instant(us_per_unit: int) -> Callable[[int], Instant]:
    """The same for a moment in UTC (Avro's own timestamps)."""

    def convert(count: int) -> Instant:
        micros = count * us_per_unit
        try:
            return _EPOCH_UTC + timedelta(microseconds=micros)
        except OverflowError:
            return _far_timestamp(micros)

    return convert


def time_of_day(units_per_us: int = 1, us_per_unit: int = 1) -> Callable[[int], time | timedelta]:
    """Converts a count since midnight; a timedelta where it is no time of a day.

    MySQL's TIME goes from -838:59:59 to 838:59:59, PostgreSQL's to 24:00:00.
    """

    def convert(count: int) -> time | timedelta:
        micros = count * us_per_unit // units_per_us
        span = timedelta(microseconds=micros)
        return (_EPOCH + span).time() if 0 <= micros < _DAY_US else span

    return convert


def duration(units_per_us: int = 1) -> Callable[[int], timedelta]:
    """Converts a length of time."""
    return lambda count: timedelta(microseconds=count // units_per_us)


def day(days: int) -> date | str:
    """Days since 1970-01-01."""
    try:
        return date.fromordinal(days + _EPOCH_DAY)
    except (ValueError, OverflowError):
        return _far_day(days)


_END_OF_DAY = "24"


def zoned_timestamp(text: str) -> Instant:
    """ISO 8601 with an offset, in UTC; ``infinity`` and years beyond 9999 stay text."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return text


def zoned_time(text: str) -> time | str:
    """ISO 8601 time with an offset."""
    return _time(text, text)


def iso_date(text: str) -> date | str:
    """``2020-01-31Z``: a date to which ``isostring`` mode appends a zone that it does not have."""
    try:
        return date.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return text


def iso_time(text: str) -> time | str:
    """``10:00:00Z`` of a column without a zone."""
    return _time(text, text.removesuffix("Z"))


def _time(text: str, iso: str) -> time | str:
    """The end of the day stays text; Python takes it for the beginning from 3.14 on."""
    if iso.startswith(_END_OF_DAY):
        return text
    try:
        return time.fromisoformat(iso)
    except ValueError:
        return text


def iso_timestamp(text: str) -> Instant:
    """``2020-01-31T10:00:00Z`` of a column without a zone."""
    try:
        return datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return text


_INTERVAL_PART = re.compile(r"(-?[0-9.]+)([YMWDHS])|(T)")


def interval(text: str) -> str:
    """An ISO 8601 duration without its empty parts: ``P1Y0M3DT0H5M0.0S`` → ``P1Y3DT5M``."""
    days, clock = "", ""
    into_clock = False
    for number, unit, marker in _INTERVAL_PART.findall(text):
        if marker:
            into_clock = True
        elif float(number):
            part = (number.rstrip("0").rstrip(".") if "." in number else number) + unit
            days, clock = (days, clock + part) if into_clock else (days + part, clock)
    if not text.startswith("P"):
        return text
    return f"P{days}" + (f"T{clock}" if clock else "") if days or clock else "PT0S"


def _far_timestamp(micros: int) -> str:
    if micros >= _INFINITY_US:
        return "infinity"
    if micros <= _MINUS_INFINITY_US:
        return "-infinity"
    days, rest = divmod(micros, _DAY_US)
    clock = (_EPOCH + timedelta(microseconds=rest)).time()
    return f"{_iso_day(days)}T{clock.isoformat()}"


def _far_day(days: int) -> str:
    for name, overflown in _OVERFLOWN:
        if abs(days - overflown) <= _ZONE_SLACK:
            return name
    text = _iso_day(days)
    return _INFINITE_DATES.get(text, text)


def _iso_day(days: int) -> str:
    """The proleptic Gregorian calendar repeats every 400 years, so Python's own can count it."""
    cycles, rest = divmod(days + _EPOCH_DAY - 1, 146_097)
    inside = date.fromordinal(rest + 1)
    year = inside.year + 400 * cycles
    sign = "-" if year < 0 else "+" if year > 9999 else ""  # noqa: PLR2004 - ISO's four digits
    return f"{sign}{abs(year):04d}-{inside:%m-%d}"
