"""A store whose calls are counted, timed and traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.telemetry.calls import STORE_BOUNDS_S, Calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.errors import RecordError
    from worker.model import Point, Vector
    from worker.store.port import Capabilities, Deletion, Match, Store

_SYSTEMS: Final = {"pgvector": "postgresql"}
"""What OpenTelemetry's list of ``db.system.name`` calls otherwise; none of the others is in it."""


class MeasuredStore:
    """See ``Store``; adds a few microseconds to a call and nothing per point."""

    def __init__(self, store: Store, name: str, calls: Calls | None = None) -> None:
        """``name`` is the value of the connector's ``store``."""
        self._store = store
        self.name = name
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

    def create(self, dimensions: int) -> bool:
        """Make a missing index, if asked to."""
        return self._store.create(dimensions)

    def check(self, dimensions: int) -> None:
        """Ask the live store."""
        self._store.check(dimensions)

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """The points that exist."""
        with self._calls.made("fetch", namespace, self._attributes("fetch", namespace, len(ids))):
            return self._store.fetch(namespace, ids)

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write whole points."""
        attributes = self._attributes("upsert", namespace, len(points))
        with self._calls.made("upsert", namespace, attributes):
            return self._store.upsert(namespace, points)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Delete by id."""
        attributes = self._attributes("delete", namespace, len(deletions))
        with self._calls.made("delete", namespace, attributes):
            return self._store.delete(namespace, deletions)

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

    def _attributes(self, operation: str, namespace: str, points: int) -> Mapping[str, str | int]:
        """One operation of many points is no batch to OpenTelemetry."""
        return {
            "db.system.name": self.system,
            "db.operation.name": operation,
            "db.collection.name": namespace,
            "vecsink.points": points,
        }
