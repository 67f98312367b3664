"""Where the points of rows wait whose key changes, until the owner of the new key takes them.

Debezium sends a key change as a delete and a create, to partitions that different workers may hold.
Whoever deletes the old point parks it first; whoever writes the new one looks at both places.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from worker.document.fingerprint import digest
from worker.errors import WorkerError
from worker.model import Point
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.pipeline.known import Address
    from worker.pipeline.patience import Patience
    from worker.store.port import Store

_log = logging.getLogger(__name__)

NAMESPACE = "_vecsink_moved"
"""Reserved, for all namespaces of a store."""
PARKED_AT = "vecsink parked at"
"""Metadata: Unix time in seconds. With a blank, so that it is nobody's column."""
_KEPT_S = 24 * 3600
_DELETED_AT_ONCE = 1000


class Parking:
    """Keeps points by the address that they had. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._swept_s: float | None = None

    def put(self, points: Mapping[Address, Point], patience: Patience) -> None:
        """Keep these points for a day; one that the store refuses is given up."""
        parked = [_parked(address, point) for address, point in points.items()]
        patience("parking moved points", lambda: self._store.upsert(NAMESPACE, parked))
        self._sweep_daily()

    def find(self, addresses: Iterable[Address]) -> dict[Address, Point]:
        """Those that are parked, with the id that they had.

        Raises:
            RetriableError, FatalError: as ``Store.fetch``.
        """
        wanted = {_id(address): address for address in addresses}
        found = self._store.fetch(NAMESPACE, list(wanted))
        return {wanted[name]: _taken(wanted[name], point) for name, point in found.items()}

    def clear(self, points: Mapping[Address, Point], patience: Patience) -> None:
        """They have found their new place."""
        gone = [
            Deletion(_id(address), point.stamp.position)
            for address, point in points.items()
            if point.stamp is not None
        ]
        patience("clearing moved points", lambda: self._store.delete(NAMESPACE, gone))

    def _sweep_daily(self) -> None:
        """Points whose rows were written from elsewhere stay behind."""
        now_s = time.monotonic()
        if self._swept_s is not None and now_s - self._swept_s < _KEPT_S:
            return
        self._swept_s = now_s
        try:
            self._sweep()
        except WorkerError as error:
            _log.debug("Left-over points of %s stay for another day: %s", NAMESPACE, error)

    def _sweep(self) -> None:
        oldest_s = time.time() - _KEPT_S
        gone = [
            Deletion(point.id, point.stamp.position)
            for point in self._store.scan(NAMESPACE)
            if point.stamp is not None and _parked_at_s(point) < oldest_s
        ]
        for begin in range(0, len(gone), _DELETED_AT_ONCE):
            self._store.delete(NAMESPACE, gone[begin : begin + _DELETED_AT_ONCE])


def _id(address: Address) -> str:
    return digest("\0".join(address).encode())


def _parked(address: Address, point: Point) -> Point:
    metadata = {**point.metadata, PARKED_AT: int(time.time())}
    return Point(_id(address), point.vector, metadata, point.stamp)


def _taken(address: Address, point: Point) -> Point:
    metadata = {name: value for name, value in point.metadata.items() if name != PARKED_AT}
    return Point(address[1], point.vector, metadata, point.stamp)


def _parked_at_s(point: Point) -> float:
    parked_at = point.metadata.get(PARKED_AT)
    return float(parked_at) if isinstance(parked_at, int | float) else 0.0
