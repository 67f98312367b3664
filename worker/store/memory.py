"""A vector store in this process: for tests, benchmarks and trying things out.

It behaves as the strictest of the real ones: it refuses old writes by itself. ``MemoryBehaviour``
takes that away and lets reads lag behind, as eventually consistent stores do.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from worker.clock import Clock, SystemClock
from worker.config.section import Section
from worker.errors import FatalError
from worker.store.memory_behaviour import MemoryBehaviour
from worker.store.memory_namespace import Namespace
from worker.store.memory_search import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.errors import RecordError, WorkerError
    from worker.model import Point, Position, Vector
    from worker.store.port import Capabilities, Deletion, Match, Replacement


class MemoryConfig(Section):
    """Settings of the store in memory."""

    dimensions: int | None = Field(
        default=None,
        alias="store.dimensions",
        ge=1,
        description="Length of the vectors; by default what comes first decides.",
    )


class MemoryStore:
    """Points in dicts, by namespace. Thread-safe."""

    Config: ClassVar[type[Section]] = MemoryConfig

    def __init__(
        self,
        config: MemoryConfig,
        *,
        behaviour: MemoryBehaviour | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._behaviour = behaviour or MemoryBehaviour()
        self._delay_s = self._behaviour.delay_s
        self._clock = clock or SystemClock()
        self._dimensions = config.dimensions
        self._namespaces: dict[str, Namespace] = {}
        self._errors: defaultdict[str, deque[WorkerError]] = defaultdict(deque)
        self._refused: dict[str, RecordError] = {}
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        """How often each method of the port was called."""

    # What tests say and look at ------------------------------------------------------------

    def points(self, namespace: str) -> dict[str, Point]:
        """All points as written, whether readers see them yet or not."""
        with self._lock:
            held = self._namespaces.get(namespace)
            return dict(held.points) if held else {}

    def fail_next(self, method: str, *errors: WorkerError) -> None:
        """Let the next calls of a method (``upsert``, ``fetch`` …) raise these, in order."""
        with self._lock:
            self._errors[method].extend(errors)

    def refuse(self, point_id: str, error: RecordError) -> None:
        """From now on, do not take this id: upsert and delete report the error for it."""
        with self._lock:
            self._refused[point_id] = error

    # The port ------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """As the behaviour says."""
        return self._behaviour.capabilities

    @property
    def write_log(self) -> MemoryStore | None:
        """As the behaviour says."""
        return self if self._behaviour.numbers_writes else None

    @property
    def transactions(self) -> MemoryStore | None:
        """As the behaviour says."""
        return self if self._behaviour.transactional else None

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        """See ``Transactions``."""
        self._begin("replace")
        with self._lock:
            for point in (point for row in rows for point in row.points):
                self._fix_dimensions(point.vector.size)
            held = self._namespaces.setdefault(namespace, Namespace())
            refused = {
                row.id: self._refused[one]
                for row in rows
                for one in _ids(row)
                if one in self._refused
            }
            for row in rows:
                if row.id not in refused and not self._is_older(held, row):
                    self._replace(held, row)
            held.seen(self._clock.now_s())
            return refused

    def mark(self, namespace: str) -> int | None:
        """See ``WriteLog``."""
        self._begin("mark")
        with self._lock:
            held = self._namespaces.get(namespace)
            return None if held is None else held.mark(self._visible_at_s())

    def shown_to(self, namespace: str) -> int | None:
        """See ``WriteLog``."""
        self._begin("shown_to")
        with self._lock:
            held = self._namespaces.get(namespace)
            return None if held is None else held.seen_to(self._clock.now_s())

    def create(self, dimensions: int) -> bool:
        """It is always there; what comes first decides its size."""
        with self._lock:
            self._fix_dimensions(dimensions)
        return False

    def check(self, dimensions: int) -> None:
        """Fails if vectors of another size are here or configured."""
        self._begin("check")
        with self._lock:
            self._fix_dimensions(dimensions)

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """Points that readers see already."""
        self._begin("fetch")
        with self._lock:
            seen = self._seen(namespace)
            return {point_id: seen[point_id] for point_id in ids if point_id in seen}

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write points; guarded, older ones are silently left out."""
        self._begin("upsert")
        with self._lock:
            for point in points:
                self._fix_dimensions(point.vector.size)
            taken = [point for point in points if point.id not in self._refused]
            held = self._namespaces.setdefault(namespace, Namespace())
            for point in taken:
                if not (self._behaviour.guarded and held.is_ahead_of(point)):
                    held.write(point, self._visible_at_s())
            held.seen(self._clock.now_s())
            return self._refusals(point.id for point in points)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Remove points; guarded, newer ones silently stay."""
        self._begin("delete")
        with self._lock:
            held = self._namespaces.setdefault(namespace, Namespace())
            for deletion in deletions:
                if deletion.id in self._refused:
                    continue
                if not (self._behaviour.guarded and held.is_ahead_of(deletion)):
                    held.remove(deletion, self._visible_at_s())
            held.seen(self._clock.now_s())
            return self._refusals(deletion.id for deletion in deletions)

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        """Guarded, what keeps older points away."""
        if not self._behaviour.guarded:
            return {}
        self._begin("deleted")
        with self._lock:
            held = self._namespaces.get(namespace, Namespace()).deleted
            return {point_id: held[point_id] for point_id in ids if point_id in held}

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """Cosine similarity over everything; filters in Pinecone's language."""
        self._begin("query")
        with self._lock:
            seen = list(self._seen(namespace).values())
        return nearest(seen, vector, k, where)

    def scan(self, namespace: str) -> Iterator[Point]:
        """Points that readers see when the scan begins."""
        self._begin("scan")
        with self._lock:
            seen = list(self._seen(namespace).values())
        yield from seen

    def namespaces(self) -> Sequence[str]:
        """Names of namespaces with points that readers see."""
        self._begin("namespaces")
        with self._lock:
            return [name for name in self._namespaces if self._seen(name)]

    def close(self) -> None:
        """Keeps the points, so that a test can look at them afterwards."""

    # Inside --------------------------------------------------------------------------------

    def _begin(self, method: str) -> None:
        """Count the call, take its time, raise what the script says."""
        with self._lock:
            self.calls[method] += 1
            script = self._errors[method]
            error = script.popleft() if script else None
        if self._behaviour.latency_s > 0:
            self._clock.wait(threading.Event(), self._behaviour.latency_s)
        if error is not None:
            raise error

    def _is_older(self, held: Namespace, row: Replacement) -> bool:
        return self._behaviour.guarded and held.is_ahead_of(row.first)

    def _replace(self, held: Namespace, row: Replacement) -> None:
        visible_s = self._visible_at_s()
        for point in row.points:
            held.write(point, visible_s)
        for deletion in row.deletions:
            held.remove(deletion, visible_s)

    def _fix_dimensions(self, dimensions: int) -> None:
        if self._dimensions is None:
            self._dimensions = dimensions
        if self._dimensions != dimensions:
            raise FatalError(
                f"the store holds vectors of {self._dimensions} dimensions, not {dimensions}"
            )

    def _seen(self, namespace: str) -> dict[str, Point]:
        held = self._namespaces.get(namespace)
        return held.seen(self._clock.now_s()) if held else {}

    def _visible_at_s(self) -> float:
        return self._clock.now_s() + self._delay_s

    def _refusals(self, ids: Iterator[str]) -> dict[str, RecordError]:
        return {point_id: self._refused[point_id] for point_id in ids if point_id in self._refused}


def _ids(row: Replacement) -> Iterator[str]:
    yield from (one.id for one in row.points)
    yield from (one.id for one in row.deletions)
