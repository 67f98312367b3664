"""What needs somebody, the worst first: what is wrong, since when, and what to do about it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.runtime.port import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.console.port import Seen, Since
    from worker.runtime.port import ConnectorStateInfo

_LATE_S = 60.0
"""Behind for so long is worth a line."""
_MUCH = 0.8
"""Of a budget."""
_NOT_YET = (State.RESTARTING, State.UNASSIGNED)


class Severity(IntEnum):
    """How bad."""

    CRITICAL = 0
    """Something stands still that should not."""
    WARNING = 1
    NOTICE = 2


@immutable
class Notice:
    """One line."""

    severity: Severity
    connector: str
    what: str
    advice: str
    action: str = ""
    """What the page offers: ``restart``, ``resume``, ``edit``, ``letters``, or nothing."""
    since_ms: int | None = None
    """Unix time; None where nobody knows."""
    is_since_exact: bool = True


def notices(status: ConnectorStateInfo, seen: Seen) -> Iterator[Notice]:
    """Those of one connector."""
    yield from _states(status, seen)
    yield from _work(status, seen)
    yield from _letters(status.name, seen)
    if seen.problem:
        yield Notice(
            Severity.WARNING, status.name, f"Its figures are not known: {seen.problem}",
            "What is shown may be old. Check Kafka first.",
        )  # fmt: skip


def worst(status: ConnectorStateInfo) -> State:
    """Of the connector and its tasks, in one word: a failed task is never hidden."""
    states = {task.state for task in status.tasks.values()}
    if State.FAILED in states:
        return State.FAILED
    if status.connector.state is not State.RUNNING:
        return status.connector.state
    return next((one for one in _NOT_YET if one in states), State.RUNNING)


def in_order(found: Sequence[Notice]) -> list[Notice]:
    """The worst first."""
    return sorted(found, key=lambda one: (one.severity, one.connector))


def first_line(trace: str) -> str:
    """The sentence of a trace; of other people's errors, which have none there, the class."""
    name, _, message = trace.partition("\n")[0].strip().partition(": ")
    return message or name.rpartition(".")[2]


def _states(status: ConnectorStateInfo, seen: Seen) -> Iterator[Notice]:
    name = status.name
    if status.connector.state is State.FAILED:
        yield _since(seen.since, Notice(
            Severity.CRITICAL, name,
            f"Its configuration cannot be used: {first_line(status.connector.trace)}",
            "Mend the configuration; the last good one goes on meanwhile.", "edit",
        ))  # fmt: skip
    failed = [number for number, task in status.tasks.items() if task.state is State.FAILED]
    if failed:
        yield _since(seen.since, Notice(
            Severity.CRITICAL, name,
            f"{len(failed)} of {len(status.tasks)} tasks failed: "
            f"{first_line(status.tasks[failed[0]].trace)}",
            "Mend what the sentence names, then restart the failed tasks.", "restart",
        ))  # fmt: skip
    alone = [one for one in status.tasks.values() if one.state is State.UNASSIGNED]
    if alone and status.connector.state is State.RUNNING:
        yield _since(seen.since, Notice(
            Severity.WARNING, name, f"{len(alone)} of {len(status.tasks)} tasks run on no pod",
            "They come back within the session time-out if a pod is left.",
        ))  # fmt: skip


def _work(status: ConnectorStateInfo, seen: Seen) -> Iterator[Notice]:
    name, reading, standing = status.name, seen.reading, seen.standing
    provider = None if reading is None else reading.provider
    if provider is not None and provider.circuit == "open":
        yield Notice(
            Severity.WARNING, name, f"{provider.provider} does not answer",
            "Rows wait and lose nothing; calls go on by themselves once it answers.",
        )  # fmt: skip
    budget = None if standing is None else standing.budget
    if standing is not None and standing.is_probably_paused:
        yield Notice(
            Severity.WARNING, name, "Today's budget is spent: rows wait until 00:00 UTC",
            "Raise budget.usd.per.day or budget.tokens.per.day, or let it wait.", "edit",
        )  # fmt: skip
    elif budget is not None and budget.share >= _MUCH:
        yield Notice(
            Severity.NOTICE, name, f"{budget.share:.0%} of today's budget is spent",
            "At 100 % its rows wait until 00:00 UTC.",
        )  # fmt: skip
    yield from _waiting(status, seen)


def _waiting(status: ConnectorStateInfo, seen: Seen) -> Iterator[Notice]:
    behind = 0 if seen.standing is None else seen.standing.behind
    state = status.connector.state
    if behind and state in (State.PAUSED, State.STOPPED):
        yield _since(seen.since, Notice(
            Severity.NOTICE, status.name, f"It is {state.value.lower()} and {behind:,} rows wait",
            "They are read from where it stood once it resumes.", "resume",
        ))  # fmt: skip
        return
    late_s = max(seen.reading.lag_s.values(), default=0.0) if seen.reading else 0.0
    if late_s > _LATE_S and worst(status) is State.RUNNING:
        yield Notice(
            Severity.WARNING, status.name, f"It is {_duration(late_s)} behind",
            "Look at the calls of its provider, its budget and its tasks.",
        )  # fmt: skip


def _letters(name: str, seen: Seen) -> Iterator[Notice]:
    letters = None if seen.standing is None else seen.standing.letters
    if letters is None or not letters.open:
        return
    newest = f", the newest one {letters.last_kind}" if letters.last_kind else ""
    newest += f" at {letters.last_at:%H:%M} UTC" if letters.last_at else ""
    count = "1 dead letter is" if letters.open == 1 else f"{letters.open:,} dead letters are"
    yield Notice(
        Severity.WARNING, name, f"{count} open{newest}",
        "Read why, mend it, then replay: newer rows are never overwritten.", "letters",
    )  # fmt: skip


def _since(since: Since | None, notice: Notice) -> Notice:
    if since is None:
        return notice
    return Notice(
        notice.severity, notice.connector, notice.what, notice.advice, notice.action,
        since.at_ms, since.is_exact,
    )  # fmt: skip


def _duration(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
