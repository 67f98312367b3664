"""What the index holds for rows, fetched ahead in a few threads."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from worker.errors import FatalError, RetriableError
from worker.store.port import MissingIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from worker.model import Point
    from worker.pipeline.model_guard import ModelGuard
    from worker.pipeline.patience import Patience
    from worker.store.port import Store

    Address = tuple[str, str]

T = TypeVar("T")


class Waiting:
    """Waits a while for what is away.

    Unlike a task it does not fail for good: who asks for an estimate may ask again later.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def __call__(self, what: str, call: Callable[[], T]) -> T:
        """Call until it returns.

        Raises:
            RetriableError: it did not in time.
            FatalError: the call raised it.
        """
        try:
            return self._patience(what, call)
        except FatalError as error:
            if isinstance(error.__cause__, RetriableError):
                raise error.__cause__ from None
            raise


class StoredPoints:
    """Reads the store; namespaces that do not exist are not asked for."""

    def __init__(
        self,
        store: Store,
        guard: ModelGuard,
        waiting: Waiting,
        *,
        dimensions: int,
        in_flight: int,
    ) -> None:
        """``dimensions`` are those of the model's vectors."""
        self._store = store
        self._dimensions = dimensions
        self._guard = guard
        self._waiting = waiting
        self._pool = ThreadPoolExecutor(in_flight, thread_name_prefix="fetch")
        self._namespaces: frozenset[str] | None = None

    def ask(self, addresses: Iterable[Address]) -> Future[Mapping[Address, Point]]:
        """Begin to fetch what there is at these (namespace, id)."""
        existing = self._existing()
        ids: dict[str, list[str]] = defaultdict(list)
        for namespace, point_id in addresses:
            if namespace in existing:
                ids[namespace].append(point_id)
        if not ids:
            nothing: Future[Mapping[Address, Point]] = Future()
            nothing.set_result({})
            return nothing
        return self._pool.submit(self._fetch, ids)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _existing(self) -> frozenset[str]:
        """As it was at the first question: nobody else should write meanwhile."""
        if self._namespaces is None:
            self._namespaces = frozenset(self._waiting("looking at the store", self._names))
        return self._namespaces

    def _names(self) -> Sequence[str]:
        """None, where the first run makes the index."""
        try:
            self._store.check(self._dimensions)
        except MissingIndexError as missing:
            if not missing.coming:
                raise
            return ()
        return self._store.namespaces()

    def _fetch(self, ids: Mapping[str, Sequence[str]]) -> Mapping[Address, Point]:
        found: dict[Address, Point] = {}
        for namespace, wanted in ids.items():
            points = self._waiting(
                "fetching from the store",
                lambda ns=namespace, wanted=wanted: self._points(ns, wanted),  # type: ignore[misc]
            )
            found.update(((namespace, point_id), point) for point_id, point in points.items())
        return found

    def _points(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        self._guard.check(namespace)
        points = self._store.fetch(namespace, ids)
        for point in points.values():
            self._guard.compare(namespace, point)
        return points
