"""What becomes of each row of a batch, once the index was looked at."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from worker.errors import RecordError
from worker.immutable import immutable
from worker.model import Op, Outcome
from worker.pipeline.bases import bases_of, is_doubtful, with_text
from worker.pipeline.decide import Decision, decide, is_sent_again, is_stale
from worker.pipeline.other_half import LACK, PAY, aside_may_show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.marks.port import Marks, Watermarks
    from worker.model import Change, Document, Point, Vector
    from worker.pipeline.documents import Documents
    from worker.pipeline.item import Item
    from worker.pipeline.lookup import Belief, Lookup
    from worker.pipeline.other_half import OtherHalf
    from worker.pipeline.patience import Patience

_NOTHING_TO_WRITE = {
    Decision.STALE: Outcome.STALE,
    Decision.UNCHANGED: Outcome.UNCHANGED,
}
_REUSE, _UNCHANGED = Decision.REUSE, Decision.UNCHANGED
"""Named here, as Python 3.11 takes 90 ns to read a member off its class."""

_LOOK_EVERY_S = 0.5


@immutable
class Judge:
    """Decides row by row; what cannot be decided yet has to be looked at again."""

    documents: Documents
    lookup: Lookup
    watermarks: Watermarks
    marks: Marks
    patience: Patience
    settle_s: float
    """Longest time until a write is visible."""
    other_half: OtherHalf

    def judge(self, item: Item, looked_s: float) -> None:
        """Settle what needs no write, find vectors that can stay, complete what was not sent.

        Raises:
            RecordError: the row cannot become a document.
        """
        belief = self.lookup.believe(item, looked_s)
        if item.is_cut:
            most = self.lookup.known.most_chunks(item.ledger, item.address)
            item.chunks_held = max(most, _chunks_held(item, belief))
        is_behind = _is_behind(item, belief) or _is_undone_by(item, belief)
        if self.watermarks.covers(item.change) or is_behind:
            item.outcome = Outcome.STALE
        elif item.change.op.removes:
            self._part_with(item, belief, looked_s)
        elif item.is_partial:
            self._complete(item, belief, looked_s)
        if item.outcome is None and item.document is not None:
            self._compare(item, item.document, belief, looked_s)
        self._prepare(item, belief, looked_s)

    def compare(self, item: Item, looked_s: float) -> None:
        """Judge a row again whose document could be completed after all."""
        if item.document is not None:
            belief = self.lookup.believe(item, looked_s)
            self._compare(item, item.document, belief, looked_s)
            self._prepare(item, belief, looked_s)

    def _part_with(self, item: Item, belief: Belief, looked_s: float) -> None:
        """A deletion; of a row whose key has changed, the vector is kept for its new key."""
        held = belief.held
        if held is not None and held.fingerprint is None:
            item.outcome = Outcome.DELETED  # by the delete that this tombstone follows
        elif item.change.moves_away and belief.settles_at_s is not None:
            item.look_again_s = _soon(looked_s, belief.settles_at_s)
        elif item.change.moves_away and not self._is_marked(item):
            stamp = None if item.stored is None else item.stored.stamp
            # Unfinished is what this very change has begun to delete, once it had parked it.
            item.leaves_vector = stamp is not None and not stamp.is_unfinished

    def _complete(self, item: Item, belief: Belief, looked_s: float) -> None:
        """A partial change is completed by what the index holds for sure.

        What stands under an old key is not sure: its worker may be behind. What that worker parked
        is, also where this very change has been a dead letter, as its other half had not come.
        """
        if belief.settles_at_s is not None:
            item.look_again_s = _soon(looked_s, belief.settles_at_s)
            return
        if aside_may_show(item, looked_s):
            item.look_again_s = _soon(looked_s, item.settles_at_s)
            return
        is_marked = self._is_marked(item)
        if is_marked and item.former is None:
            item.document = self.documents.build(item.change)
            item.is_partial = False
            return
        bases = [] if is_marked else bases_of(item, belief.held)
        item.doubtful = item.moved if is_doubtful(item) else None
        if item.is_parked and item.doubtful is None:
            if self.other_half.has_surely_left(item, looked_s):
                bases += with_text(item.moved)
            elif not bases:
                item.look_again_s = looked_s + _LOOK_EVERY_S
                return
        try:
            item.document = self._completed(item.change, bases)
        except RecordError:
            if item.stored is None and self.lookup.is_buried(item):
                item.outcome = Outcome.STALE
                return
            if bases or self.other_half.is_missed(item, looked_s, LACK):
                raise
            item.look_again_s = looked_s + _LOOK_EVERY_S
            return
        item.is_partial = False

    def _completed(self, change: Change, bases: Sequence[Point]) -> Document | None:
        """By the first point that tells what was not sent."""
        for basis in bases[:-1]:
            with suppress(RecordError):
                return self.documents.build(change, basis)
        return self.documents.build(change, bases[-1] if bases else None)

    def _compare(self, item: Item, document: Document, belief: Belief, looked_s: float) -> None:
        decision = decide(document, item.change, belief.held, is_proven=belief.is_proven)
        if decision is _UNCHANGED and (self._is_marked(item) or self._is_anew(item, belief)):
            decision = _REUSE  # so that the index tells that something else is older
            if not item.is_fetched:  # as it is known; its vector is needed now
                self.lookup.fetch_one(item)
                belief = self.lookup.believe(item, looked_s)
        if decision is _UNCHANGED and _may_be_mixed(item):
            item.is_doubted = True
            return
        item.outcome = _NOTHING_TO_WRITE.get(decision)
        if item.outcome is not None:
            return
        item.vector = _vector_of(
            document.stamp.fingerprint,
            *(item.stored, item.moved, item.aside, item.truncated, item.moved_truncated),
            *item.ahead.values(),
        )
        item.is_reused = item.vector is not None
        if item.is_reused:
            return
        until_s = belief.settles_at_s
        if until_s is not None and decision is not _REUSE:
            until_s = self._shows_s(item, until_s)
        if until_s is not None and looked_s < until_s:
            item.look_again_s = self._when_shown(item, until_s, belief, looked_s)
            return
        half = self.other_half
        if not (half.has_surely_left(item, looked_s) or half.is_missed(item, looked_s, PAY)):
            item.look_again_s = looked_s + _LOOK_EVERY_S

    def _prepare(self, item: Item, belief: Belief, looked_s: float) -> None:
        """See what is about to be written over, or deleted."""
        if item.outcome is not None or item.look_again_s is not None:
            return
        if item.is_cut:
            _wait_until_sure(item, belief, looked_s)
        is_late = belief.held is not None and is_sent_again(item.change, belief.held)
        if belief.settles_at_s is not None and (is_late or self._removes_unseen(item, belief)):
            item.look_again_s = _soon(looked_s, belief.settles_at_s)
        elif is_late and item.stored and item.stored.stamp and not item.stored.stamp.is_unfinished:
            item.displaced = item.stored

    def _removes_unseen(self, item: Item, belief: Belief) -> bool:
        """Whether a row may go that was written lately, which the store does not show yet."""
        is_ours = self.lookup.known.is_written(item.ledger, item.address)
        return item.document is None and belief.held is None and item.known is None and is_ours

    def _shows_s(self, item: Item, settles_at_s: float) -> float | None:
        """From when on the store shows the very text, if that may have been written.

        By this worker, before something made it distrust its memory; by one that did not leave in
        order, whose last records are read again; or by any that had the partition before, unless
        the row is new. None: nobody has written it, or it does not show because it is not there.
        """
        ledger = item.ledger
        if self._is_ours(item):
            return settles_at_s
        if item.shows_inherited:
            return None
        if ledger.is_held:
            return settles_at_s
        if item.change.op is Op.CREATE:
            return None
        return min(settles_at_s, ledger.inherited_s + self.settle_s)

    def _when_shown(self, item: Item, until_s: float, belief: Belief, looked_s: float) -> float:
        """When to look whether its text is there; sooner, if the store tells how much it shows."""
        if not self._is_ours(item) and self.lookup.inherited.ask((item.ledger, item.address[0])):
            return _soon(looked_s, until_s)
        return _when_sure(until_s, belief, looked_s)

    def _is_ours(self, item: Item) -> bool:
        """Whether this worker has written the row lately, and does not know what is there."""
        return item.known is None and self.lookup.known.is_written(item.ledger, item.address)

    def _is_marked(self, item: Item) -> bool:
        """Whether a change of the row before it is a dead letter, so the index is not the row."""
        key, position = item.change.key, item.work.began_at
        return self.patience("reading the state topic", lambda: self.marks.is_marked(key, position))

    def _is_anew(self, item: Item, belief: Belief) -> bool:
        """Whether the row came back after a truncate that may not be read yet.

        By the Position that the point has, the truncate would take it out.
        """
        if not self.watermarks.may_come or belief.held is None:
            return False
        is_newer = belief.held.position != item.change.position
        return is_newer and any(entry.change.op is Op.CREATE for entry in list(item.work.entries))


def _may_be_mixed(item: Item) -> bool:
    """Whether a lost worker may have written some of its chunks over newer ones."""
    is_known = item.known is not None and item.known.shows(item.stored)
    return item.is_cut and item.ledger.is_held and item.is_fetched and not is_known


def _wait_until_sure(item: Item, belief: Belief, looked_s: float) -> None:
    """Chunks are written over what the store shows for sure, or some of the older ones may stay."""
    until_s = belief.settles_at_s
    if until_s is not None:
        item.look_again_s = _when_sure(until_s, belief, looked_s)


def _when_sure(until_s: float, belief: Belief, looked_s: float) -> float:
    """Where nothing is known of a row, only time tells that nothing else comes to light."""
    return _soon(looked_s, until_s) if belief.is_proven else until_s


def _chunks_held(item: Item, belief: Belief) -> int:
    """At most so many; after a truncate some may still be there that are being swept.

    Those that we wrote are there as well where somebody else has changed the index since.
    """
    swept = item.truncated
    left = 0 if swept is None or swept.stamp is None else swept.stamp.chunks
    return max(left, *(0 if held is None else held.chunks for held in (belief.held, item.known)))


def _is_behind(item: Item, belief: Belief) -> bool:
    return belief.held is not None and is_stale(item.change, belief.held)


def _is_undone_by(item: Item, belief: Belief) -> bool:
    """Whether it is sent again, lacks columns, and the index is ahead of it.

    What stands there may be another row by now, whose text it would take. All that came after it
    comes after it again.
    """
    if not item.is_partial or belief.held is None:
        return False
    return is_sent_again(item.change, belief.held)


def _soon(looked_s: float, until_s: float) -> float:
    return min(looked_s + _LOOK_EVERY_S, until_s)


def _vector_of(fingerprint: str, *points: Point | None) -> Vector | None:
    """A vector of exactly this text; it belongs to its fingerprint, however late it was read."""
    for point in points:
        if point is not None and point.stamp and point.stamp.fingerprint == fingerprint:
            return point.vector
    return None
