"""Lets a test decide when the calls of batches happen, and how they end."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from worker.embed.port import Overlong
from worker.errors import FatalError, RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.embed.port import Embedder, Embeddings, Limits, Purpose, Terms
    from worker.errors import RecordError
    from worker.flow.entry import Work
    from worker.model import ModelId, Point, Position, Record, TopicPartition, Vector
    from worker.pipeline.batch import BatchRunner
    from worker.pipeline.item import Report
    from worker.source.port import Reach, Span, SpanReader
    from worker.state.port import StateTopic, Value
    from worker.store.port import Capabilities, Deletion, Match, Replacement, Store, WriteLog

T = TypeVar("T")
Label = tuple[int, int, int]
"""(member, partition, offset) of a batch's first row."""
_PATIENCE_S = 60.0
_STEP_S = 0.5
_REAL_PART = 0.01
"""How much of a short wait really passes: while a revoke waits, any batch can land."""


class Verdict(Enum):
    """How a call ends."""

    DONE = "done"
    FAILED = "failed"
    """Nothing happened, and the caller hears of an outage."""
    UNSURE = "unsure"
    """It happened, but the caller hears of an outage."""
    REFUSED = "refused"
    """Nothing happened, nor ever will."""
    KILLED = "killed"
    """Nothing happened, and the caller is gone."""


class Killed(BaseException):
    """The process of this thread has ended."""


@dataclass(eq=False)
class Call:
    """A call that waits for its verdict."""

    label: Label
    method: str
    said: threading.Event = field(default_factory=threading.Event)
    verdict: Verdict = Verdict.DONE

    def end(self, verdict: Verdict = Verdict.DONE) -> None:
        self.verdict = verdict
        self.said.set()


class Gate:
    """Calls pass at once, unless their method is held or away. Shared by all members."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._away: set[str] = set()
        self._parked: list[Call] = []
        self._label: ContextVar[Label] = ContextVar("label", default=(0, 0, 0))

    def hold(self, *methods: str) -> None:
        """Let calls wait from now on."""
        with self._lock:
            self._held.update(methods)

    def open(self, *methods: str) -> None:
        """Let calls pass again, those that wait too; without names, all."""
        with self._lock:
            self._held.difference_update(methods or set(self._held))
            free = [call for call in self._parked if call.method not in self._held]
        for call in free:
            self.release(call)

    def cut_off(self, *methods: str) -> None:
        """An outage: calls fail until ``restore``."""
        self._away.update(methods)

    def restore(self) -> None:
        """The outage is over."""
        self._away.clear()

    @property
    def parked(self) -> list[Call]:
        """What waits, in an order that does not depend on threads."""
        with self._lock:
            return sorted(self._parked, key=lambda call: (call.label, call.method))

    def release(self, call: Call, verdict: Verdict = Verdict.DONE) -> None:
        """End one call."""
        with self._lock:
            self._parked.remove(call)
        call.end(verdict)

    def enter(self, label: Label) -> None:
        """The calling thread begins a batch; the threads of its calls follow it."""
        self._label.set(label)

    def __call__(self, method: str, effect: Callable[[], T]) -> T:
        """Pass through."""
        verdict = self._verdict(method)
        if verdict is Verdict.KILLED:
            raise Killed
        if verdict is Verdict.REFUSED:
            raise FatalError(f"{method} is not allowed")
        answer = None if verdict is Verdict.FAILED else effect()
        if verdict is not Verdict.DONE or answer is None:
            raise RetriableError("away", retry_after_s=0.5)
        return answer

    def _verdict(self, method: str) -> Verdict:
        with self._lock:
            if method in self._away:
                return Verdict.FAILED
            if method not in self._held:
                return Verdict.DONE
            call = Call(self._label.get(), method)
            self._parked.append(call)
        if not call.said.wait(_PATIENCE_S):
            raise AssertionError(f"nobody let {method} pass")
        return call.verdict


class GatedEmbedder:
    """An embedder behind the gate (``embed``)."""

    takes_all = False
    """Whether it was made to take the texts that it used to refuse."""

    def __init__(self, inner: Embedder, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    @property
    def model(self) -> ModelId:
        return self._inner.model

    @property
    def limits(self) -> Limits:
        return self._inner.limits

    @property
    def terms(self) -> Terms:
        return self._inner.terms

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        answer = self._gate("embed", lambda: self._inner.embed(texts, purpose, overlong))
        return replace(answer, refused={}) if self.takes_all else answer

    def close(self) -> None:
        self._inner.close()


class GatedStore:
    """A store behind the gate (its methods' names); remembers what was written."""

    def __init__(self, inner: Store, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate
        self.writes: list[tuple[str, str, int]] = []
        """(method, id, offset of the change) in order."""

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    @property
    def write_log(self) -> WriteLog | None:
        return self._inner.write_log

    @property
    def transactions(self) -> GatedStore | None:
        return None if self._inner.transactions is None else self

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        transactions = self._inner.transactions
        assert transactions is not None

        def write() -> Mapping[str, RecordError]:
            for row in rows:
                self.writes.extend(("upsert", point.id, _offset(point)) for point in row.points)
                self.writes.extend(("delete", one.id, one.position.offset) for one in row.deletions)
            return transactions.replace(namespace, rows)

        return self._gate("upsert", write)

    def create(self, dimensions: int) -> bool:
        return self._inner.create(dimensions)

    def check(self, dimensions: int) -> None:
        self._inner.check(dimensions)

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        return self._gate("fetch", lambda: self._inner.fetch(namespace, ids))

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        def write() -> Mapping[str, RecordError]:
            self.writes.extend(("upsert", point.id, _offset(point)) for point in points)
            return self._inner.upsert(namespace, points)

        return self._gate("upsert", write)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        def write() -> Mapping[str, RecordError]:
            self.writes.extend(("delete", one.id, one.position.offset) for one in deletions)
            return self._inner.delete(namespace, deletions)

        return self._gate("delete", write)

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        return self._gate("fetch", lambda: self._inner.deleted(namespace, ids))

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        return self._inner.query(namespace, vector, k, where)

    def scan(self, namespace: str) -> Iterator[Point]:
        return iter(self._gate("scan", lambda: list(self._inner.scan(namespace))))

    def namespaces(self) -> Sequence[str]:
        return self._inner.namespaces()

    def close(self) -> None:
        self._inner.close()


def _offset(point: Point) -> int:
    assert point.stamp is not None
    return point.stamp.position.offset


class GatedSpans:
    """A span reader behind the gate."""

    def __init__(self, inner: SpanReader, gate: Gate, method: str) -> None:
        self._inner = inner
        self._gate = gate
        self._method = method

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        return self._inner.standings(timeout_s)

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        return self._inner.ahead(timeout_s)

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        return iter(self._gate(self._method, lambda: list(self._inner.read(spans))))

    def close(self) -> None:
        self._inner.close()


class GatedState:
    """A state topic behind the gate (``note``)."""

    def __init__(self, inner: StateTopic, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate
        self.post = inner.post
        self.read_up_to = inner.read_up_to
        self.attach = inner.attach
        self.caught_up = inner.caught_up
        self.close = inner.close

    def append(self, key: str, value: Value | None) -> int:
        return self._gate("note", lambda: self._inner.append(key, value))


class GatedRunner:
    """A batch runner that tells the gate whose calls come."""

    def __init__(self, inner: BatchRunner, gate: Gate, member: int) -> None:
        self._inner = inner
        self.embedding = inner.embedding
        self.forget = inner.forget
        self.decided = inner.decided
        self._gate = gate
        self._member = member

    def run(self, batch: Sequence[Work]) -> Report:
        first = batch[0].change.position
        self._gate.enter((self._member, first.partition, first.offset))
        return self._inner.run(batch)


class SteppingClock:
    """Moves when somebody waits on it, never back, and lets other threads run meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now_s = 1_000.0
        self.hurry_s = 0.0
        """By how much time jumps whenever somebody looks."""

    def now_s(self) -> float:
        with self._lock:
            self._now_s += self.hurry_s
            return self._now_s

    def unix_ms(self) -> int:
        with self._lock:
            return int(1000 * self._now_s)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now_s += seconds

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """In steps, between which whoever polls may do so before its session is over."""
        left_s = timeout_s
        while left_s > 0 and not event.is_set():
            step_s = min(left_s, _STEP_S)
            self.advance(step_s)
            event.wait(min(step_s, 0.1) * _REAL_PART)
            left_s -= step_s
        return event.is_set()
