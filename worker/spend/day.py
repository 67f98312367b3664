"""The day of a budget, which is UTC's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

Now: TypeAlias = Callable[[], datetime]
"""The time of day, with its zone."""

_ONE = timedelta(days=1)


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def day_of(moment: datetime) -> date:
    """The day of a moment."""
    return moment.astimezone(UTC).date()


def turn_after(moment: datetime) -> datetime:
    """When the next day begins."""
    return datetime.combine(day_of(moment) + _ONE, time(), UTC)


def is_over(day: date, today: date) -> bool:
    """Whether nobody books on a day any more.

    Yesterday is not over, as clocks differ and a call may be settled after midnight.
    """
    return day < today - _ONE
