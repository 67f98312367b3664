"""A change that waits, and the work that a batch does for its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.flow.fold import fold
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.flow.ledger import PartitionLedger
    from worker.model import Change, Key, Position


class Entry:
    """A change in the backlog, with the ledger that hears of its end."""

    __slots__ = (
        "arrived_s",
        "change",
        "gaps",
        "gives_way_s",
        "is_cut",
        "last_gap",
        "ledger",
        "size",
    )

    def __init__(self, change: Change, ledger: PartitionLedger, arrived_s: float) -> None:
        self.change = change
        self.ledger = ledger
        self.arrived_s = arrived_s
        self.size = change.record.size
        self.gaps, self.last_gap = ledger.gaps_of(change.key)
        self.is_cut = False
        """Whether a change of the row that came after this one was taken out."""
        self.gives_way_s: float | None = None
        """Since when it is known that nobody can complete it: what comes next for its row is done
        instead of it."""

    @property
    def began_at(self) -> Position:
        """Where the oldest change stood that this one is made of."""
        return self.change.position

    @property
    def stands_apart(self) -> bool:
        """Whether it is not done with what waits before it: it is half of a key change."""
        return self.change.moves_away or self.change.moved_from is not None

    def is_older_than(self, other: Entry) -> bool:
        """Whether it arrives after ``other`` and is nevertheless provably older.

        Within a partition arrival order is the truth, and where it comes again, under another
        assignment, the offsets are. Between partitions (a key moved when its schema id changed, or
        when partitions were added) only the time in the source can tell, and only if it is strictly
        smaller. The time of a tombstone's record proves nothing about others: its row may have
        changed again before it was sent.
        """
        return self.ledger is not other.ledger and self.was_before(other)

    def comes_again_after(self, other: Entry) -> bool:
        """Whether the source had made it before ``other``, though it arrives later.

        After a crash Debezium sends its last changes once more, in order. What waits may be another
        row by then.
        """
        ours, others = self.change.origin, other.change.origin
        if ours.position is None or others.position is None or ours.position >= others.position:
            return False
        mine_ms, theirs_ms = ours.committed_ms, others.committed_ms
        return mine_ms is None or theirs_ms is None or mine_ms <= theirs_ms

    def was_before(self, other: Entry) -> bool:
        """Whether positions, or times where those do not compare, say so."""
        ours, others = self.change.position, other.change.position
        if self.ledger.partition == other.ledger.partition and ours.comparable(others):
            return ours.offset < others.offset
        mine, theirs = self.change.latest_ms, other.change.origin.committed_ms
        return mine is not None and theirs is not None and mine < theirs

    def lose(self, after: Entry) -> None:
        """What came after it is taken out, for good unless it is read again.

        So is what an earlier assignment of its own partition had read.
        """
        ours, theirs = self.change.position, after.change.position
        comes_again = (
            not after.ledger.is_open
            and self.ledger.partition == after.ledger.partition
            and ours.comparable(theirs)
            and ours.offset <= theirs.offset
        )
        self.is_cut = self.is_cut or not comes_again

    def leads_to(self, after: Entry) -> bool:
        """Whether nothing can have happened to the row between this change and ``after``.

        A record that could not be decoded may have been about the row, unless its key says another.
        """
        return self.ledger is after.ledger and self.gaps == after.gaps and not self.is_cut


@immutable(eq=False)
class Work:
    """What a batch does for one key: the folded change, and the entries that it stands for."""

    change: Change
    entries: list[Entry]
    """In order; the last one is what is done, the others are swallowed by it. Belongs to the
    backlog's thread: older changes may still join while the batch flies."""
    began_at: Position
    """Where the oldest change stood that is a part of ``change``."""
    goes_to: Sequence[Key] = ()
    """Keys that the row is known to get later on, in order."""

    @property
    def key(self) -> Key:
        """The row."""
        return self.change.key

    @property
    def newest(self) -> Entry:
        """The entry whose change it is."""
        return self.entries[-1]

    @property
    def is_ours(self) -> bool:
        """Whether the newest change's partition is still held; any thread may ask."""
        return self.entries[-1].ledger.is_open


def work_of(entries: list[Entry], goes_to: Sequence[Key]) -> Work:
    """Fold the entries, looking back only as far as the row's history is whole."""
    if len(entries) == 1:
        return Work(entries[0].change, entries, entries[0].began_at, goes_to)
    first = len(entries) - 1
    while first and entries[first - 1].leads_to(entries[first]):
        first -= 1
    folded = fold([entry.change for entry in entries[first:]])
    return Work(folded, entries, entries[first].began_at, goes_to)
