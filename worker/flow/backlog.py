"""The changes that wait: one place per key, the newest change wins, one batch at a time per key."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.flow.fold import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.flow.ledger import PartitionLedger
    from worker.model import Change, Key


class Entry:
    """A change in the backlog, with the ledger that hears of its end."""

    __slots__ = ("arrived_s", "change", "ledger", "size")

    def __init__(self, change: Change, ledger: PartitionLedger, arrived_s: float) -> None:
        self.change = change
        self.ledger = ledger
        self.arrived_s = arrived_s
        self.size = change.record.size

    def is_older_than(self, other: Entry) -> bool:
        """Whether it arrives later than ``other`` and is nevertheless provably older.

        Within one assignment of a partition arrival order is the truth. Between partitions (a key
        moved when its schema id changed, or when partitions were added) only the commit time in
        the source can tell, and only if it is strictly smaller.
        """
        if self.ledger is other.ledger:
            return False
        mine, theirs = self.change.origin.committed_ms, other.change.origin.committed_ms
        return mine is not None and theirs is not None and mine < theirs


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a batch does for one key: the folded change, and the entries that it stands for."""

    change: Change
    entries: Sequence[Entry]
    """In order; the last one is the newest, the others are swallowed by it."""

    @property
    def key(self) -> Key:
        """The row."""
        return self.change.key

    @property
    def is_ours(self) -> bool:
        """Whether any of its partitions is still held; safe to ask from any thread."""
        return any(entry.ledger.is_open for entry in self.entries)


def _work(entries: list[Entry]) -> Work:
    if len(entries) == 1:
        return Work(entries[0].change, entries)
    return Work(fold([entry.change for entry in entries]), entries)


class _Place:
    """One key: what waits for it, and whether a batch holds it."""

    __slots__ = ("busy", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Entry] = []
        self.busy = False
        self.size = 0

    def chain(self) -> list[Entry]:
        """Take out what one write can stand for.

        The delete half of a key change is never swallowed: its batch keeps the row's vector for
        the new key.
        """
        chain, self.waiting = self.waiting, []
        for index, entry in enumerate(chain[:-1]):
            if entry.change.moves_away:
                chain, self.waiting = chain[: index + 1], chain[index + 1 :]
                break
        return chain


class Backlog:
    """Changes by key. Not thread-safe: it belongs to the task's thread."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._ready: OrderedDict[Key, _Place] = OrderedDict()
        self._ready_bytes = 0
        self._rows = 0
        self._bytes = 0

    @property
    def rows(self) -> int:
        """Changes held, waiting or in flight, the swallowed ones included."""
        return self._rows

    @property
    def bytes(self) -> int:
        """Bytes of their records."""
        return self._bytes

    @property
    def ready_rows(self) -> int:
        """Keys that could go into a batch now."""
        return len(self._ready)

    @property
    def ready_bytes(self) -> int:
        """Bytes of the records that wait for those keys."""
        return self._ready_bytes

    @property
    def oldest_s(self) -> float | None:
        """When the change arrived that has been ready for longest."""
        if not self._ready:
            return None
        return next(iter(self._ready.values())).waiting[0].arrived_s

    def add(self, entry: Entry) -> bool:
        """Let a change wait; false, and not kept, if a waiting one is provably newer."""
        key = entry.change.key
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        elif place.waiting and entry.is_older_than(place.waiting[-1]):
            return False
        place.waiting.append(entry)
        place.size += entry.size
        self._rows += 1
        self._bytes += entry.size
        if not place.busy:
            self._ready_bytes += entry.size
            self._ready.setdefault(key, place)
        return True

    def take(self, max_rows: int, max_bytes: int) -> list[Work]:
        """The keys that waited longest, at most so many; at least one if any is ready."""
        batch: list[Work] = []
        size = 0
        while self._ready and len(batch) < max_rows and (size < max_bytes or not batch):
            _, place = self._ready.popitem(last=False)
            self._ready_bytes -= place.size
            held, entries = place.size, place.chain()
            place.size = sum(entry.size for entry in place.waiting) if place.waiting else 0
            place.busy = True
            size += held - place.size
            batch.append(_work(entries))
        return batch

    def finish(self, work: Work) -> None:
        """A batch is through with a key; what came for it meanwhile is ready now."""
        for entry in work.entries:
            self._release(entry)
        self._free(work.key)

    def give_back(self, work: Work, entries: Sequence[Entry]) -> None:
        """A batch is through with a key, but these of its entries have to wait again, in front.

        Those whose partition is gone are dropped.
        """
        kept = [entry for entry in entries if entry.ledger.is_open]
        for entry in work.entries:
            if entry not in kept:
                self._release(entry)
        place = self._places[work.key]
        place.waiting[:0] = kept
        place.size += sum(entry.size for entry in kept)
        self._free(work.key)

    def drop_lost(self) -> None:
        """Forget what waits for partitions that are gone. Work in flight is left alone."""
        for key, place in list(self._places.items()):
            lost = [entry for entry in place.waiting if not entry.ledger.is_open]
            if lost:
                self._drop(key, place, lost)

    def _drop(self, key: Key, place: _Place, lost: Sequence[Entry]) -> None:
        place.waiting = [entry for entry in place.waiting if entry.ledger.is_open]
        size = sum(entry.size for entry in lost)
        place.size -= size
        for entry in lost:
            self._release(entry)
        if place.busy:
            return
        self._ready_bytes -= size
        if not place.waiting:
            del self._ready[key]
            del self._places[key]

    def _release(self, entry: Entry) -> None:
        self._rows -= 1
        self._bytes -= entry.size

    def _free(self, key: Key) -> None:
        place = self._places[key]
        place.busy = False
        if not place.waiting:
            del self._places[key]
            return
        self._ready[key] = place
        self._ready_bytes += place.size
