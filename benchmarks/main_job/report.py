"""The figures beside their marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from benchmarks.main_job.speed import Speed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.main_job.hard_cases import Seen

MOST_CALLS, MOST_MIB = 11.0, 200.0
MOST_CPU_MS = 0.14
"""At 384 dimensions."""
LEAST_ROWS_PER_S = {100.0: 6_500.0, 0.0: 7_000.0}
"""By milliseconds per embedding call."""


def speed_table(found: Sequence[tuple[int, tuple[float, float], Sequence[Speed]]]) -> Table:
    """Medians; the best run's rows/s beside them."""
    shown = Table(title="21,000 inserts of 60 words: Kafka, Cohere, Pinecone")
    for name in ("dimensions", "latency ms", "rows/s", "best", "calls/1,000", "CPU ms/row"):
        shown.add_column(name, justify="right")
    for name in ("start CPU s", "start s", "end s", "peak MiB", "servers' CPU ms/row"):
        shown.add_column(name, justify="right")
    for length, latency, runs in found:
        _add(shown, length, latency, runs)
    return shown


def _add(shown: Table, length: int, latency: tuple[float, float], runs: Sequence[Speed]) -> None:
    one = Speed.median(runs)
    cpu = f"{one.cpu_ms:.3f}"
    shown.add_row(
        str(length),
        f"{latency[0]:.0f} + {latency[1]:.0f}",
        judged(f"{one.rows_per_s:,.0f}", good=one.rows_per_s >= LEAST_ROWS_PER_S[latency[0]]),
        f"{max(run.rows_per_s for run in runs):,.0f}",
        judged(f"{one.calls_per_1000:.1f}", good=one.calls_per_1000 <= MOST_CALLS),
        judged(cpu, good=one.cpu_ms <= MOST_CPU_MS) if length == 384 else cpu,
        f"{one.start_cpu_s:.2f}",
        f"{one.start_s:.1f}",
        f"{one.end_s:.1f}",
        judged(f"{one.peak_mib:.0f}", good=one.peak_mib <= MOST_MIB),
        f"{one.servers_cpu_ms:.3f}",
    )


def hard_cases_table(seen: Iterable[Seen]) -> Table:
    """One line per observation."""
    shown = Table(title="Hard cases, 100 ms per embedding call and 20 ms per call of Pinecone")
    shown.add_column("case")
    shown.add_column("what")
    for name in ("seen", "mark"):
        shown.add_column(name, justify="right")
    for one in seen:
        shown.add_row(one.case, one.what, judged(one.seen, good=one.is_good), one.mark)
    return shown


def judged(text: str, *, good: bool) -> str:
    """Green at the mark, red beyond it."""
    return f"[{'green' if good else 'red'}]{text}[/]"
