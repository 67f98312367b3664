"""Keeps the deletes of a truncate and the writes of batches apart, in front of the store.

Most stores delete by id whatever stands there by then. A row that was inserted again after the
truncate must not go with its older self, so while a truncate is carried out the ids that are
written are remembered until every reader sees them, and the sweep leaves them alone; an id that is
being deleted is not written until that is over. And what the truncate covers is not written any
more, however long its batch was under way.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.immutable import immutable
from worker.pipeline.written_ids import Memory, WrittenIds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import TypeAlias, TypeVar

    from worker.clock import Clock
    from worker.errors import RecordError
    from worker.model import Point, Position, Vector
    from worker.store.port import (
        Capabilities,
        Deletion,
        Match,
        Replacement,
        Store,
        Transactions,
        WriteLog,
    )

    IsGone: TypeAlias = Callable[[Point], bool]
    """Whether a truncate covers a point."""
    Row = TypeVar("Row", Point, Replacement)

_WAIT_S = 5.0


@immutable(eq=False)
class _Deleting:
    """Ids that are being deleted; two truncates of one table may have some in common."""

    ids: frozenset[str]
    over: threading.Event = field(default_factory=threading.Event)


class FencedTransactions:
    """A store's, where truncates can be carried out."""

    def __init__(self, inner: Transactions, fence: Fence) -> None:
        self._inner = inner
        self._fence = fence

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        """See the port; rows that are gone are left out without a word."""
        return self._fence.replace(namespace, rows, self._inner)


class Fence:
    """A store in whose namespaces truncates can be carried out; shared by all tasks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        can = store.capabilities
        self._memory_s = can.settle_s + can.write_timeout_s
        self._lock = threading.Lock()
        self._gone: dict[str, dict[str, IsGone]] = {}
        self._begun = 0
        """Sweeps, of all namespaces."""
        self._sweeps: defaultdict[str, int] = defaultdict(int)
        self._written: defaultdict[str, WrittenIds] = defaultdict(WrittenIds)
        self._deleting: defaultdict[str, list[_Deleting]] = defaultdict(list)

    @property
    def quiet_s(self) -> float:
        """When so much time has passed, readers see every write that was under way."""
        return self._memory_s

    @contextmanager
    def sweeping(self, namespace: str, name: str, is_gone: IsGone) -> Iterator[int]:
        """Remember what is written to the namespace until the end of the sweep; its number.

        For ever after, points that are gone are not written; a later ``is_gone`` of the same name
        takes the place of an earlier one. A write that has begun before is not remembered for this
        sweep, as nobody asked whether it is gone: it has ended when the sweep looks.
        """
        with self._lock:
            self._begun += 1
            number = self._begun
            self._gone[namespace] = {**self._gone.get(namespace, {}), name: is_gone}
            self._sweeps[namespace] += 1
        try:
            yield number
        finally:
            with self._lock:
                self._sweeps[namespace] -= 1
                if not self._sweeps[namespace]:
                    self._written.pop(namespace, None)

    @contextmanager
    def deleting(
        self, namespace: str, sweep: int, ids: Collection[str]
    ) -> Iterator[Collection[str]]:
        """Those of the ids that a sweep may delete, which nobody writes meanwhile."""
        with self._lock:
            now_s, written = self._clock.now_s(), self._written[namespace]
            free = [one for one in ids if not written.has(one, now_s, sweep)]
            deleting = _Deleting(frozenset(free))
            self._deleting[namespace].append(deleting)
        try:
            yield free
        finally:
            with self._lock:
                self._deleting[namespace].remove(deleting)
            deleting.over.set()

    @property
    def transactions(self) -> FencedTransactions | None:
        """See the port."""
        inner = self._store.transactions
        return None if inner is None else FencedTransactions(inner, self)

    def replace(
        self, namespace: str, rows: Sequence[Replacement], transactions: Transactions
    ) -> Mapping[str, RecordError]:
        """As ``upsert``, of rows of several points.

        Raises:
            RetriableError: the ids are being deleted, and that takes long.
        """
        gone, knew = self._truncated(namespace)
        if not gone:
            return transactions.replace(namespace, rows)
        kept = [
            row
            for row in rows
            if not any(is_gone(point) for is_gone in gone for point in row.points[:1])
        ]
        ids = [one.id for row in kept for one in row.points]
        return self._write(namespace, kept, ids, knew, transactions.replace)

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """See the port; what is gone is left out without a word.

        Raises:
            RetriableError: the ids are being deleted, and that takes long.
        """
        gone, knew = self._truncated(namespace)
        if not gone:
            return self._store.upsert(namespace, points)
        kept = [point for point in points if not any(is_gone(point) for is_gone in gone)]
        ids = [point.id for point in kept]
        return self._write(namespace, kept, ids, knew, self._store.upsert)

    def _truncated(self, namespace: str) -> tuple[Collection[IsGone], int]:
        """What tells which points are gone, and how many sweeps have begun so far."""
        with self._lock:
            return self._gone.get(namespace, {}).values(), self._begun

    def _write(
        self,
        namespace: str,
        rows: Sequence[Row],
        ids: Collection[str],
        knew: int,
        write: Callable[[str, Sequence[Row]], Mapping[str, RecordError]],
    ) -> Mapping[str, RecordError]:
        if not rows:
            return {}
        with self._writing(namespace, ids, knew):
            return write(namespace, rows)

    @contextmanager
    def _writing(self, namespace: str, ids: Collection[str], knew: int) -> Iterator[None]:
        until_s = self._clock.now_s() + _WAIT_S
        while (deleting := self._begin(namespace, ids, knew)) is not None:
            if not self._clock.wait(deleting.over, max(0.0, until_s - self._clock.now_s())):
                raise RetriableError("rows of a truncated table are being deleted")
        try:
            yield
        finally:
            with self._lock:
                until_s = self._clock.now_s() + self._memory_s
                self._remember(namespace, ids, Memory(until_s, knew))

    def _begin(self, namespace: str, ids: Collection[str], knew: int) -> _Deleting | None:
        """Note that these are going to be written, unless one of them is being deleted."""
        with self._lock:
            for deleting in self._deleting[namespace]:
                if not deleting.ids.isdisjoint(ids):
                    return deleting
            self._remember(namespace, ids, Memory(math.inf, knew))
            return None

    def _remember(self, namespace: str, ids: Collection[str], memory: Memory) -> None:
        if self._sweeps[namespace]:
            self._written[namespace].remember(ids, memory)
            self._written[namespace].prune(self._clock.now_s())

    # The rest of the port --------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """Those of the store."""
        return self._store.capabilities

    @property
    def write_log(self) -> WriteLog | None:
        """See the port."""
        return self._store.write_log

    def create(self, dimensions: int) -> bool:
        """See the port."""
        return self._store.create(dimensions)

    def check(self, dimensions: int) -> None:
        """See the port."""
        self._store.check(dimensions)

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """See the port."""
        return self._store.fetch(namespace, ids)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """See the port."""
        return self._store.delete(namespace, deletions)

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        """See the port."""
        return self._store.deleted(namespace, ids)

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """See the port."""
        return self._store.query(namespace, vector, k, where)

    def scan(self, namespace: str) -> Iterator[Point]:
        """See the port."""
        return self._store.scan(namespace)

    def namespaces(self) -> Sequence[str]:
        """See the port."""
        return self._store.namespaces()

    def close(self) -> None:
        """See the port."""
        self._store.close()
