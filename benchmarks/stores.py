"""A store beside the fastest loop that one would write by hand, on the same server in one run.

    python -m benchmarks.stores pgvector

Both write the same points by id; the loop has no guard, looks at no errors and keeps no deletions.
Rounds alternate. CPU is that of this process, points/s hold the server's work as well.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from worker.model import Point, Position, Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from worker.store.port import Store

DIMENSIONS = 1024
BATCH = 200
BATCHES = 25
ROUNDS = 7
NAMESPACE = "shop.public.products"
TARGET = 0.9


class Loop(Protocol):
    """What one would write by hand."""

    def upsert(self, namespace: str, points: Sequence[Point]) -> object: ...

    def fetch(self, namespace: str, ids: Sequence[str]) -> object: ...


class Scene(Protocol):
    """A module ``benchmarks.store_<name>``."""

    def opened(self) -> AbstractContextManager[tuple[Store, Mapping[str, Loop]]]:
        """An empty store of ``DIMENSIONS`` and the loops beside it, by name."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One pass over all points."""

    per_s: float
    cpu_us: float


def points(round_number: int) -> list[Point]:
    """New rows; their texts are those of nobody else."""
    draw = np.random.default_rng(round_number)
    vectors = draw.normal(size=(BATCH * BATCHES, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Point(
            f"{round_number}-{number}",
            vector,
            {
                "name": f"Article {number} of a longer name",
                "category": f"category {number % 20}",
                "price": number / 4,
                "source_table": NAMESPACE,
                "updated_at": 1_760_000_000_000 + number,
            },
            Stamp(
                f"{round_number:08x}{number:024x}",
                Position("Zk9-_1aTQ4yN0VbRr5xA6w", number % 6, number),
                "cohere/embed-v4.0/1024/search_document",
                12_345_678_901 + number,
                ("0123456789ab", "ba9876543210"),
            ),
        )
        for number, vector in enumerate(vectors)
    ]


def changed(given: Sequence[Point]) -> list[Point]:
    """The same texts with other metadata, a moment later."""
    return [_changed(point) for point in given]


def _changed(point: Point) -> Point:
    assert point.stamp is not None
    at = replace(point.stamp.position, offset=point.stamp.position.offset + 100_000)
    metadata = {**point.metadata, "price": 1.5}
    return replace(point, metadata=metadata, stamp=replace(point.stamp, position=at))


def batches(given: Sequence[Point]) -> Iterator[Sequence[Point]]:
    for start in range(0, len(given), BATCH):
        yield given[start : start + BATCH]


def seen(work: Callable[[Sequence[Point]], object], given: Sequence[Point]) -> Seen:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for batch in batches(given):
        work(batch)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return Seen(len(given) / wall_s, cpu_s / len(given) * 1e6)


def main(name: str) -> None:
    """Print medians of each work, for the store and for each loop."""
    scene: Scene = importlib.import_module(f"benchmarks.store_{name}")
    found: dict[str, dict[str, list[Seen]]] = {}
    with scene.opened() as (store, loops):
        sides: dict[str, Loop] = {"vecsink": store, **loops}
        for number in range(ROUNDS):
            fresh = points(number)
            for at, (side, loop) in enumerate(sides.items()):
                mine = [replace(point, id=f"{at}-{point.id}") for point in fresh]
                _measure(loop, mine, found.setdefault(side, {}), is_kept=number > 0)
    _report(found)


def _measure(
    loop: Loop, mine: Sequence[Point], into: dict[str, list[Seen]], *, is_kept: bool
) -> None:
    """The first round warms everything up."""
    works: dict[str, tuple[Callable[[Sequence[Point]], object], Sequence[Point]]] = {
        "upsert of new": (lambda batch: loop.upsert(NAMESPACE, batch), mine),
        "fetch of unchanged": (
            lambda batch: loop.fetch(NAMESPACE, [point.id for point in batch]),
            mine,
        ),
        "metadata only": (lambda batch: loop.upsert(NAMESPACE, batch), changed(mine)),
    }
    for work, (call, given) in works.items():
        figures = seen(call, given)
        if is_kept:
            into.setdefault(work, []).append(figures)


def _report(found: Mapping[str, Mapping[str, Sequence[Seen]]]) -> None:
    ours = found["vecsink"]
    for work in ours:
        print(work)
        fastest = max(
            statistics.median(one.per_s for one in figures[work])
            for side, figures in found.items()
            if side != "vecsink"
        )
        for side, figures in found.items():
            per_s = statistics.median(one.per_s for one in figures[work])
            cpu_us = statistics.median(one.cpu_us for one in figures[work])
            ratio = f"  {per_s / fastest:.2f} of the fastest loop" if side == "vecsink" else ""
            print(f"  {side:42} {per_s:9,.0f} points/s {cpu_us:7.1f} µs of CPU{ratio}")


if __name__ == "__main__":
    main(sys.argv[1])
