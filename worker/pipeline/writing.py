"""Writes what a batch has decided, and remembers what the index holds then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from worker.errors import WorkerError
from worker.model import Outcome, Point
from worker.pipeline.held import Held
from worker.pipeline.item import by_namespace
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.parking import Departure
from worker.pipeline.patience import Interrupted
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.errors import RecordError
    from worker.pipeline.item import Item
    from worker.pipeline.known import Known
    from worker.pipeline.lease import Lease
    from worker.pipeline.parking import Parking
    from worker.pipeline.patience import Patience
    from worker.store.port import Store

StoreCall: TypeAlias = "Callable[[Sequence[Item]], Mapping[str, RecordError]]"
"""Writes items in one call of the store; the answer says which ids it refused."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Upserts and deletes, each right after a look at the lease."""

    store: Store
    known: Known
    parking: Parking
    lease: Lease
    patience: Patience

    def write(self, items: Sequence[Item]) -> None:
        """Give the items their outcomes; those that could not be written come again."""
        for namespace, group in by_namespace(items).items():
            upserts = [item for item in group if item.document is not None]
            removals = [item for item in group if item.document is None]
            try:
                self._park(removals)
                self._send(upserts, "writing to the store", self._upsert(namespace))
                self._clear(upserts)
                self._send(removals, "deleting from the store", self._delete(namespace))
            except (LeaseExpired, Interrupted):
                continue  # these items come again; what was written keeps its outcome

    def _send(self, items: Sequence[Item], what: str, call: StoreCall) -> None:
        """Write what is still ours at that moment, asked anew at each try."""
        sent: list[Item] = []

        def attempt() -> Mapping[str, RecordError]:
            self.lease.check()
            sent[:] = [item for item in items if item.work.is_ours]
            return call(sent) if sent else {}

        try:
            refused = self.patience(what, attempt) if items else {}
        except (LeaseExpired, Interrupted, WorkerError):
            for item in sent:  # nobody knows what became of them
                self.known.forget(item.ledger, item.address)
            raise
        for item in sent:
            item.outcome = refused.get(item.address[1]) or _done(item)
            self._remember(item)

    def _remember(self, item: Item) -> None:
        if not isinstance(item.outcome, Outcome):
            self.known.forget(item.ledger, item.address)
            return
        change, document = item.change, item.document
        held = Held.deleted(change) if document is None else Held.written(document, change)
        self.known.put(item.ledger, item.address, change, held)

    def _upsert(self, namespace: str) -> StoreCall:
        def call(items: Sequence[Item]) -> Mapping[str, RecordError]:
            points = {item.address[1]: _point(item) for item in items}
            return self.store.upsert(namespace, list(points.values()))

        return call

    def _delete(self, namespace: str) -> StoreCall:
        def call(items: Sequence[Item]) -> Mapping[str, RecordError]:
            gone = {
                item.address[1]: Deletion(item.address[1], item.change.position) for item in items
            }
            return self.store.delete(namespace, list(gone.values()))

        return call

    def _park(self, items: Sequence[Item]) -> None:
        """Before the points go, so that one of the two places always has them."""
        points = {
            Departure.of(item.address, item.change): item.stored
            for item in items
            if item.leaves_vector and item.stored is not None and item.work.is_ours
        }
        if points:
            self.lease.check()
            self.parking.put(points, self.patience)

    def _clear(self, items: Sequence[Item]) -> None:
        taken = {
            Departure.of(item.former, item.change): item.moved
            for item in items
            if item.is_parked and item.former and item.moved and item.outcome is Outcome.REUSED
        }
        if taken:
            self.parking.clear(taken, self.patience)


def _done(item: Item) -> Outcome:
    """How an item ended whose write the store took."""
    if item.document is None:
        return Outcome.DELETED if item.change.op.removes else Outcome.FILTERED
    return Outcome.REUSED if item.is_reused else Outcome.WRITTEN


def _point(item: Item) -> Point:
    document, vector = item.document, item.vector
    if document is None or vector is None:
        raise AssertionError("a row without document or vector is not upserted")
    return Point(document.id, vector, document.metadata, document.stamp)
