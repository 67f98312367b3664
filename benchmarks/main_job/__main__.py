"""``python -m benchmarks.main_job``: Debezium changes to vectors in Pinecone, measured."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.main_job.hard_cases import observe
from benchmarks.main_job.place import MODELS, Place, place
from benchmarks.main_job.report import hard_cases_table, speed_table
from benchmarks.main_job.speed import Speed, measure

LATENCIES = ((100.0, 20.0), (0.0, 0.0))
"""Milliseconds per embedding call, and per call of Pinecone."""

_PARTS = "speed, limited, poison, killed, killed-static, unchanged"

_WIDTH = 120
"""Of the tables, also where there is no terminal."""

_console = Console(stderr=True)
_tables = Console(width=_WIDTH)


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {_PARTS}; default: all.")] = None,
    dimensions: Annotated[
        list[int] | None, typer.Option(help="384 or 1024; repeatable; default: both.")
    ] = None,
    runs: Annotated[int, typer.Option(help="To take the median of.")] = 3,
) -> None:
    """Measure the main job."""
    before = os.getloadavg()[0]
    with place() as around:
        if not parts or "speed" in parts:
            _speed(around, dimensions or list(MODELS), runs)
        if not parts or set(parts) - {"speed"}:
            seen = observe(around, lambda name: not parts or name in parts)
            _tables.print(hard_cases_table(seen))
    _console.print(f"Load average before and after: {before:.1f}, {os.getloadavg()[0]:.1f}.")


def _speed(around: Place, dimensions: list[int], runs: int) -> None:
    rows = around.topic("speed")
    found: list[tuple[int, tuple[float, float], list[Speed]]] = []
    for latency in LATENCIES:
        around.servers.set_latency(*latency)
        for length in dimensions:
            seen = []
            for _ in range(runs):
                seen.append(measure(around, rows, length))
                _console.print(length, latency, seen[-1])
            found.append((length, latency, seen))
    _tables.print(speed_table(found))


if __name__ == "__main__":
    typer.run(main)
