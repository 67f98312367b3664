"""Rows that a worker which did not leave in order may still write over: they are compared again.

Where a store has no conditional writes, what such a worker had sent may arrive after what its
successor wrote. Once nothing of that can come any more, each row is compared with the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.flow.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.flow.batching import BufferLimits
    from worker.flow.entry import Work
    from worker.flow.ledger import PartitionLedger
    from worker.model import Key, Record, TopicPartition


class Again(Entry):
    """What was last done for a row, to be compared with the index once more."""

    __slots__ = ("address", "not_before_s")

    address: tuple[str, str]
    """Namespace and id of its point."""
    not_before_s: float
    """When every reader sees what was written."""

    @classmethod
    def of(cls, work: Work, address: tuple[str, str], not_before_s: float) -> Again:
        """Of work that came to its end. The folded change, as it is what was written."""
        newest = work.newest
        again = cls(work.change, newest.ledger, newest.arrived_s)
        again.address, again.not_before_s = address, not_before_s
        again.gaps, again.last_gap, again.is_cut = newest.gaps, newest.last_gap, newest.is_cut
        return again


class SecondLook:
    """One partition's rows during one assignment: collected until it begins, then compared.

    The last owner had read no more than its buffer holds, and nothing beyond the end of the log as
    it was when the partition came. So it covers the rows of the first records, up to either.
    """

    def __init__(self, partition: TopicPartition, limits: BufferLimits, due_s: float) -> None:
        self.partition = partition
        self.due_s = due_s
        self._limits = limits
        self._seen_to = 0
        self._covered_rows = 0
        self._covered_bytes = 0
        self._end: int | None = None
        self._began_s: float | None = None
        self._rows: dict[Key, Again] = {}
        self.flying: set[Work] = set()
        """What may have looked at the index too early, and has not landed yet."""
        self.bytes = 0
        """Of the records that are kept."""

    @property
    def rows(self) -> int:
        """Changes that are kept, one for each row."""
        return len(self._rows)

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    @property
    def keys(self) -> Iterable[Key]:
        """Of the rows that are still to be compared."""
        return list(self._rows)

    @property
    def kept(self) -> Iterable[Again]:
        """What is still to be compared."""
        return list(self._rows.values())

    @property
    def has_begun(self) -> bool:
        """Whether nothing of the last owner can come any more."""
        return self._began_s is not None

    def receive(self, record: Record) -> None:
        """Take note of a record of the partition; in their order."""
        if self._end is not None or record.offset < self._seen_to:
            return
        self._seen_to = record.offset + 1
        self._covered_rows += 1
        self._covered_bytes += record.size
        if self._limits.are_reached(self._covered_rows, self._covered_bytes):
            self._end = record.offset + 1

    def reach(self, end: int) -> None:
        """The log has no more for now; what comes later the last owner cannot have read."""
        if self._end is None:
            self._end = end

    def note(self, work: Work, address: tuple[str, str], visible_s: float) -> None:
        """Work on a row came to its end; every reader sees what was written at ``visible_s``.

        What arrived after the beginning saw the index as the last owner left it: that was the look.
        """
        if self._saw_it_all(work.newest):
            self._drop(work.key)
        elif work.key in self._rows or any(map(self._covers, work.entries)):
            self._drop(work.key)
            self._rows[work.key] = again = Again.of(work, address, visible_s)
            self.bytes += again.size

    def note_dead_letter(self, newest: Entry) -> None:
        """A change goes to the dead-letter topic: what comes after it knows nothing before it."""
        again = self._rows.get(newest.change.key)
        if isinstance(newest, Again):
            self._drop(newest.change.key)
        elif again is not None:
            again.is_cut = True

    def begin(self, now_s: float, ledger: PartitionLedger, flying: Iterable[Work] = ()) -> None:
        """The time has come. What is received from now on needs no second look."""
        self._began_s = now_s
        self.flying = set(flying)
        self.reach(ledger.received_to or 0)

    def again(self, key: Key, now_s: float) -> Again | None:
        """What to compare for a row now; None if it is too early.

        It is dropped if its partition went to somebody else meanwhile.
        """
        again = self._rows[key]
        if not again.ledger.is_open:
            self._drop(key)
            return None
        if now_s < again.not_before_s:
            return None
        again.arrived_s = now_s
        return again

    def is_over(self, ledger: PartitionLedger) -> bool:
        """Whether all is compared, or there is nothing to compare.

        What only waited at the beginning looks at the index when its turn comes: that is its look.
        """
        if self._end is None:
            return False
        if ledger.first is None or ledger.first >= self._end:
            return True
        is_through = (ledger.finished_to or 0) >= self._end or not ledger.unfinished
        return self.has_begun and not self._rows and (is_through or not self.flying)

    def _covers(self, entry: Entry) -> bool:
        is_here = entry.ledger.partition == self.partition
        return is_here and (self._end is None or entry.change.record.offset < self._end)

    def _saw_it_all(self, newest: Entry) -> bool:
        began_s = self._began_s
        return began_s is not None and (isinstance(newest, Again) or newest.arrived_s > began_s)

    def _drop(self, key: Key) -> None:
        again = self._rows.pop(key, None)
        if again is not None:
            self.bytes -= again.size
