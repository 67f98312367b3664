"""A store beside loops over the same server: by hand, as fast as we can, and the vendor's client.

    python -m benchmarks.stores pgvector qdrant

All write the same points by id with the same stamp, in a process and a run; a loop looks at no
errors and keeps no deletions. The mark of 0.9 is for the first one, which does as much as the store
otherwise; one that is called unguarded lets old points replace new ones, so it and its server do
less. (pgvector's first one does that as well.) Sides alternate in short rounds, so a ratio is one
of neighbours; what is shown is the median over the rounds. CPU is that of this process; points/s
hold the server's work as well.
"""

from __future__ import annotations

import gc
import importlib
import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.store_loop import Loop, Ours, batches, changed, points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from worker.model import Point
    from worker.store.port import Store

SCENES = {
    "pgvector": "store_pgvector:opened",
    "pinecone": "store_pinecone:opened",
    "qdrant": "store_qdrant:over_rest",
    "qdrant-grpc": "store_qdrant:over_grpc",
    "weaviate": "store_weaviate:opened",
}
OURS = "vecsink"
SECONDS = 90.0
LEAST_ROUNDS = 9
TARGET = 0.9
WIDTH = 120


class Scene(Protocol):
    """A server, an empty store of ``DIMENSIONS`` and the loops beside it, by name."""

    def __call__(self) -> AbstractContextManager[tuple[Store, Mapping[str, Loop]]]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One pass over the points of a round."""

    per_s: float
    cpu_us: float


Figures = defaultdict[str, defaultdict[str, list[Seen]]]
"""By work and side, one for each round."""


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(SCENES)}.")] = None,
    seconds: Annotated[float, typer.Option(help="For each, after the first round.")] = SECONDS,
) -> None:
    """Measure stores."""
    before = os.getloadavg()[0]
    for name in names or SCENES:
        found = measured(_scene(name), seconds)
        Console(width=WIDTH).print(table(name, found))
    Console(stderr=True).print(f"Load average: {before:.1f} before, {os.getloadavg()[0]:.1f} after")


def measured(scene: Scene, seconds: float) -> Figures:
    """Rounds until the time is over; the first one only warms everything up."""
    found: Figures = defaultdict(lambda: defaultdict(list))
    with scene() as (store, loops):
        sides: dict[str, Loop] = {OURS: Ours(store), **loops}
        _play_round(0, sides, defaultdict(lambda: defaultdict(list)))
        gc.freeze()  # as ``vecsink run`` does
        number, ends_s = 1, time.monotonic() + seconds
        while time.monotonic() < ends_s or number <= LEAST_ROUNDS:
            _play_round(number, sides, found)
            number += 1
    return found


def table(name: str, found: Figures) -> Table:
    """Medians, and the ratios of the store to each loop."""
    rounds = len(found["fetch of unchanged"][OURS])
    shown = Table(title=f"{name}, medians of {rounds} rounds")
    for title in (
        "",
        "points/s",
        "CPU µs/point",
        "vecsink's points/s ÷ its",
        "its CPU ÷ vecsink's",
    ):
        shown.add_column(title, justify="left" if not title else "right")
    for work, sides in found.items():
        shown.add_section()
        shown.add_row(f"[bold]{work}[/]")
        for side in sorted(sides, key=lambda one: one != OURS):
            seen = sides[side]
            figures = f"{_per_s(seen):,.0f}", f"{_cpu_us(seen):.1f}"
            shown.add_row(f"  {side}", *figures, *_ratios(sides[OURS], seen, side))
    return shown


def _scene(name: str) -> Scene:
    module, _, function = SCENES[name].partition(":")
    scene: Scene = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    return scene


def _play_round(number: int, sides: Mapping[str, Loop], found: Figures) -> None:
    fresh = points(number)
    for side, loop in _turned(sides, number):
        mine = [replace(point, id=f"{side}-{point.id}") for point in fresh]
        for work, call, given in _works(loop, mine):
            gc.collect()  # or a side pays for what another has left behind
            found[work][side].append(_seen(call, given))


def _turned(sides: Mapping[str, Loop], number: int) -> Iterator[tuple[str, Loop]]:
    """Each round begins with another one."""
    order = list(sides.items())
    start = number % len(order)
    yield from [*order[start:], *order[:start]]


def _works(
    loop: Loop, mine: Sequence[Point]
) -> Sequence[tuple[str, Callable[[Sequence[Point]], object], Sequence[Point]]]:
    return (
        ("upsert of new", loop.upsert, mine),
        ("fetch of unchanged", lambda batch: loop.fetch([point.id for point in batch]), mine),
        ("metadata only", loop.update, changed(mine)),
    )


def _seen(work: Callable[[Sequence[Point]], object], given: Sequence[Point]) -> Seen:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for batch in batches(given):
        work(batch)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return Seen(len(given) / wall_s, cpu_s / len(given) * 1e6)


def _ratios(ours: Sequence[Seen], loop: Sequence[Seen], side: str) -> tuple[str, str]:
    if side == OURS:
        return "", ""
    pairs = list(zip(ours, loop, strict=True))
    speed = median(mine.per_s / its.per_s for mine, its in pairs)
    cpu = median(its.cpu_us / mine.cpu_us for mine, its in pairs)
    return _judged(speed), _judged(cpu)


def _judged(ratio: float) -> str:
    return f"[{'green' if ratio >= TARGET else 'red'}]{ratio:.2f}[/]"


def _per_s(seen: Sequence[Seen]) -> float:
    return median(one.per_s for one in seen)


def _cpu_us(seen: Sequence[Seen]) -> float:
    return median(one.cpu_us for one in seen)


if __name__ == "__main__":
    typer.run(main)
