"""What ``vecsink status`` prints: three tables and remarks for people, one object for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from worker.overview.port import GroupState
from worker.overview.standing import Spend
from worker.spend.amount import dollars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.overview.standing import DaySpend, Standing

_COLOURS = {
    GroupState.RUNNING: "green",
    GroupState.REBALANCING: "yellow",
    GroupState.NOT_RUNNING: "red",
}


def as_objects(standings: Sequence[Standing]) -> dict[str, Any]:
    """The keys are stable; ``spend`` begins with today."""
    return {"connectors": [_as_object(one) for one in standings]}


def _as_object(one: Standing) -> dict[str, Any]:
    letters, budget = one.letters, one.budget
    return {
        "connector": one.connector,
        "state": one.group.state.value,
        "members": [
            {
                "client_id": member.client_id,
                "host": member.host,
                "partitions": [f"{place.topic}-{place.partition}" for place in member.partitions],
            }
            for member in one.group.members
        ],
        "behind": one.behind,
        "topics": [asdict(lag) for lag in one.lags],
        "dead_letters": None if letters is None else asdict(letters),
        "spend": [_day(day) for day in one.days] if one.keeps_spend else None,
        "budget": None
        if budget is None
        else {
            "used": budget.used,
            "share": round(budget.share, 4),
            "probably_paused": one.is_probably_paused,
        },
    }


def _day(day: DaySpend) -> dict[str, Any]:
    tables = {table: asdict(spend) for table, spend in day.tables.items()}
    return {"day": day.day.isoformat(), **asdict(day.whole), "tables": tables}


def report(standings: Sequence[Standing]) -> Group:
    """For people."""
    remarks = [Text(f"- {remark}") for remark in _remarks(standings)]
    return Group(_connectors(standings), *_members(standings), *_spend(standings), *remarks)


def _connectors(standings: Sequence[Standing]) -> Table:
    table = _table(
        "connector", "state", numbers=("tasks", "partitions", "rows behind", "open letters")
    )
    for one in standings:
        partitions = sum(lag.partitions for lag in one.lags)
        held = sum(lag.held for lag in one.lags)
        table.add_row(
            one.connector,
            Text(one.group.state.value, _COLOURS[one.group.state]),
            f"{len(one.group.members):,}",
            f"{held:,} of {partitions:,}",
            f"{one.behind:,}",
            "-" if one.letters is None else f"{one.letters.open:,}",
        )
    return table


def _members(standings: Sequence[Standing]) -> Iterator[Table]:
    """Who holds what, if anybody does."""
    table = _table("connector", "task's client", "host", numbers=("partitions",))
    for one in standings:
        for member in one.group.members:
            table.add_row(
                one.connector, member.client_id, member.host, f"{len(member.partitions):,}"
            )
    if table.row_count:
        yield table


def _spend(standings: Sequence[Standing]) -> Iterator[Table]:
    """By table, if anything was spent in the week."""
    table = _table("connector", "table", "", numbers=("texts", "calls", "tokens", "USD"))
    for one in standings:
        week = one.week
        for name, spend in sorted(week.items()):
            _add_spend(table, (one.connector, name), one.today.tables.get(name, Spend()), spend)
        if _has_whole(one):
            _add_spend(table, (one.connector, "all"), one.today.whole, one.week_whole)
    if table.row_count:
        yield table


def _add_spend(table: Table, names: tuple[str, str], today: Spend, week: Spend) -> None:
    table.add_row(*names, "today", *_numbers(today))
    table.add_row("", "", "7 days", *_numbers(week), end_section=True)


def _numbers(spend: Spend) -> tuple[str, str, str, str]:
    usd = "-" if spend.usd is None else dollars(spend.usd)
    return (f"{spend.texts:,}", f"{spend.calls:,}", f"{spend.tokens:,}", usd)


def _remarks(standings: Sequence[Standing]) -> Iterator[str]:
    for one in standings:
        yield from _of_one(one)
    if any(one.week for one in standings):
        yield "Spending by UTC day, as the workers write it down once a minute and at their end."
    if any(_has_whole(one) for one in standings):
        yield "Calls hold texts of several tables, and a probe after a refusal is of none."


def _has_whole(one: Standing) -> bool:
    """Whether the tables do not say it all."""
    week = one.week
    in_tables = sum(spend.tokens for spend in week.values())
    return bool(week) and (len(week) > 1 or in_tables < one.week_whole.tokens)


def _of_one(one: Standing) -> Iterator[str]:
    name, letters, budget = one.connector, one.letters, one.budget
    if one.group.state is GroupState.NOT_RUNNING:
        yield (
            f"{name}: no member is in the group: no worker runs it, or it is stopped, or its task "
            f"has failed; the worker's log, or GET /connectors/{name}/status, says why."
        )
    if not one.lags:
        yield f"{name}: none of its topics exists."
    if not one.keeps_spend:
        yield f"{name}: it has no state topic yet, where spending is kept; its first run makes it."
    if letters is not None and letters.records:
        held = f"{letters.topic}: {letters.records:,}, of which {letters.open:,} open"
        last = ""
        if letters.last_at is not None:
            kind = letters.last_kind or "of a kind that its headers do not say"
            last = f", the last one {kind}, {letters.last_at:%Y-%m-%d %H:%M} UTC"
        yield f"{name}: dead letters in {held}{last}."
    if budget is not None:
        paused = "; rows wait: probably paused until 00:00 UTC" if one.is_probably_paused else ""
        yield (
            f"{name}: budget: {budget.used} today, {budget.share:.0%} with what is reserved for "
            f"calls under way{paused}."
        )


def _table(*texts: str, numbers: Sequence[str]) -> Table:
    table = Table(*texts, *numbers)
    for column in table.columns[: len(texts)]:
        column.overflow = "fold"
    for column in table.columns[len(texts) :]:
        column.justify = "right"
    return table
