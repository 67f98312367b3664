"""Which offset may be committed: per partition, the offsets received and not yet finished.

Only received offsets are tracked, so gaps (compaction, transaction markers) need no special case.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from worker.flow.lettered import Lettered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from worker.model import Key, Record, TopicPartition


_NONE = (0, -1)
_MOST_GAPS = 10_000
"""Rows of one partition whose undecodable records are told apart."""


class PartitionLedger:
    """The unfinished offsets of one partition during one assignment.

    A new assignment gets a new ledger, and a closed one ignores everything: holding on to the
    ledger that an offset was received under is what fences late results.
    """

    __slots__ = (
        "_done",
        "_gaps",
        "_last",
        "_waiting",
        "first",
        "inherited_s",
        "is_at_end",
        "is_going",
        "is_held",
        "is_in_doubt",
        "is_late",
        "is_open",
        "is_used",
        "key_prefix",
        "key_schema",
        "left_schemas",
        "lettered",
        "partition",
        "sweeps",
        "written_ms",
    )

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self._waiting: deque[int] = deque()
        self._done: set[int] = set()
        self._last: int | None = None
        self.first: int | None = None
        """The lowest offset received; None: nothing yet."""
        self.is_held = False
        """Whether the commit stays where the assignment began, as a second look is due."""
        self.inherited_s = -math.inf
        """Until when somebody who had it before may have written, by the clocks of two machines;
        ``-inf``: nobody had it."""
        self.written_ms: int | None = None
        """Unix time after the last write for it, whoever made it; None: nobody knows."""
        self.is_in_doubt = False
        """Whether a write was given up without an answer: it may still be carried out."""
        self.is_used = False
        """Whether something is written for it that was not received under this assignment."""
        self.is_going = False
        """Whether it is being given up: a truncate deletes nothing more of it here."""
        self.is_late = False
        """Whether that is nearly over: what was answered has to be written now, or never."""
        self.sweeps: set[object] = set()
        """Truncates whose deletes are on their way. Written by other threads."""
        self.key_prefix: bytes | None = None
        """How the key of the last record began that was taken in; None: there was none yet."""
        self.key_schema: str | None = None
        """Name of the schema of the last key that was taken in, also before the assignment; empty
        if keys tell none. None: nobody knows."""
        self.left_schemas: dict[str, int] = {}
        """Schemas of the keys before those, with the time of the record that came next."""
        self.lettered = Lettered()
        """Records whose dead letters are written."""
        self.is_open = True
        """Whether the partition is still held under this assignment; any thread may ask."""
        self._gaps: dict[Key | None, tuple[int, int]] = {}
        """Records that could not be decoded, by the row that they changed; None: nobody knows."""
        self.is_at_end = False
        """Whether nothing more could be read when last heard of."""

    @property
    def unfinished(self) -> int:
        """Offsets received and not finished."""
        return len(self._waiting) - len(self._done)

    @property
    def next_offset(self) -> int | None:
        """What may be committed: every received offset below it is finished. None: nothing yet."""
        return self.first if self.is_held else self.finished_to

    @property
    def finished_to(self) -> int | None:
        """Every received offset below it is finished. None: nothing was received."""
        return self._waiting[0] if self._waiting else self._last

    @property
    def received_to(self) -> int | None:
        """Above the last offset received, or the end of the log. None: nothing yet."""
        return self._last

    def leave_out(self, offset: int, key: Key | None) -> None:
        """A record could not be decoded; ``key`` is its row, if that could be read."""
        if len(self._gaps) >= _MOST_GAPS:
            counts, offsets = zip(*self._gaps.values(), strict=True)
            self._gaps = {None: (sum(counts), max(offsets))}
        count, _ = self._gaps.get(key, _NONE)
        self._gaps[key] = count + 1, offset

    def gaps_of(self, key: Key) -> tuple[int, int]:
        """How many of them may have changed a row, and the offset of the last one."""
        if not self._gaps:
            return _NONE
        (any_row, last), (ours, our_last) = (self._gaps.get(one, _NONE) for one in (None, key))
        return any_row + ours, max(last, our_last)

    def is_of(self, record: Record) -> bool:
        """Whether a record stands in this partition."""
        topic, partition = self.partition
        return record.partition == partition and record.topic == topic

    def goes_back(self, offset: int) -> bool:
        """Whether an offset is one that was passed already: the log was rewound or made anew."""
        return self._last is not None and offset < self._last

    def receive(self, offset: int) -> None:
        """Take note of an offset; they come in growing order."""
        if self.first is None or offset < self.first:
            self.first = offset
        self._waiting.append(offset)
        self._last = offset + 1
        self.is_at_end = False

    def finish(self, offset: int) -> None:
        """An offset is done with, for good. Without effect once the partition is gone."""
        waiting, done = self._waiting, self._done
        if not waiting or offset < waiting[0]:
            return
        if offset != waiting[0]:
            done.add(offset)
            return
        waiting.popleft()
        while waiting and waiting[0] in done:
            done.discard(waiting.popleft())

    def reach(self, end: int) -> None:
        """The log is known to hold nothing below ``end`` that was not received.

        Trailing transaction markers have offsets but are never received; without this a group
        would stand before them for ever.
        """
        if self._last is None or end >= self._last:
            self._last = end
            self.is_at_end = True

    def follow(self, before: PartitionLedger) -> None:
        """Take on what holds for the whole assignment, where the log goes back within it.

        What is under way tells the ledger before of its end, so here it is in doubt.
        """
        self.first = before.first
        self.is_held, self.is_in_doubt = before.is_held, True
        self.is_used, self.sweeps = before.is_used, before.sweeps
        self.inherited_s = before.inherited_s

    def close(self) -> None:
        """The partition is not ours any more."""
        self.is_open = False
        self._waiting.clear()
        self._done.clear()


class Ledger:
    """The ledgers of the partitions that are held now."""

    def __init__(self) -> None:
        self._partitions: dict[TopicPartition, PartitionLedger] = {}

    def open(self, partition: TopicPartition) -> PartitionLedger:
        """Begin a new assignment, or begin anew within one that is still open."""
        opened, before = PartitionLedger(partition), self._partitions.get(partition)
        if before is not None:
            opened.follow(before)
            before.close()
        self._partitions[partition] = opened
        return opened

    def close(self, partition: TopicPartition) -> None:
        """End an assignment; unknown partitions are ignored."""
        known = self._partitions.pop(partition, None)
        if known is not None:
            known.close()

    def get(self, partition: TopicPartition) -> PartitionLedger | None:
        """The open ledger of a partition."""
        return self._partitions.get(partition)

    @property
    def partitions(self) -> list[TopicPartition]:
        """What is held."""
        return list(self._partitions)

    @property
    def all(self) -> Collection[PartitionLedger]:
        """The open ledgers."""
        return self._partitions.values()

    def held(self) -> list[PartitionLedger]:
        """The open ledgers as they are now, for other threads."""
        return list(self._partitions.values())  # one step for the interpreter

    @property
    def unfinished(self) -> int:
        """Offsets received and not finished, over all partitions."""
        return sum(ledger.unfinished for ledger in self._partitions.values())

    @property
    def is_at_end(self) -> bool:
        """Whether nothing more can be read from what is held; true if nothing is held."""
        return all(ledger.is_at_end for ledger in self._partitions.values())

    def reach(self, ends: Mapping[TopicPartition, int]) -> None:
        """These partitions were read to their ends; those that are not held are ignored."""
        for partition, end in ends.items():
            ledger = self._partitions.get(partition)
            if ledger is not None:
                ledger.reach(end)

    def next_offsets(self) -> dict[TopicPartition, int]:
        """What may be committed, for partitions of which something was received."""
        return {
            partition: offset
            for partition, ledger in self._partitions.items()
            if (offset := ledger.next_offset) is not None
        }
