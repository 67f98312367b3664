"""Where the points of rows wait whose key changes, until the owner of the new key takes them.

Debezium sends a key change as a delete and a create, to partitions that different workers may hold.
Whoever deletes the old point parks it first; whoever writes the new one looks at both places.
A key may be left by several rows one after the other, such as one that is used to swap two others,
so a parked point is found by its old address and by when it left: both halves of a key change come
from one source position. Tombstones, and rows that were flattened without ``add.fields``, tell
none; then it is found by where it went, if it left when the other half was sent.

After a crash Debezium sends its last changes again. One of an earlier row under a key then takes
the point of the row that came there later, and with it a text that the other's own record may lack.
So that point is put aside here too, under its id and the source position that it was written for.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from worker.document.fingerprint import digest
from worker.errors import WorkerError
from worker.model import Point
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.model import Change, Key
    from worker.pipeline.known import Address
    from worker.pipeline.patience import Patience
    from worker.store.port import Store

_log = logging.getLogger(__name__)

NAMESPACE = "_vecsink_moved"
"""Reserved, for all namespaces of a store."""
PARKED_AT = "vecsink parked at"
"""Metadata: Unix time in seconds. With a blank, so that it is nobody's column."""
SENT_AT = "vecsink sent at"
"""Metadata: the timestamp of the departure's record, in ms, where it tells no source position."""
_KEPT_S = 24 * 3600
_OURS = frozenset({PARKED_AT, SENT_AT})
_HALVES_MS = 60_000
"""Debezium sends both halves one after the other; this is its producer's longest pause."""
_DELETED_AT_ONCE = 1000
_MOST_ASIDE = 10_000
"""Of so many it is remembered that they were put aside; of more, what nobody needs stays a day."""


class Departure(NamedTuple):
    """A row's leaving of a key, as either half of the key change tells it."""

    address: Address
    source_position: int | None
    """None if the source says none; then the last one who left is meant."""
    new_key: Key | None = None
    """Where to, if that is known instead: of those who left for there the last one is meant."""
    sent_ms: int | None = None
    """The record's timestamp."""

    @classmethod
    def of(cls, address: Address, change: Change) -> Departure:
        """What the delete of the old key, or the create of the new one, tells."""
        sent_ms = change.record.timestamp_ms
        return cls(address, change.departed_at, change.departed_to, sent_ms)

    @classmethod
    def written_by(cls, address: Address, change: Change) -> Departure | None:
        """What this very change had written; None if its position is not told."""
        position = change.origin.position
        return None if position is None else cls(address, position)

    @classmethod
    def put_aside(cls, address: Address, first: Point) -> Departure:
        """What stands there; ``first`` is the point that stands for the row."""
        return cls(address, None if first.stamp is None else first.stamp.source_position)


class Parking:
    """Keeps points by what they left. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._swept_s: float | None = None
        self._aside: OrderedDict[Address, Departure] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, points: Mapping[Departure, Point], patience: Patience) -> None:
        """Keep these points for a day; one that the store refuses is given up."""
        parked = [_parked(departure, point) for departure, point in points.items()]
        patience("parking moved points", lambda: self._store.upsert(NAMESPACE, parked))
        self._sweep_daily()

    def note_aside(self, departures: Iterable[Departure]) -> None:
        """These were put aside; whoever writes to their places next may need them, or clears."""
        with self._lock:
            self._aside.update((one.address, one) for one in departures)
            while len(self._aside) > _MOST_ASIDE:
                self._aside.popitem(last=False)

    def aside(self, address: Address) -> Departure | None:
        """What this process has put aside of a place."""
        return self._aside.get(address)

    def forget_aside(self, addresses: Iterable[Address]) -> None:
        """It is not there any more."""
        with self._lock:
            for address in addresses:
                self._aside.pop(address, None)

    def find(self, departures: Iterable[Departure]) -> dict[Departure, Point]:
        """Those that are parked, with the id that they had.

        Raises:
            RetriableError, FatalError: as ``Store.fetch``.
        """
        wanted = {_id(departure): departure for departure in departures}
        found = self._store.fetch(NAMESPACE, list(wanted))
        return {
            wanted[name]: _taken(wanted[name], point)
            for name, point in found.items()
            if not _is_earlier(wanted[name], point)
        }

    def clear(self, points: Mapping[Departure, Point], patience: Patience) -> None:
        """They have found their new place."""
        gone = [
            Deletion(_id(departure), point.stamp.position)
            for departure, point in points.items()
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


def _id(departure: Departure) -> str:
    (namespace, point_id), position, new_key, _ = departure
    when = "" if position is None else str(position)
    where = "" if new_key is None else f"\0{[value for _, value in new_key.columns]!r}"
    return digest(f"{namespace}\0{point_id}\0{when}{where}".encode())


def _parked(departure: Departure, point: Point) -> Point:
    metadata = {**point.metadata, PARKED_AT: int(time.time())}
    if departure.source_position is None and departure.sent_ms is not None:
        metadata[SENT_AT] = departure.sent_ms
    return Point(_id(departure), point.vector, metadata, point.stamp)


def _taken(departure: Departure, point: Point) -> Point:
    metadata = {name: value for name, value in point.metadata.items() if name not in _OURS}
    return Point(departure.address[1], point.vector, metadata, point.stamp)


def _is_earlier(departure: Departure, point: Point) -> bool:
    """Whether it left for the same key long before, and nobody took it."""
    sent_ms = point.metadata.get(SENT_AT)
    if departure.sent_ms is None or not isinstance(sent_ms, int | float):
        return False
    return sent_ms < departure.sent_ms - _HALVES_MS


def _parked_at_s(point: Point) -> float:
    parked_at = point.metadata.get(PARKED_AT)
    return float(parked_at) if isinstance(parked_at, int | float) else 0.0
