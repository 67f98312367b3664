"""A store whose calls are counted, timed and traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.store.place import NOWHERE, Place
from worker.telemetry.calls import STORE_BOUNDS_S, Calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

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

_SYSTEMS: Final = {"pgvector": "postgresql"}
"""What OpenTelemetry's list of ``db.system.name`` calls otherwise; none of the others is in it."""


class MeasuredTransactions:
    """Rows of several points, counted as upserts."""

    def __init__(
        self,
        transactions: Transactions,
        called: Callable[[str, str, int], AbstractContextManager[object]],
    ) -> None:
        self._transactions = transactions
        self._called = called

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        """Write whole rows."""
        with self._called("upsert", namespace, sum(len(row.points) for row in rows)):
            return self._transactions.replace(namespace, rows)


class MeasuredStore:
    """See ``Store``; adds a few microseconds to a call and nothing per point."""

    def __init__(
        self, store: Store, name: str, place: Place = NOWHERE, calls: Calls | None = None
    ) -> None:
        """``name`` is the value of the connector's ``store``, ``place`` what is called there."""
        self._store = store
        self.name = name
        self._collection = place.collection
        self._attributes = {"db.system.name": self.system, **place.attributes}
        self._calls = calls or Calls(STORE_BOUNDS_S)

    @property
    def system(self) -> str:
        """OpenTelemetry's ``db.system.name``."""
        return _SYSTEMS.get(self.name, self.name)

    @property
    def calls(self) -> Calls:
        """What is known of them."""
        return self._calls

    @property
    def capabilities(self) -> Capabilities:
        """The store's."""
        return self._store.capabilities

    @property
    def write_log(self) -> WriteLog | None:
        """The store's."""
        return self._store.write_log

    @property
    def transactions(self) -> MeasuredTransactions | None:
        """The store's."""
        inner = self._store.transactions
        return None if inner is None else MeasuredTransactions(inner, self.called)

    def create(self, dimensions: int) -> bool:
        """Make a missing index, if asked to."""
        return self._store.create(dimensions)

    def check(self, dimensions: int) -> None:
        """Ask the live store."""
        self._store.check(dimensions)

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """The points that exist."""
        with self.called("fetch", namespace, len(ids)):
            return self._store.fetch(namespace, ids)

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write whole points."""
        with self.called("upsert", namespace, len(points)):
            return self._store.upsert(namespace, points)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Delete by id."""
        with self.called("delete", namespace, len(deletions)):
            return self._store.delete(namespace, deletions)

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        """Deletions that are remembered."""
        with self.called("deleted", namespace, len(ids)):
            return self._store.deleted(namespace, ids)

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """The nearest points."""
        return self._store.query(namespace, vector, k, where)

    def scan(self, namespace: str) -> Iterator[Point]:
        """All points of a namespace."""
        return self._store.scan(namespace)

    def namespaces(self) -> Sequence[str]:
        """Names of the namespaces that exist."""
        return self._store.namespaces()

    def close(self) -> None:
        """Drop connections."""
        self._store.close()

    def called(self, operation: str, namespace: str, points: int) -> AbstractContextManager[object]:
        """Count a call. Of a part of a collection, which OpenTelemetry has no attribute for."""
        attributes = {
            **self._attributes,
            "db.operation.name": operation,
            "vecsink.namespace": namespace,
            "vecsink.points": points,
        }
        return self._calls.made(operation, self._collection, attributes)
