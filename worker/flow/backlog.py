"""The changes that wait: one place per key, the newest change wins, one batch at a time per key."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from worker.flow.fold import fold
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.flow.ledger import PartitionLedger
    from worker.model import Change, Key, Position


class Entry:
    """A change in the backlog, with the ledger that hears of its end."""

    __slots__ = ("arrived_s", "change", "gaps", "is_cut", "last_gap", "ledger", "size")

    def __init__(self, change: Change, ledger: PartitionLedger, arrived_s: float) -> None:
        self.change = change
        self.ledger = ledger
        self.arrived_s = arrived_s
        self.size = change.record.size
        self.gaps, self.last_gap = ledger.gaps_of(change.key)
        self.is_cut = False
        """Whether a change of the row that came after this one was taken out."""

    @property
    def began_at(self) -> Position:
        """Where the oldest change stood that this one is made of."""
        return self.change.position

    def is_older_than(self, other: Entry) -> bool:
        """Whether it arrives after ``other`` and is nevertheless provably older.

        Within a partition arrival order is the truth, and where it comes again, under another
        assignment, the offsets are. Between partitions (a key moved when its schema id changed, or
        when partitions were added) only the time in the source can tell, and only if it is strictly
        smaller. The time of a tombstone's record proves nothing about others: its row may have
        changed again before it was sent.
        """
        return self.ledger is not other.ledger and self.was_before(other)

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


def _work(entries: list[Entry]) -> Work:
    """Fold the entries, looking back only as far as the row's history is whole."""
    if len(entries) == 1:
        return Work(entries[0].change, entries, entries[0].began_at)
    first = len(entries) - 1
    while first and entries[first - 1].leads_to(entries[first]):
        first -= 1
    folded = fold([entry.change for entry in entries[first:]])
    return Work(folded, entries, entries[first].began_at)


class _Place:
    """One key: what waits for it, and the work on it that is in flight."""

    __slots__ = ("flying", "needs", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Entry] = []
        self.flying: Work | None = None
        self.size = 0
        self.needs = 0
        """While it is parked: what it waits for."""

    def is_alone(self, newest: Entry) -> bool:
        """Whether nothing waits that could be done with, or instead of, what ends with ``newest``.

        What ``chain`` keeps apart has to wait its turn.
        """
        if newest not in self.waiting:
            return False
        after = self.waiting[self.waiting.index(newest) + 1 :]
        return not after or newest.change.moves_away or _stands_apart(after[0])

    def chain(self) -> list[Entry]:
        """Take out what one write can stand for.

        The delete half of a key change stays alone: it is not swallowed, as its batch keeps the
        row's vector for the new key, and swallows nothing, as that vector has to be there first.
        The other half swallows nothing that came before it: it may have to wait for the first one,
        and that one's partition for what was swallowed.
        """
        chain, self.waiting = self.waiting, []
        if len(chain) == 1:
            return chain
        for index, entry in enumerate(chain):
            if _stands_apart(entry) and (index or entry.change.moves_away):
                end = index or 1
                chain, self.waiting = chain[:end], chain[end:]
                break
        return chain


class Backlog:
    """Changes by key. Not thread-safe: it belongs to the task's thread."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._ready: OrderedDict[Key, _Place] = OrderedDict()
        self._parked: dict[Key, _Place] = {}
        self._delayed: dict[Key, float] = {}
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

    def add(self, entry: Entry) -> None:
        """Let a change wait.

        One that is provably older than what is known of its row goes before that, where the newer
        one swallows it, and takes its place should the newer one fail.
        """
        self._rows += 1
        self._bytes += entry.size
        key = entry.change.key
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        flying = place.flying
        if flying is not None and entry.is_older_than(flying.newest):
            _insert(flying.entries, entry)
            return
        _insert(place.waiting, entry)
        place.size += entry.size
        if flying is not None:
            return
        if key in self._ready:
            self._ready_bytes += entry.size
        else:
            self._parked.pop(key, None)
            self._delayed.pop(key, None)
            self._make_ready(key, place)

    def put_before(self, entry: Entry) -> None:
        """Let something be done for a key before what waits for it."""
        self._rows += 1
        self._bytes += entry.size
        key = entry.change.key
        place = self._places[key]
        place.waiting.insert(0, entry)
        place.size += entry.size
        if key in self._ready:
            self._ready_bytes += entry.size
        elif place.flying is None:
            self._parked.pop(key, None)
            self._delayed.pop(key, None)
            self._make_ready(key, place)

    def take(self, max_rows: int, max_bytes: int) -> list[Work]:
        """The keys that waited longest, at most so many; at least one if any is ready."""
        batch: list[Work] = []
        size = 0
        while self._ready and len(batch) < max_rows and (size < max_bytes or not batch):
            _, place = self._ready.popitem(last=False)
            held, entries = place.size, place.chain()
            place.size = sum(entry.size for entry in place.waiting) if place.waiting else 0
            place.flying = _work(entries)
            self._ready_bytes -= held
            size += held - place.size
            batch.append(place.flying)
        return batch

    def holds(self, key: Key) -> bool:
        """Whether something waits for a key, or is in flight."""
        return key in self._places

    def waiting_half(self, key: Key) -> Entry | None:
        """The create of a key change, if it comes next for a key and has to wait."""
        first = self._places[key].waiting[0] if key in self._delayed else None
        return None if first is None or first.change.moved_from is None else first

    def finish(self, work: Work) -> None:
        """A batch is through with a key; what came for it meanwhile is ready now."""
        self._rows -= len(work.entries)
        for entry in work.entries:
            self._bytes -= entry.size
        self._free(work.key)

    def give_back(self, work: Work, entries: Sequence[Entry]) -> None:
        """A batch is through with a key, but its first entries have to wait again, in front.

        ``entries`` are a beginning of the work's; those whose partition is gone are dropped.
        """
        kept: list[Entry] = []
        for index, entry in enumerate(work.entries):
            if index < len(entries) and entry.ledger.is_open:
                kept.append(entry)
                continue
            self._release(entry)
            for last in kept[-1:]:
                last.lose(entry)
        place = self._places[work.key]
        place.waiting[:0] = kept
        place.size += sum(entry.size for entry in kept)
        self._free(work.key)

    def park(self, work: Work, needs: int) -> None:
        """A batch is through with a key whose change cannot be done for now.

        It waits until ``unpark`` has what it needs, or until something newer comes for the key:
        that may be a change that can be done, such as a delete.
        """
        self.give_back(work, work.entries)
        key, place = work.key, self._places.get(work.key)
        if place is not None and place.is_alone(work.newest):
            del self._ready[key]
            self._ready_bytes -= place.size
            place.needs = needs
            self._parked[key] = place

    def delay(self, work: Work, until_s: float) -> None:
        """A batch is through with a key that has to come again at a time, or with what is newer."""
        self.give_back(work, work.entries)
        key, place = work.key, self._places.get(work.key)
        if place is not None and place.is_alone(work.newest):
            del self._ready[key]
            self._ready_bytes -= place.size
            self._delayed[key] = until_s

    def is_followed_by_removal(self, work: Work) -> bool:
        """Whether the row that a batch has is known to be gone later on."""
        waiting = self._places[work.key].waiting
        return bool(waiting) and waiting[0].change.op.removes

    def wake(self, now_s: float) -> None:
        """What was delayed until now may go into a batch again."""
        for key in [key for key, until_s in self._delayed.items() if until_s <= now_s]:
            del self._delayed[key]
            self._make_ready(key, self._places[key])

    @property
    def parked_rows(self) -> int:
        """Keys that wait for ``unpark``."""
        return len(self._parked)

    @property
    def least_needed(self) -> int:
        """What the smallest of them waits for; 0 if nothing is parked."""
        return min((place.needs for place in self._parked.values()), default=0)

    def first_needed(self, left: float) -> int:
        """What the first waits for that ``left`` covers; 0 if there is none."""
        return next((one.needs for one in self._parked.values() if one.needs <= left), 0)

    def unpark(self, left: float, room: float) -> None:
        """What ``left`` covers may go into a batch again, in order, as far as there is room.

        Who is too large for what is left is passed over; who is too large for the room is not.
        """
        for key, place in list(self._parked.items()):
            if place.needs > left:
                continue
            if place.needs > room:
                break
            left, room = left - place.needs, room - place.needs
            self._make_ready(key, self._parked.pop(key))

    def drop_lost(self) -> None:
        """Forget what waits for partitions that are gone. Work in flight is left alone."""
        for key, place in list(self._places.items()):
            if any(not entry.ledger.is_open for entry in place.waiting):
                self._drop(key, place)

    def _drop(self, key: Key, place: _Place) -> None:
        before, kept = place.size, list[Entry]()
        flying = place.flying.entries if place.flying else []
        for entry in place.waiting:
            if entry.ledger.is_open:
                kept.append(entry)
                continue
            self._release(entry)
            place.size -= entry.size
            for last in (kept or flying)[-1:]:
                last.lose(entry)
        place.waiting = kept
        if place.flying is not None:
            return
        if key in self._ready:
            self._ready_bytes -= before - place.size
        if not kept:
            self._ready.pop(key, None)
            self._parked.pop(key, None)
            self._delayed.pop(key, None)
            del self._places[key]

    def _release(self, entry: Entry) -> None:
        self._rows -= 1
        self._bytes -= entry.size

    def _free(self, key: Key) -> None:
        place = self._places[key]
        place.flying = None
        if not place.waiting:
            del self._places[key]
            return
        self._make_ready(key, place)

    def _make_ready(self, key: Key, place: _Place) -> None:
        self._ready[key] = place
        self._ready_bytes += place.size


def _stands_apart(entry: Entry) -> bool:
    """Whether a change is not done with what waits before it: it is half of a key change."""
    return entry.change.moves_away or entry.change.moved_from is not None


def _insert(entries: list[Entry], entry: Entry) -> None:
    """At the end, or before those of other partitions that are provably newer."""
    at = len(entries)
    while at and entry.is_older_than(entries[at - 1]):
        at -= 1
    entries.insert(at, entry)
