"""Writes what a batch has decided, and remembers what the index holds then."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from worker.document.identity import sibling
from worker.errors import WorkerError
from worker.immutable import immutable
from worker.model import Outcome, Point
from worker.pipeline.chunk_writing import has_several, replacement
from worker.pipeline.held import Held
from worker.pipeline.item import by_namespace, still_open
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.parking import Departure
from worker.pipeline.patience import Interrupted
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from worker.errors import RecordError
    from worker.model import Change
    from worker.pipeline.chunk_writing import ChunkWriting
    from worker.pipeline.item import Item
    from worker.pipeline.known import Address, Known
    from worker.pipeline.lease import Lease
    from worker.pipeline.parking import Parking
    from worker.pipeline.patience import Patience
    from worker.store.port import Store

StoreCall: TypeAlias = "Callable[[Sequence[Item]], Mapping[str, RecordError]]"
"""Writes items in one call of the store; the answer says which ids it refused."""


@immutable
class Writing:
    """Upserts and deletes, each right after a look at the lease."""

    store: Store
    known: Known
    parking: Parking
    chunks: ChunkWriting
    lease: Lease
    patience: Patience
    is_guarded: bool
    """Whether the store refuses what is older by itself."""

    def write(self, items: Sequence[Item]) -> None:
        """Give the items their outcomes; those that could not be written come again."""
        for namespace, group in by_namespace(items).items():
            upserts = [item for item in group if item.document is not None]
            removals = [item for item in group if item.document is None]
            try:
                self._put_aside(group)
                self._park(removals)
                self._replace_or_prepare(namespace, group)
                self._send(still_open(upserts), "writing to the store", self._upsert(namespace))
                self._clear(upserts)
                self._send(still_open(removals), "deleting from the store", self._delete(namespace))
                self._clear_aside(group)
            except (LeaseExpired, Interrupted):
                continue  # these items come again; what was written keeps its outcome

    def _replace_or_prepare(self, namespace: str, items: Sequence[Item]) -> None:
        """Rows of several points: as a whole where the store can, else up to their last write."""
        transactions = self.store.transactions
        if transactions is None:
            self.chunks.prepare(namespace, items)
            return

        def call(rows: Sequence[Item]) -> Mapping[str, RecordError]:
            whole = [
                replacement(row, None if row.document is None else _point(row)) for row in rows
            ]
            return transactions.replace(namespace, whole)

        several = [item for item in still_open(items) if has_several(item)]
        self._send(several, "writing to the store", call)

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
                self._forget(item)
            raise
        with self.known.at_once():
            for item in sent:
                item.outcome = refused.get(item.address[1]) or _done(item)
                self._remember(item)

    def _remember(self, item: Item) -> None:
        if not isinstance(item.outcome, Outcome):
            self._forget(item)
            return
        if self._may_be_refused(item):
            self.known.doubt(item.ledger, item.address)
            return
        change, document = item.change, item.document
        if document is None:
            held = Held.deleted(change)
        else:
            chunks = 0 if item.cut is None else len(item.cut.chunks)
            held = Held.written(document, change, chunks)
        self.known.put(item.ledger, item.address, change, held)
        if item.chunks_held > held.chunks:
            self.known.note_shorter(item.ledger, item.address, item.chunks_held)

    def _may_be_refused(self, item: Item) -> bool:
        """Whether the store may have taken the write for an old one, without a word.

        It remembers deletions that nobody sees.
        """
        return self.is_guarded and item.stored is None and item.known is None

    def _forget(self, item: Item) -> None:
        if item.unfinished is None:
            self.known.doubt(item.ledger, item.address)
        else:
            self.chunks.remember(item)

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
        """Before the points go, so that one of the two places always has them.

        The first chunk of a row comes last, as the others are looked for by it.
        """
        leaving = self._leaving(items)
        pieces = _departed((item.address, item.change, item.pieces) for item in leaving)
        points = {
            Departure.of(item.address, item.change): item.stored
            for item in leaving
            if item.stored is not None
        }
        self._put(pieces, points)

    def _leaving(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those that have a point to park.

        What stands under a key when its delete is sent again may be another row by now. What left
        the first time stays, if it is parked still.
        """
        leaving = [item for item in items if item.leaves_vector and item.work.is_ours]
        again = [Departure.of(one.address, one.change) for one in leaving if one.displaced]
        if not again:
            return leaving
        found = self.patience("looking for moved points", lambda: self.parking.find(again))
        return [one for one in leaving if Departure.of(one.address, one.change) not in found]

    def _put_aside(self, items: Sequence[Item]) -> None:
        """What was made later in the source than what takes its place."""
        displaced = [
            (item.address, item.displaced, item.pieces)
            for item in items
            if item.displaced is not None and item.outcome is None and item.work.is_ours
        ]
        points = {Departure.put_aside(address, first): first for address, first, _ in displaced}
        self._put(_aside(displaced), points)
        self.parking.note_aside(points)

    def _put(self, *parts: Mapping[Departure, Point]) -> None:
        for part in parts:
            if part:
                self.lease.check()
                self.parking.put(part, self.patience)

    def _clear_aside(self, items: Sequence[Item]) -> None:
        """What was put aside has come again, or something later."""
        done = [
            (item.address, item.aside, item.aside_pieces)
            for item in items
            if item.aside is not None and _is_as_late(item, item.aside)
        ]
        if done:
            taken = {Departure.put_aside(address, first): first for address, first, _ in done}
            self.parking.clear(taken | _aside(done), self.patience)
            self.parking.forget_aside(address for address, *_ in done)

    def _clear(self, items: Sequence[Item]) -> None:
        arrived = [item for item in items if item.is_parked and item.outcome is Outcome.REUSED]
        taken = {
            Departure.of(item.former, item.change): item.moved
            for item in arrived
            if item.former and item.moved
        }
        if taken:
            taken |= _departed(
                (item.former, item.change, item.moved_pieces) for item in arrived if item.former
            )
            self.parking.clear(taken, self.patience)


def _departed(
    pieces: Iterable[tuple[Address, Change, Sequence[Point]]],
) -> dict[Departure, Point]:
    """The chunks of rows, by what they left."""
    return {
        Departure.of((namespace, sibling(first, number)), change): point
        for (namespace, first), change, points in pieces
        for number, point in enumerate(points, 1)
    }


def _is_as_late(item: Item, aside: Point) -> bool:
    """Whether what was done is what was put aside, or came after it in the source."""
    position = item.change.origin.position
    before = None if aside.stamp is None else aside.stamp.source_position
    if position is None or before is None:
        return False
    return isinstance(item.outcome, Outcome) and position >= before


def _aside(
    rows: Iterable[tuple[Address, Point, Sequence[Point]]],
) -> dict[Departure, Point]:
    """The other chunks of rows, by what they are put aside as."""
    return {
        Departure.put_aside((namespace, point.id), first): point
        for (namespace, _), first, points in rows
        for point in points
    }


def _done(item: Item) -> Outcome:
    """How an item ended whose write the store took."""
    if item.document is None:
        return Outcome.DELETED if item.change.op.removes else Outcome.FILTERED
    return Outcome.REUSED if item.is_reused else Outcome.WRITTEN


def _point(item: Item) -> Point:
    document, vector = item.document, item.vector
    if document is None or vector is None:
        raise AssertionError("a row without document or vector is not upserted")
    if item.cut is not None:
        return item.cut.first
    return Point(document.id, vector, document.metadata, document.stamp)
