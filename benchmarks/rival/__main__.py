"""``python -m benchmarks.rival CONNECT``: Redpanda Connect and vecsink in turns, in one run.

``CONNECT`` is the program of Redpanda Connect (its release, or built from its source).
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.main_job.place import place
from benchmarks.main_job.speed import measure
from benchmarks.rival.connect import Run, run
from benchmarks.rival.index import grpc_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.main_job.place import Place
    from benchmarks.rows import Rows

_LATENCIES = ((100.0, 20.0), (0.0, 0.0))
"""Milliseconds per embedding call, and per call of Pinecone."""
_DIMENSIONS = 384
_PARTITIONS = 6
"""Redpanda Connect does one batch of a partition at a time, so it needs some."""

_console = Console(stderr=True)
_tables = Console(width=120)


def main(
    connect: Annotated[Path, typer.Argument(help="The program of Redpanda Connect.")],
    runs: Annotated[int, typer.Option(help="Of each, in turns; to take the median of.")] = 5,
) -> None:
    """Measure both."""
    _console.print(f"Load average before: {os.getloadavg()[0]:.1f}.")
    with place() as around, grpc_index() as index:
        rows = around.topic("speed", partitions=_PARTITIONS)
        for latency in _LATENCIES:
            around.servers.set_latency(*latency)
            theirs, ours = [], []
            for _ in range(runs):
                theirs.append(run(connect, around, rows, index, latency[1] / 1000))
                ours.append(_ours(around, rows))
                _console.print(latency, theirs[-1], ours[-1])
            _tables.print(_table(latency, theirs, ours))
    _console.print(f"Load average after: {os.getloadavg()[0]:.1f}.")


def _ours(around: Place, rows: Rows) -> Run:
    seen = measure(around, rows, _DIMENSIONS)
    return Run(seen.rows_per_s, seen.calls_per_1000, seen.cpu_ms, seen.peak_mib)


def _table(latency: tuple[float, float], theirs: Sequence[Run], ours: Sequence[Run]) -> Table:
    shown = Table(title=f"{latency[0]:.0f} ms per embedding call, {latency[1]:.0f} per upsert")
    for name in ("", "Redpanda Connect", "vecsink", "ratio", "of each pair"):
        shown.add_column(name, justify="right")
    for one in fields(Run):
        left = [getattr(seen, one.name) for seen in theirs]
        right = [getattr(seen, one.name) for seen in ours]
        ratios = sorted(mine / his for his, mine in zip(left, right, strict=True))
        shown.add_row(
            one.name,
            f"{median(left):,.3f}",
            f"{median(right):,.3f}",
            f"{median(ratios):.2f}",
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        )
    return shown


if __name__ == "__main__":
    typer.run(main)
