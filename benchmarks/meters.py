"""CPU time, wall time and memory of this process, and the CPU that goes on inside a call."""

from __future__ import annotations

import gc
import resource
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from worker.embed.port import Overlong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.embed.port import Embedder, Embeddings, Purpose
    from worker.errors import RecordError
    from worker.model import ModelId, Point
    from worker.store.port import Deletion, Store

T = TypeVar("T")

_KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Moment:
    """What the clocks of this process show."""

    cpu_s: float
    """Of all its threads, librdkafka's included."""
    wall_s: float
    collector_s: float
    """Of that CPU, what the garbage collector took since ``Collector.watch``."""

    @classmethod
    def now(cls) -> Moment:
        return cls(time.process_time(), time.perf_counter(), Collector.seconds)


class Collector:
    """Adds up the CPU time of Python's garbage collector, in whichever thread it runs."""

    seconds = 0.0
    _began_s = 0.0

    @classmethod
    def watch(cls) -> None:
        """Begin; collections never overlap, so one start is enough to remember."""
        gc.callbacks.append(cls._on_collection)

    @classmethod
    def _on_collection(cls, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            cls._began_s = time.thread_time()
        else:
            cls.seconds += time.thread_time() - cls._began_s


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB


class Meter:
    """Adds up the CPU time that threads spend in it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def __call__(self, call: Callable[[], T]) -> T:
        before = time.thread_time()
        try:
            return call()
        finally:
            spent = time.thread_time() - before
            with self._lock:
                self.seconds += spent


class MeteredEmbedder:
    """An embedder, its cost kept apart."""

    def __init__(self, embedder: Embedder, meter: Meter) -> None:
        self._embedder = embedder
        self._meter = meter
        self.first_s: float | None = None
        """When it was first called, by ``time.perf_counter``."""
        self.limits = embedder.limits
        self.terms = embedder.terms
        self.close = embedder.close

    @property
    def model(self) -> ModelId:
        return self._embedder.model

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        if self.first_s is None:
            self.first_s = time.perf_counter()
        return self._meter(lambda: self._embedder.embed(texts, purpose, overlong))


class MeteredStore:
    """A store, the cost of what every record needs kept apart."""

    def __init__(self, store: Store, meter: Meter) -> None:
        self._store = store
        self._meter = meter
        self.capabilities = store.capabilities
        self.write_log = store.write_log
        self.transactions = store.transactions
        self.create = store.create
        self.check = store.check
        self.deleted = store.deleted
        self.query = store.query
        self.scan = store.scan
        self.namespaces = store.namespaces
        self.close = store.close

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        return self._meter(lambda: self._store.fetch(namespace, ids))

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        return self._meter(lambda: self._store.upsert(namespace, points))

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        return self._meter(lambda: self._store.delete(namespace, deletions))
