"""How one connector stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from worker.overview.port import Group

SPARE_SHARE = 0.1
"""Of a budget. With less of it left and rows that wait, calls probably do not fit any more."""


@immutable
class TopicLag:
    """A topic before the group."""

    topic: str
    partitions: int
    held: int
    """Partitions that a member of the group has."""
    behind: int
    """Offsets not committed yet: rows, and whatever else takes an offset."""


@immutable
class Letters:
    """The dead-letter topic."""

    topic: str
    records: int
    """That it holds now; several connectors may share it."""
    open: int = 0
    """Letters of the connector that are neither replayed nor superseded nor discarded."""
    last_kind: str | None = None
    """Of its newest one; None if nobody can tell."""
    last_at: datetime | None = None


@immutable
class Spend:
    """Texts, calls, tokens and dollars."""

    texts: int = 0
    calls: int = 0
    """By table: with texts of it, so that a call may count for several."""
    tokens: int = 0
    usd: float | None = None
    """None where no price was known."""

    def __add__(self, other: Spend) -> Spend:
        known = [one.usd for one in (self, other) if one.usd is not None]
        return Spend(
            self.texts + other.texts,
            self.calls + other.calls,
            self.tokens + other.tokens,
            sum(known) if known else None,
        )


@immutable
class DaySpend:
    """What all pods wrote down of a UTC day."""

    day: date
    whole: Spend
    tables: Mapping[str, Spend]


@immutable
class BudgetUse:
    """The day's budget, counted call by call."""

    used: str
    """In words, with the limits."""
    share: float
    """Spent or reserved, of the limit that is reached first; 1 is all of it."""


@immutable
class Standing:
    """A connector, at one moment."""

    connector: str
    group: Group
    lags: tuple[TopicLag, ...]
    letters: Letters | None
    """None where bad records fail the task."""
    days: tuple[DaySpend, ...]
    """Today first; all of the last week, days without calls too."""
    keeps_spend: bool
    """Whether the state topic exists; without it nobody knows what was spent."""
    budget: BudgetUse | None
    read: int = 0
    """Next offsets of the group, of all partitions together: they grow as rows are finished."""

    @property
    def behind(self) -> int:
        """Of all topics."""
        return sum(lag.behind for lag in self.lags)

    @property
    def today(self) -> DaySpend:
        """In UTC."""
        return self.days[0]

    @property
    def week(self) -> Mapping[str, Spend]:
        """Of the last seven days, by table."""
        found: dict[str, Spend] = {}
        for day in self.days:
            for table, spend in day.tables.items():
                found[table] = found.get(table, Spend()) + spend
        return found

    @property
    def week_whole(self) -> Spend:
        """Of the last seven days."""
        return sum((day.whole for day in self.days), start=Spend())

    @property
    def is_probably_paused(self) -> bool:
        """Whether rows wait while next to nothing of the budget is left.

        What the next text may cost is known to the workers alone.
        """
        budget = self.budget
        return budget is not None and self.behind > 0 and budget.share > 1 - SPARE_SHARE
