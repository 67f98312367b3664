"""Writes of rows with several points, up to the one that stands for the row.

A crash may come between any two calls, and the next change of the row may be shorter, gone, or as
the row was before. So before another point is touched the first chunk says so: it is unfinished,
never taken for what its text was, and counts the points that there may be. It is written last, or
deleted last, after everything else (ADR 9).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from worker.document.identity import sibling
from worker.immutable import immutable
from worker.model import REWRITTEN, Outcome, Point
from worker.pipeline.held import Held
from worker.pipeline.item import still_open
from worker.store.port import Deletion, Replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.errors import RecordError
    from worker.flow.entry import Work
    from worker.model import Document, Position, Stamp
    from worker.pipeline.item import Item
    from worker.pipeline.known import Known
    from worker.pipeline.lease import Lease
    from worker.pipeline.patience import Patience
    from worker.store.port import Store

T = TypeVar("T")
_LOOK_EVERY_S = 0.5


@immutable
class ChunkWriting:
    """Everything but the last write of a row."""

    store: Store
    known: Known
    lease: Lease
    patience: Patience
    is_guarded: bool
    """Whether the store refuses what is older by itself."""

    def prepare(self, namespace: str, items: Sequence[Item]) -> None:
        """Bring all points of these rows to their new state but the first of each.

        Rows of one point have nothing to prepare. What the store refuses decides its row.

        Raises:
            LeaseExpired, Interrupted, WorkerError: nobody knows what was written; ``Known`` does
                not count on it.
        """
        rows = [item for item in items if has_several(item)]
        if not rows:
            return
        for item in rows:
            item.unfinished = _unfinished(item)
        self._upsert(namespace, {item: _announced(item) for item in rows})
        if self.is_guarded:
            self._leave_out(namespace, still_open(rows))
        self._upsert(namespace, {item: _others(item) for item in still_open(rows)})
        self._delete(namespace, {item: _leftovers(item) for item in still_open(rows)})

    def _leave_out(self, namespace: str, rows: Sequence[Item]) -> None:
        """A store that refused the sign, without a word, may know something newer of the row.

        Of the other chunks it may know nothing, so that it would take them. What it knows may also
        be a deletion just before the change, which has the sign's Position; then it takes a sign
        of the change's own.
        """
        refused = self._refused(namespace, rows)
        for item in refused:
            item.unfinished = _at(item.unfinished, _oldest_needed(item.work))
        self._upsert(namespace, {item: _announced(item) for item in refused})
        for item in self._refused(namespace, still_open(refused)):
            item.outcome = Outcome.STALE
            self.known.forget(item.ledger, item.address)  # the sign is not there

    def _refused(self, namespace: str, rows: Sequence[Item]) -> Sequence[Item]:
        """Those with a sign of which the store has nothing, or something newer than the change.

        Where a write takes time to be seen, nothing is known before that is over.
        """
        refused = self._unseen(namespace, [item for item in rows if item.unfinished is not None])
        left_s = self.known.settle_s
        while refused and left_s > 0:
            self.patience.pause(min(_LOOK_EVERY_S, left_s))
            left_s -= _LOOK_EVERY_S
            refused = self._unseen(namespace, refused)
        return refused

    def _unseen(self, namespace: str, signed: Sequence[Item]) -> Sequence[Item]:
        if not signed:
            return ()
        ids = [item.address[1] for item in signed]
        found = self.patience("reading the store", lambda: self.store.fetch(namespace, ids))
        return [item for item in signed if not _is_due(item, found.get(item.address[1]))]

    def _upsert(self, namespace: str, points: Mapping[Item, Sequence[Point]]) -> None:
        def call(items: Sequence[Item]) -> Mapping[str, RecordError]:
            return self.store.upsert(namespace, _all(points, items))

        self._send("writing to the store", points, call)

    def _delete(self, namespace: str, gone: Mapping[Item, Sequence[Deletion]]) -> None:
        def call(items: Sequence[Item]) -> Mapping[str, RecordError]:
            return self.store.delete(namespace, _all(gone, items))

        self._send("deleting from the store", gone, call)

    def _send(
        self,
        what: str,
        parts: Mapping[Item, Sequence[Point | Deletion]],
        call: Callable[[Sequence[Item]], Mapping[str, RecordError]],
    ) -> None:
        """Send what is still ours at that moment, asked anew at each try."""
        items = [item for item, mine in parts.items() if mine]
        sent: list[Item] = []

        def attempt() -> Mapping[str, RecordError]:
            self.lease.check()
            sent[:] = [item for item in items if item.work.is_ours]
            return call(sent) if sent else {}

        if not items:
            return
        try:
            refused = self.patience(what, attempt)
        finally:
            for item in sent:
                self.remember(item)
        if refused:
            for item in sent:
                mine = (refused[one.id] for one in parts[item] if one.id in refused)
                item.outcome = next(mine, None)

    def remember(self, item: Item) -> None:
        """Its row is unfinished."""
        held = Held.fetched(item.unfinished)
        if held is not None:
            self.known.put(item.ledger, item.address, item.change, held)


def has_several(item: Item) -> bool:
    """Whether the row has several points, before or after."""
    return item.is_cut and _points(item) > 1


def replacement(item: Item, first: Point | None) -> Replacement:
    """The row as a whole, for a store that writes it so; ``first`` stands for it, if it stays."""
    point_id, leftovers = item.address[1], _leftovers(item)
    if first is not None:
        return Replacement(point_id, (first, *_others(item)), leftovers)
    return Replacement(point_id, (), [Deletion(point_id, item.change.position), *leftovers])


def _all(parts: Mapping[Item, Sequence[T]], items: Sequence[Item]) -> list[T]:
    return [one for item in items for one in parts[item]]


def _is_due(item: Item, stands: Point | None) -> bool:
    """Whether what stands for the row is nothing newer than the change."""
    if stands is None or stands.stamp is None:
        return False
    return not item.change.position.is_before(stands.stamp.position)


def _at(sign: Point | None, position: Position) -> Point | None:
    if sign is None or sign.stamp is None:
        return sign
    return replace(sign, stamp=replace(sign.stamp, position=position))


def _points(item: Item) -> int:
    """How many there are, before or after."""
    return max(item.chunks_held, 0 if item.cut is None else len(item.cut.chunks))


def _unfinished(item: Item) -> Point | None:
    """The first chunk as it is, or else as it is going to be, with the sign that it is not all."""
    before = item.stored
    if before is not None and before.stamp is not None:
        text = _text_kept(item.document, before.stamp)
        stamp = replace(before.stamp, document=text, chunks=_points(item))
        return replace(before, stamp=stamp)
    if item.cut is None:
        return None
    first = item.cut.first
    stamp = replace(
        item.cut.chunks[0].stamp,
        position=_before(_oldest_needed(item.work)),
        document="",
        chunks=_points(item),
    )
    return replace(first, stamp=stamp)


def _oldest_needed(work: Work) -> Position:
    """Where the change stands that must not count as old before the row is written.

    A change that lacks its text took it from one before it, which has to be read again with it.
    """
    return work.began_at if work.newest.change.unavailable else work.change.position


def _before(position: Position) -> Position:
    """So that a store that guards itself lets the finished row stand, should this one come late."""
    return replace(position, offset=max(0, position.offset - 1))


def _text_kept(document: Document | None, before: Stamp) -> str:
    """What can be said of the text meanwhile: what it is, if only the metadata changes."""
    is_kept = document is not None and before.text == document.stamp.fingerprint
    return REWRITTEN + before.text if is_kept else ""


def _announced(item: Item) -> Sequence[Point]:
    """Nothing if the index says so already, since a write that did not end."""
    before = None if item.stored is None else item.stored.stamp
    unfinished = item.unfinished
    if unfinished is None or unfinished.stamp == before:
        return ()
    return (unfinished,)


def _others(item: Item) -> Sequence[Point]:
    return () if item.cut is None else item.cut.others


def _leftovers(item: Item) -> Sequence[Deletion]:
    kept = 1 if item.cut is None else len(item.cut.chunks)
    first, position = item.address[1], item.change.position
    return [Deletion(sibling(first, number), position) for number in range(kept, item.chunks_held)]
