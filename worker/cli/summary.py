"""What a run came to, in one sentence: records, texts, tokens, money, and the state of budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Outcome
from worker.spend.amount import dollars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.spend.port import Report
    from worker.telemetry.counters import Counters


def summary(counters: Counters, seconds: float, budgets: Mapping[str, Report]) -> str:
    """About all connectors together; ``budgets`` are those of each, by name."""
    rate = counters.finished / seconds if seconds > 0 else 0.0
    ended = ", ".join(
        f"{counters.outcomes[outcome]:,} {outcome}"
        for outcome in Outcome
        if counters.outcomes[outcome]
    )
    return (
        f"{counters.finished:,} records in {seconds:.1f} s ({rate:,.0f}/s)"
        + (f": {ended}" if ended else "")
        + f"; {_spent(counters)}."
        + "".join(_left(name, report) for name, report in budgets.items())
    )


def _spent(counters: Counters) -> str:
    """What the embedding came to; ``~`` where the provider did not say how much it bills."""
    bill = counters.bill
    parts = [f"{bill.texts:,} texts embedded"]
    if bill.requests:
        parts[0] += f" in {bill.requests:,} calls"
    if bill.truncated:
        parts.append(f"{bill.truncated:,} of them truncated")
    about = "~" if bill.estimated else ""
    if bill.tokens:
        parts.append(f"{about}{bill.tokens:,} tokens{_by_table(counters)}")
    if bill.usd:
        parts.append(about + dollars(bill.usd))
    return ", ".join(parts)


def _by_table(counters: Counters) -> str:
    """Where there are several, the largest first."""
    tables = counters.tokens_by_table.most_common()
    if len(tables) < _SEVERAL:
        return ""
    return f" ({', '.join(f'{table} {tokens:,}' for table, tokens in tables)})"


def _left(name: str, report: Report) -> str:
    used = report.used
    return "" if used is None else f" Budget of {name}: {used} today."


_SEVERAL = 2
