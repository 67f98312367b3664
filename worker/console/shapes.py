"""The JSON of the console's own answers. Times are Unix time in ms, durations seconds."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from worker.console.attention import first_line, worst
from worker.console.history import Moment, last_minute
from worker.runtime.port import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from worker.console.attention import Notice
    from worker.console.port import Seen
    from worker.overview.port import Member
    from worker.overview.standing import DaySpend, Spend, Standing
    from worker.runtime.port import ConnectorStateInfo, Status
    from worker.telemetry.reading import Reading

_SPARK = 60
"""Points of a line in a table."""
_CHOICES = ("embedder", "embedder.model", "store", "store.index", "store.namespace", "topics")


def summary(status: ConnectorStateInfo, config: Mapping[str, str], seen: Seen) -> dict[str, Any]:
    """A row of the list; ``config`` is what may be shown of it."""
    states = [task.state for task in status.tasks.values()]
    return {
        "name": status.name,
        "state": worst(status).value,
        "target": status.connector.state.value,
        "since_ms": None if seen.since is None else seen.since.at_ms,
        "since_exact": seen.since is not None and seen.since.is_exact,
        "tasks": len(states),
        "tasks_running": states.count(State.RUNNING),
        "tasks_failed": states.count(State.FAILED),
        "pods": sorted(_pods(status)),
        "error": _error(status),
        "reads": config.get("topics") or config.get("topics.regex") or "",
        "has_letters": config.get("errors.tolerance", "").strip().lower() == "all",
        "chosen": {key: config[key] for key in _CHOICES if key in config},
        "figures": None if seen.standing is None else _figures(seen.standing),
        "figures_ms": seen.standing_ms,
        "problem": seen.problem or None,
        "rows_per_s": seen.rows_per_s,
        "here": _here(seen),
        "spark": [one.behind for one in _thinned(seen)],
    }


def details(status: ConnectorStateInfo, config: Mapping[str, str], seen: Seen) -> dict[str, Any]:
    """Everything about one."""
    standing = seen.standing
    tasks = [_task(number, status.tasks[number]) for number in sorted(status.tasks)]
    return {
        **summary(status, config, seen),
        "trace": status.connector.trace or None,
        "task_list": tasks,
        "members": [] if standing is None else [_member(one) for one in standing.group.members],
        "topics": [] if standing is None else [asdict(lag) for lag in standing.lags],
        "days": None if standing is None or not standing.keeps_spend else _days(standing.days),
        "pod": None if seen.reading is None else _reading(seen.reading),
        "config": dict(config),
    }


def notice(one: Notice) -> dict[str, Any]:
    """A line of what needs somebody."""
    return {
        "severity": one.severity.name.lower(),
        "connector": one.connector,
        "what": one.what,
        "advice": one.advice,
        "action": one.action or None,
        "since_ms": one.since_ms,
        "since_exact": one.is_since_exact,
    }


def series(found: Iterable[Moment]) -> dict[str, list[Any]]:
    """By what is shown, one value for each moment; numbers that nobody knows are null."""
    moments = [asdict(one) for one in found]
    shown = [field.name for field in fields(Moment)]
    return {name: [_short(one[name]) for one in moments] for name in shown}


def ms(when: datetime | None) -> int | None:
    """Unix time."""
    return None if when is None else int(when.timestamp() * 1000)


def _figures(standing: Standing) -> dict[str, Any]:
    letters, budget, today = standing.letters, standing.budget, standing.days[0].whole
    return {
        "group": standing.group.state.value,
        "members": len(standing.group.members),
        "behind": standing.behind,
        "letters": None
        if letters is None
        else {
            "topic": letters.topic,
            "held": letters.records,
            "open": letters.open,
            "last_kind": letters.last_kind,
            "last_ms": ms(letters.last_at),
        },
        "today": asdict(today) if standing.keeps_spend else None,
        "budget": None
        if budget is None
        else {
            "used": budget.used,
            "share": round(budget.share, 4),
            "paused": standing.is_probably_paused,
        },
    }


def _here(seen: Seen) -> dict[str, Any] | None:
    """Of this pod, the last minute."""
    moment = last_minute(seen.samples)
    if moment is None or seen.reading is None:
        return None
    provider = seen.reading.provider
    return {
        "behind_s": moment.behind_s,
        "p50_s": _short(moment.p50_s),
        "p95_s": _short(moment.p95_s),
        "rows_per_s": _short(moment.rows_per_s),
        "circuit": None if provider is None else provider.circuit,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    counters, provider = reading.counters, reading.provider
    return {
        "tasks": dict(reading.tasks),
        "outcomes": {outcome.value: count for outcome, count in counters.outcomes.most_common()},
        "buffered": reading.buffered,
        "in_flight": reading.in_flight,
        "provider": None
        if provider is None
        else {
            "name": provider.provider,
            "model": provider.model,
            "circuit": provider.circuit,
            "waiting": provider.waiting,
            "in_flight": provider.in_flight,
            "limited": provider.limited,
            "outages": provider.opened,
        },
        "store": None if reading.store is None else reading.store.system,
        "bill": asdict(counters.bill),
    }


def _days(days: Sequence[DaySpend]) -> list[dict[str, Any]]:
    """The oldest first."""
    return [
        {
            "day": one.day.isoformat(),
            **asdict(one.whole),
            "tables": {table: _spend(spend) for table, spend in sorted(one.tables.items())},
        }
        for one in reversed(days)
    ]


def _spend(spend: Spend) -> dict[str, Any]:
    return asdict(spend)


def _member(member: Member) -> dict[str, Any]:
    return {
        "client": member.client_id,
        "host": member.host,
        "partitions": [f"{place.topic}-{place.partition}" for place in member.partitions],
    }


def _task(number: int, status: Status) -> dict[str, Any]:
    return {
        "id": number,
        "state": status.state.value,
        "pod": status.worker_id,
        "error": first_line(status.trace) if status.trace else None,
        "trace": status.trace or None,
    }


def _pods(status: ConnectorStateInfo) -> set[str]:
    """Those that run a task of it."""
    tasks = status.tasks.values()
    return {task.worker_id for task in tasks if task.state is not State.UNASSIGNED}


def _error(status: ConnectorStateInfo) -> str | None:
    traces = [status.connector.trace, *(task.trace for task in status.tasks.values())]
    return next((first_line(trace) for trace in traces if trace), None)


def _thinned(seen: Seen) -> Sequence[Any]:
    step = max(1, len(seen.samples) // _SPARK)
    return seen.samples[::-step][::-1] if seen.samples else ()


def _short(number: Any) -> Any:  # noqa: ANN401 - whatever a chart shows
    return round(number, 4) if isinstance(number, float) else number
