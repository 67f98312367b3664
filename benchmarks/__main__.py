"""``python -m benchmarks``: everything in one run on a broker of its own."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from benchmarks.broker import broker, fill
from benchmarks.comparison import compare_engine, compare_local, compare_steps
from benchmarks.report import Results, table
from benchmarks.rows import Rows

if TYPE_CHECKING:
    from tests.stack.kafka import Kafka

_STEP_ROWS = 20_000
_ROWS = (1_000, 10_000, 100_000)
_TABLE = "public.products"
_SINGLE_RUN_FROM = 500_000
"""A run of so many rows is long enough to need no second one."""

_console = Console(stderr=True)


def main(
    rows: Annotated[
        list[int] | None,
        typer.Option(help="Rows for the whole engine (such as 1000000); repeatable."),
    ] = None,
    runs: Annotated[int, typer.Option(help="Pairs of runs to take the median of.")] = 3,
    texts: Annotated[int, typer.Option(help="Texts for the local model; 0: without it.")] = 1_000,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Measure steps, engine and local model side by side with what they cannot do without."""
    results = Results()
    before = os.getloadavg()[0]
    with broker() as kafka:
        results.steps = compare_steps(kafka, _filled(kafka, "steps", _STEP_ROWS), max(5, runs))
        for count in rows or _ROWS:
            topic = _filled(kafka, f"rows{count}", count)
            pairs = 1 if count >= _SINGLE_RUN_FROM else runs
            results.engine.append(compare_engine(kafka, topic, pairs))
            kafka.topics.delete(topic.topic)
        if texts:
            results.local = compare_local(kafka, _filled(kafka, "texts", texts), runs)
    results.load = (before, os.getloadavg()[0])
    Console().print(table(results))
    _console.print(f"Load average before and after: {results.load[0]:.1f}, {results.load[1]:.1f}.")
    if json:
        results.write(json)


def _filled(kafka: Kafka, name: str, count: int) -> Rows:
    """A topic with so many rows."""
    rows = Rows(count, f"{name}.{_TABLE}")
    _console.print(f"{name}: {count:,} rows")
    fill(kafka, rows)
    return rows


if __name__ == "__main__":
    typer.run(main)
