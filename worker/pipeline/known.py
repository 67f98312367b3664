"""What this worker knows of the index because it wrote it: valid while the partition is held."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from worker.clock import Clock
    from worker.flow.ledger import PartitionLedger
    from worker.model import Change
    from worker.pipeline.held import Held

    Address: TypeAlias = tuple[str, str]
    """Namespace and id."""

_FRAMING = 5
"""Bytes before an Avro key: magic byte and schema id."""
_CLOCKS_S = 60.0
"""The clocks of two machines are not further apart (ADR 11)."""


class _Entry(NamedTuple):
    """What is under an id, and when it was put there; None: it is not to be counted on any more."""

    held: Held | None
    written_s: float


@dataclass(slots=True, eq=False)
class _Shelf:
    """What is known of the rows of one partition, the longest untouched first."""

    since_s: float
    entries: OrderedDict[Address, _Entry] = field(default_factory=OrderedDict)
    most_chunks: dict[Address, int] = field(default_factory=dict)


def _quiet_since_s(ledger: PartitionLedger) -> float:
    """Since when nobody has written for it; if nobody had it, somebody may have by another name."""
    inherited_s = ledger.inherited_s
    return math.inf if inherited_s == -math.inf else inherited_s + _CLOCKS_S


class Known:
    """A cache in front of the store. Thread-safe.

    It belongs to assignments: what was known of a partition ends with its ledger, as others may
    write afterwards. What is younger than ``settle_s`` stays even when there is no room, because a
    store that answers late may not show it yet.
    """

    def __init__(self, clock: Clock, *, settle_s: float, most_rows: int) -> None:
        self._clock = clock
        self._settle_s = settle_s
        self._most_rows = most_rows
        self._shelves: dict[PartitionLedger, _Shelf] = {}
        self._framings: dict[str, bytes] = {}
        self._shared: set[str] = set()
        self._lock = threading.RLock()
        self._rows = 0

    def at_once(self) -> AbstractContextManager[object]:
        """For what a batch asks or puts here.

        Threads that take a lock row by row wait for each other row by row, and each time for the
        interpreter as well: that was more than a quarter of the engine's CPU.
        """
        return self._lock

    def find(self, ledger: PartitionLedger, address: Address) -> tuple[Held | None, float]:
        """What is known to be under an address, and from when on a fetch shows it.

        None if only the store can tell; then the time says when it shows whatever was written.
        """
        with self._lock:
            shelf = self._shelf(ledger)
            entry = shelf.entries.get(address)
            if entry is None:
                return None, shelf.since_s + self._settle_s
            shelf.entries.move_to_end(address)
            return entry.held, entry.written_s + self._settle_s

    def put(self, ledger: PartitionLedger, address: Address, change: Change, held: Held) -> None:
        """Remember what is there now, unless the partition has gone meanwhile."""
        with self._lock:
            if not ledger.is_open:
                return
            is_ours_alone = not self._is_shared(change)
            self._keep(
                ledger, address, _Entry(held if is_ours_alone else None, self._clock.now_s())
            )

    def is_written(self, ledger: PartitionLedger, address: Address) -> bool:
        """Whether something was, or may have been, written there by this worker lately."""
        shelf = self._shelves.get(ledger)  # one look each, for which no lock is needed
        return shelf is not None and address in shelf.entries

    def forget(self, ledger: PartitionLedger, address: Address) -> None:
        """Only the store can tell from now on; what was written shows after its settling time."""
        with self._lock:
            shelf = self._shelves.get(ledger)
            entry = None if shelf is None else shelf.entries.get(address)
            if shelf is not None and entry is not None:
                shelf.entries[address] = _Entry(None, entry.written_s)

    def doubt(self, ledger: PartitionLedger, address: Address) -> None:
        """Something may have been written just now, or not."""
        with self._lock:
            if ledger.is_open:
                self._keep(ledger, address, _Entry(None, self._clock.now_s()))

    def note_shorter(self, ledger: PartitionLedger, address: Address, chunks: int) -> None:
        """A row that had so many chunks has fewer now; a late write may bring some back."""
        with self._lock:
            if ledger.is_held and ledger.is_open:
                most = self._shelf(ledger).most_chunks
                most[address] = max(chunks, most.get(address, 0))

    def most_chunks(self, ledger: PartitionLedger, address: Address) -> int:
        """The same where a second look is due; 0 if the row never had more than it has."""
        with self._lock:
            shelf = self._shelves.get(ledger) if ledger.is_held else None
            return 0 if shelf is None else shelf.most_chunks.get(address, 0)

    @property
    def settle_s(self) -> float:
        """Longest time until a write is visible."""
        return self._settle_s

    def _shelf(self, ledger: PartitionLedger) -> _Shelf:
        shelf = self._shelves.get(ledger)
        if shelf is None:
            self._drop_closed()
            shelf = _Shelf(min(self._clock.now_s(), _quiet_since_s(ledger)))
            if ledger.is_open:
                self._shelves[ledger] = shelf
        return shelf

    def _drop_closed(self) -> None:
        for ledger in [one for one in self._shelves if not one.is_open]:
            self._rows -= len(self._shelves.pop(ledger).entries)

    def _keep(self, ledger: PartitionLedger, address: Address, entry: _Entry) -> None:
        entries = self._shelf(ledger).entries
        self._rows += address not in entries
        entries[address] = entry
        entries.move_to_end(address)
        if self._rows > self._most_rows:
            self._make_room(entries)

    def _make_room(self, entries: OrderedDict[Address, _Entry]) -> None:
        oldest_s = self._clock.now_s() - self._settle_s
        while self._rows > self._most_rows and next(iter(entries.values())).written_s <= oldest_s:
            entries.popitem(last=False)
            self._rows -= 1

    def _is_shared(self, change: Change) -> bool:
        """Whether changes of one row may come in two partitions.

        That is so while producers write keys of two schemas: the partition follows from the key's
        bytes, which hold the schema's id. Then nobody is the only writer of a row, and of what was
        written only the time is remembered, as a store may not show it yet.
        """
        topic, key = change.record.topic, change.record.key
        if topic in self._shared:
            return True
        if not key or key[0] != 0:
            return False
        framing = key[:_FRAMING]
        if self._framings.setdefault(topic, framing) == framing:
            return False
        self._shared.add(topic)
        for shelf in self._shelves.values():
            for address, entry in shelf.entries.items():
                shelf.entries[address] = _Entry(None, entry.written_s)
        return True
