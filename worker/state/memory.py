"""A state topic in memory, for tests and trials: one log, and a handle for each pod."""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

import orjson

from worker.errors import RetriableError
from worker.state.readers import Readers

if TYPE_CHECKING:
    from worker.state.port import Reader, Value


class MemoryLog:
    """The topic. Offsets stay what they are when older records of a key go."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.records: list[tuple[int, str, bytes | None]] = []
        """(offset, key, value as JSON), in order."""
        self.end = 0
        """The next offset."""
        self.pods: list[MemoryStateTopic] = []

    def append(self, key: str, value: Value | None) -> int:
        """Add a record, and show it to all pods that are not held back."""
        with self.lock:
            offset = self.end
            self.records.append((offset, key, None if value is None else orjson.dumps(value)))
            self.end += 1
            for pod in self.pods:
                pod.deliver()
            return offset

    def since(self, offset: int) -> list[tuple[int, str, bytes | None]]:
        """The records from an offset on."""
        return self.records[bisect_left(self.records, (offset, "")) :]

    def compact(self) -> None:
        """Keep the newest record of each key, and no tombstones."""
        with self.lock:
            newest = {key: offset for offset, key, _ in self.records}
            self.records = [
                one for one in self.records if newest[one[1]] == one[0] and one[2] is not None
            ]

    def keys(self) -> list[str]:
        """Of what is there, in order; a key that was deleted is not."""
        with self.lock:
            values = {key: value for _, key, value in self.records}
            return [key for key, value in values.items() if value is not None]


class MemoryStateTopic:
    """One pod's handle on a log."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self._readers = Readers()
        self._next_offset = 0
        self._waiting: list[tuple[str, Value | None]] = []
        self._is_down = False
        self._is_held = False
        self._loses_answers = False
        self._refuses_posts = False
        self.log.pods.append(self)

    def down(self) -> None:
        """The brokers are away: what is appended or posted from now on waits for ``up``."""
        self._is_down = True

    def up(self) -> None:
        """They are back."""
        self._is_down = self._loses_answers = self._refuses_posts = False
        waiting, self._waiting = self._waiting, []
        for key, value in waiting:
            self.log.append(key, value)

    @property
    def is_up(self) -> bool:
        """Whether the brokers are there."""
        return not self._is_down

    def lose_answers(self) -> None:
        """Until ``up``, appended records arrive and nobody hears of it."""
        self._loses_answers = True

    def refuse_posts(self) -> None:
        """Until ``up``, too much waits to be written already."""
        self._refuses_posts = True

    def hold(self) -> None:
        """Read nothing until somebody waits for it: the consumer is behind."""
        self._is_held = True

    def crash(self) -> None:
        """Kill -9: nothing is written or read any more."""
        self._waiting.clear()
        self._is_down = self._is_held = True
        self.log.pods.remove(self)

    def append(self, key: str, value: Value | None) -> int:
        """Add a record."""
        if self._is_down:
            self._waiting.append((key, value))
            raise RetriableError("the state topic takes no records at present")
        offset = self.log.append(key, value)
        if self._loses_answers:
            raise RetriableError("the state topic did not answer")
        return offset

    def post(self, key: str, value: Value | None) -> None:
        """Add a record, now or when the brokers are back."""
        if self._refuses_posts:
            raise RetriableError("the state topic takes no more records at present")
        if self._is_down:
            self._waiting.append((key, value))
        else:
            self.log.append(key, value)

    def read_up_to(self, offset: int, timeout_s: float) -> None:  # noqa: ARG002 - nothing to wait for
        """Read what there is."""
        self._read()
        self._readers.wait_for(offset, 0.0)

    def attach(self, prefix: str, reader: Reader) -> None:
        """Show the reader all there is."""
        with self.log.lock:
            self._readers.add(prefix, reader)
            self._next_offset = 0
            self.deliver()

    def caught_up(self, timeout_s: float) -> bool:
        """Read what there is."""
        self._read()
        return self._readers.were_at_end(timeout_s)

    def close(self, timeout_s: float) -> None:  # noqa: ARG002 - nothing to wait for
        """Read and write nothing any more."""
        if self in self.log.pods:
            self.crash()

    def deliver(self) -> None:
        """Show the readers what is new, unless they are held back."""
        if not self._is_held:
            self._read()

    def _read(self) -> None:
        with self.log.lock:
            if self not in self.log.pods or self._is_down:
                return
            self._readers.begin()
            for offset, key, value in self.log.since(self._next_offset):
                self._readers.hand_over(offset, key, None if value is None else orjson.loads(value))
            self._next_offset = self.log.end
            self._readers.at_end(self.log.end)
