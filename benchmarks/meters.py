"""CPU time: of this thread while it runs a step, and of what goes on inside embedder and store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from worker.embed.fake import FakeEmbedder
    from worker.embed.port import Embeddings, Purpose
    from worker.errors import RecordError
    from worker.model import ModelId, Point
    from worker.store.memory import MemoryStore
    from worker.store.port import Deletion

T = TypeVar("T")


def cpu_us(step: Callable[[], object], rows: int, repeats: int = 5) -> float:
    """CPU microseconds per row: the best of some repeats, as noise only ever adds."""
    best = float("inf")
    for _ in range(repeats):
        before = time.process_time()
        step()
        best = min(best, time.process_time() - before)
    return best / rows * 1e6


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
    """The fake embedder, its cost kept apart."""

    def __init__(self, embedder: FakeEmbedder, meter: Meter) -> None:
        self._embedder = embedder
        self._meter = meter
        self.limits = embedder.limits

    @property
    def model(self) -> ModelId:
        return self._embedder.model

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        return self._meter(lambda: self._embedder.embed(texts, purpose))

    def close(self) -> None:
        self._embedder.close()


class MeteredStore:
    """The store in memory, its cost kept apart."""

    def __init__(self, store: MemoryStore, meter: Meter) -> None:
        self._store = store
        self._meter = meter
        self.capabilities = store.capabilities
        self.check = store.check
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
