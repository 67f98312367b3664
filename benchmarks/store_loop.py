"""What the benchmarks of stores write and read, and what a loop beside a store looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from worker.model import Point, Position, Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.store.port import Store

DIMENSIONS = 1024
BATCH = 200
BATCHES = 5
NAMESPACE = "shop.public.products"
STAMP = ("fingerprint", "model", "place", "offset", "source", "columns")
"""What loops keep beside the user's metadata."""


class Loop(ABC):
    """What one would write by hand."""

    @abstractmethod
    def upsert(self, points: Sequence[Point]) -> object:
        """Whole points by id."""

    @abstractmethod
    def fetch(self, ids: Sequence[str]) -> object:
        """Vectors as arrays, the user's metadata and the stamp, by id."""

    def update(self, points: Sequence[Point]) -> object:
        """Points of which only the metadata is another one."""
        return self.upsert(points)


class Ours(Loop):
    """A store of vecsink as a loop."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def upsert(self, points: Sequence[Point]) -> object:
        refused = self._store.upsert(NAMESPACE, points)
        assert not refused
        return refused

    def fetch(self, ids: Sequence[str]) -> object:
        found = self._store.fetch(NAMESPACE, ids)
        assert len(found) == len(ids)
        return found


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


def kept(point: Point) -> dict[str, object]:
    """What a loop keeps beside a vector, where a store takes any metadata: as much as we do."""
    stamp = point.stamp
    assert stamp is not None
    return {
        **point.metadata,
        "fingerprint": stamp.fingerprint,
        "model": stamp.model,
        "place": f"{stamp.position.topic_id}:{stamp.position.partition}",
        "offset": stamp.position.offset,
        "source": stamp.source_position,
        "columns": list(stamp.columns),
    }


def apart(held: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - clients' types
    """The user's metadata, which is compared with the row's, and the stamp."""
    stamp = {name: held.pop(name) for name in STAMP}
    return held, stamp
