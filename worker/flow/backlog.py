"""The changes that wait: one place per key, the newest wins, one batch at a time per key."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from worker.flow.entry import work_of
from worker.flow.parked import Parked
from worker.flow.waiting import Place, insert, way_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.flow.entry import Entry, Work
    from worker.model import Key


class Backlog:
    """Changes by key. Not thread-safe: it belongs to the task's thread."""

    def __init__(self) -> None:
        self.parked = Parked()
        """Keys that wait for ``unpark``."""
        self._places: dict[Key, Place] = {}
        self._ready: OrderedDict[Key, Place] = OrderedDict()
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
            place = self._places[key] = Place()
        flying = place.flying
        if flying is not None and entry.is_older_than(flying.newest):
            insert(flying.entries, entry)
            return
        insert(place.waiting, entry)
        place.size += entry.size
        if flying is not None:
            return
        if key in self._ready:
            self._ready_bytes += entry.size
        else:
            self.parked.pop(key, None)
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
            self.parked.pop(key, None)
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
            place.flying = work_of(entries, way_of(place, self._places))
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
            self.parked[key] = needs

    def delay(self, work: Work, until_s: float) -> None:
        """A batch is through with a key that has to come again at a time, or with what is newer."""
        self.give_back(work, work.entries)
        key, place = work.key, self._places.get(work.key)
        if place is not None and place.is_alone(work.newest):
            del self._ready[key]
            self._ready_bytes -= place.size
            self._delayed[key] = until_s

    def removal_after(self, work: Work) -> Entry | None:
        """What takes away the row that a batch has, if that comes next for it."""
        waiting = self._places[work.key].waiting
        return waiting[0] if waiting and waiting[0].change.op.removes else None

    def wake(self, now_s: float) -> None:
        """What was delayed until now may go into a batch again."""
        for key in [key for key, until_s in self._delayed.items() if until_s <= now_s]:
            del self._delayed[key]
            self._make_ready(key, self._places[key])

    def unpark(self, left: float, room: float) -> None:
        """What ``left`` covers may go into a batch again, in order, as far as there is room."""
        for key in self.parked.covered(left, room):
            del self.parked[key]
            self._make_ready(key, self._places[key])

    def drop_lost(self) -> None:
        """Forget what waits for partitions that are gone. Work in flight is left alone."""
        for key, place in list(self._places.items()):
            if any(not entry.ledger.is_open for entry in place.waiting):
                self._drop(key, place)

    def _drop(self, key: Key, place: Place) -> None:
        before = place.size
        kept: list[Entry] = []
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
            self.parked.pop(key, None)
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

    def _make_ready(self, key: Key, place: Place) -> None:
        self._ready[key] = place
        self._ready_bytes += place.size
