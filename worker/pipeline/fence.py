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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from worker.clock import Clock
    from worker.errors import RecordError
    from worker.model import Point, Vector
    from worker.store.port import Capabilities, Deletion, Match, Store

    IsGone: TypeAlias = Callable[[Point], bool]
    """Whether a truncate covers a point."""

_WAIT_S = 5.0
_EARLIEST_PRUNE = 1000


class _Written:
    """Ids that were written lately, and until when each is remembered."""

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}
        self._prune_at = _EARLIEST_PRUNE

    def remember(self, ids: Collection[str], until_s: float) -> None:
        self._until_s.update(dict.fromkeys(ids, until_s))

    def prune(self, now_s: float) -> None:
        if len(self._until_s) < self._prune_at:
            return
        self._until_s = {one: until for one, until in self._until_s.items() if until > now_s}
        self._prune_at = max(_EARLIEST_PRUNE, 2 * len(self._until_s))

    def has(self, point_id: str, now_s: float) -> bool:
        return self._until_s.get(point_id, -math.inf) > now_s


@dataclass(frozen=True, slots=True, eq=False)
class _Deleting:
    """Ids that are being deleted; two truncates of one table may have some in common."""

    ids: frozenset[str]
    over: threading.Event = field(default_factory=threading.Event)


class Fence:
    """A store in whose namespaces truncates can be carried out; shared by all tasks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        can = store.capabilities
        self._memory_s = can.settle_s + can.write_timeout_s
        self._lock = threading.Lock()
        self._gone: dict[str, dict[str, IsGone]] = {}
        self._sweeps: defaultdict[str, int] = defaultdict(int)
        self._written: defaultdict[str, _Written] = defaultdict(_Written)
        self._deleting: defaultdict[str, list[_Deleting]] = defaultdict(list)

    @property
    def quiet_s(self) -> float:
        """When so much time has passed, readers see every write that was under way."""
        return self._memory_s

    @contextmanager
    def sweeping(self, namespace: str, name: str, is_gone: IsGone) -> Iterator[None]:
        """Remember what is written to the namespace until the end of the sweep.

        For ever after, points that are gone are not written; a later ``is_gone`` of the same name
        takes the place of an earlier one.
        """
        with self._lock:
            self._gone[namespace] = {**self._gone.get(namespace, {}), name: is_gone}
            self._sweeps[namespace] += 1
        try:
            yield
        finally:
            with self._lock:
                self._sweeps[namespace] -= 1
                if not self._sweeps[namespace]:
                    self._written.pop(namespace, None)

    @contextmanager
    def deleting(self, namespace: str, ids: Collection[str]) -> Iterator[Collection[str]]:
        """Those of the ids that may be deleted, which nobody writes meanwhile."""
        with self._lock:
            now_s, written = self._clock.now_s(), self._written[namespace]
            free = [one for one in ids if not written.has(one, now_s)]
            deleting = _Deleting(frozenset(free))
            self._deleting[namespace].append(deleting)
        try:
            yield free
        finally:
            with self._lock:
                self._deleting[namespace].remove(deleting)
            deleting.over.set()

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """See the port; what is gone is left out without a word.

        Raises:
            RetriableError: the ids are being deleted, and that takes long.
        """
        gone = self._gone.get(namespace)
        if gone is None:
            return self._store.upsert(namespace, points)
        kept = [point for point in points if not any(is_gone(point) for is_gone in gone.values())]
        if not kept:
            return {}
        with self._writing(namespace, [point.id for point in kept]):
            return self._store.upsert(namespace, kept)

    @contextmanager
    def _writing(self, namespace: str, ids: Collection[str]) -> Iterator[None]:
        until_s = self._clock.now_s() + _WAIT_S
        while (deleting := self._begin(namespace, ids)) is not None:
            if not self._clock.wait(deleting.over, max(0.0, until_s - self._clock.now_s())):
                raise RetriableError("rows of a truncated table are being deleted")
        try:
            yield
        finally:
            with self._lock:
                self._remember(namespace, ids, self._clock.now_s() + self._memory_s)

    def _begin(self, namespace: str, ids: Collection[str]) -> _Deleting | None:
        """Note that these are going to be written, unless one of them is being deleted."""
        with self._lock:
            for deleting in self._deleting[namespace]:
                if not deleting.ids.isdisjoint(ids):
                    return deleting
            self._remember(namespace, ids, math.inf)
            return None

    def _remember(self, namespace: str, ids: Collection[str], until_s: float) -> None:
        if self._sweeps[namespace]:
            self._written[namespace].remember(ids, until_s)
            self._written[namespace].prune(self._clock.now_s())

    # The rest of the port --------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """Those of the store."""
        return self._store.capabilities

    def create(self, dimensions: int) -> None:
        """See the port."""
        self._store.create(dimensions)

    def check(self, dimensions: int) -> None:
        """See the port."""
        self._store.check(dimensions)

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """See the port."""
        return self._store.fetch(namespace, ids)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """See the port."""
        return self._store.delete(namespace, deletions)

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
