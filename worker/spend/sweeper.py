"""Takes the reservations of days that are over out of the state topic."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from worker.spend.day import is_over
from worker.spend.records import ClaimId, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from worker.state.port import Value

_AT_ONCE = 500
"""Reservations per sweep, each with two keys: some hundred thousand calls a day are swept within
a day, and no sweep takes long."""


class _Shelf(NamedTuple):
    """A pod numbers the reservations of its days from 1, so their number says all keys."""

    day: date
    pod: str


class Sweeper:
    """Remembers how many keys there are, not which. Thread-safe.

    Pods sweep side by side; a shelf is done when somebody's tombstone of its last key is read.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[_Shelf, int] = {}
        self._swept: dict[_Shelf, int] = {}

    def read(self, _offset: int, text: str, value: Value | None) -> None:
        """A record of the state topic; a reader of it."""
        key = key_of(text)
        if key is None:
            return
        shelf, number = _Shelf(key.claim.day, key.claim.pod), key.claim.number
        with self._lock:
            if value is not None:
                self._last[shelf] = max(number, self._last.get(shelf, 0))
            elif key.is_settlement and number >= self._last.get(shelf, 0):
                self._last.pop(shelf, None)
                self._swept.pop(shelf, None)

    def keys(self, today: date) -> list[str]:
        """The next keys to delete; each is given once."""
        with self._lock:
            return list(self._next(today))

    def _next(self, today: date) -> Iterator[str]:
        room = _AT_ONCE
        for shelf, last in self._last.items():
            if not is_over(shelf.day, today):
                continue
            first = self._swept.get(shelf, 0) + 1
            end = min(last, first + room - 1)
            for number in range(first, end + 1):
                claim = ClaimId(shelf.day, shelf.pod, number)
                yield claim.key
                yield claim.settled_key
            self._swept[shelf] = max(end, first - 1)
            room -= max(0, end - first + 1)
            if room <= 0:
                return
