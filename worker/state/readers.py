"""Who reads a state topic, and how far each has come."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.errors import RetriableError

if TYPE_CHECKING:
    from worker.errors import FatalError
    from worker.state.port import Reader, Value


@dataclass(slots=True, eq=False)
class _Place:
    """One reader's place in the log."""

    prefix: str
    reader: Reader
    next_offset: int = 0
    has_begun: bool = False
    """Whether the log is being read for it; before that, what passes by is no use to it."""
    was_at_end: bool = False


class Readers:
    """Passes the log on. One thread feeds it, any thread may wait for it or add a reader."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places: list[_Place] = []
        self._failure: FatalError | None = None

    def add(self, prefix: str, reader: Reader) -> None:
        """A reader that wants the log from its beginning."""
        with self._changed:
            self._places.append(_Place(prefix, reader))

    def begin(self) -> bool:
        """Whether somebody new wants the log from its beginning; who feeds must start over then.

        The others are not handed anything twice.
        """
        with self._changed:
            new = [place for place in self._places if not place.has_begun]
            for place in new:
                place.has_begun = True
            return bool(new)

    def hand_over(self, offset: int, key: str, value: Value | None) -> None:
        """The next record."""
        for place in self._waiting_for(offset):
            if key.startswith(place.prefix):
                place.reader(offset, key, value)
        self.pass_by(offset)

    def pass_by(self, offset: int) -> None:
        """A record that is nobody's."""
        with self._changed:
            for place in self._waiting_for(offset):
                place.next_offset = offset + 1
            self._changed.notify_all()

    def at_end(self, next_offset: int) -> None:
        """There is nothing below this offset that was not handed over."""
        with self._changed:
            for place in self._waiting_for(next_offset):
                place.next_offset = next_offset
            for place in self._places:
                place.was_at_end = place.was_at_end or place.has_begun
            self._changed.notify_all()

    def fail(self, failure: FatalError) -> None:
        """Nothing will be handed over any more."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def wait_for(self, offset: int, timeout_s: float) -> None:
        """Wait until all readers have had what is up to this offset.

        Raises:
            RetriableError: the time is over.
            FatalError: what ``fail`` was told.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_passed(offset), timeout_s):
                raise RetriableError("the state topic could not be read in time")
            self._raise_failure()

    def were_at_end(self, timeout_s: float) -> bool:
        """Whether all readers have been at the end; waits for it.

        Raises:
            FatalError: what ``fail`` was told.
        """
        with self._changed:
            found = self._changed.wait_for(self._all_were_at_end, timeout_s)
            self._raise_failure()
            return found

    def _waiting_for(self, offset: int) -> list[_Place]:
        return [one for one in self._places if one.has_begun and one.next_offset <= offset]

    def _has_passed(self, offset: int) -> bool:
        return self._failure is not None or all(
            place.next_offset > offset for place in self._places
        )

    def _all_were_at_end(self) -> bool:
        return self._failure is not None or all(place.was_at_end for place in self._places)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
