"""The rows with a dead-lettered change, as the state topic has them.

    dead/<row>    {"position": ["<topic id>", 3, 1200]}

A row's name is a hash, so that the topic holds no columns. Whoever owns the row's partition marks
and clears it; the next owner first reads all that was written before.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from worker.document.fingerprint import digest
from worker.errors import RetriableError
from worker.model import Position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Key
    from worker.state.port import StateTopic, Value

PREFIX = "dead/"

_NOW = f"{PREFIX}now"
"""Written to learn where the log's end is."""
_READ_TIMEOUT_S = 10.0


class DeadRows:
    """See ``Marks``.

    What was posted here and not read back counts as it is here: the log only repeats it.
    """

    def __init__(self, topic: StateTopic) -> None:
        self._topic = topic
        self._lock = threading.Lock()
        self._positions: dict[str, Position] = {}
        self._unsent: dict[str, Position | None] = {}
        self._unread: Counter[str] = Counter()
        self._sending = threading.Lock()
        self._looking = threading.Lock()
        self._assignment = 1
        self._looked_for = 0
        topic.attach(PREFIX, self._read)

    def mark(self, key: Key, position: Position) -> None:
        """Known here at once; written by ``keep``. A replay that fails again may be the older."""
        name = _name(key)
        with self._lock:
            known = self._positions.get(name)
            newest = position if known is None or not position.is_before(known) else known
            self._positions[name] = self._unsent[name] = newest

    def keep(self) -> None:
        """One wait for all of them."""
        self._send()
        self._topic.append(_NOW, {})

    def is_marked(self, key: Key) -> bool:
        """See the port."""
        if self._looked_for != self._assignment:
            self._look()
        return bool(self._positions) and _name(key) in self._positions

    def clear(self, key: Key, position: Position) -> None:
        """Lost with the process at worst: then the row stays marked until it is written again."""
        if not self._positions:
            return
        name = _name(key)
        with self._lock:
            dead = self._positions.get(name)
            if dead is None or position.is_before(dead):
                return
            del self._positions[name]
            self._unsent[name] = None
        try:
            self._send()
        except RetriableError:
            return  # goes with what is sent next

    def look_again(self) -> None:
        """See the port."""
        with self._lock:
            self._assignment += 1

    def _look(self) -> None:
        with self._looking:
            assignment = self._assignment
            if self._looked_for == assignment:
                return
            offset = self._topic.append(_NOW, {})
            self._topic.read_up_to(offset, _READ_TIMEOUT_S)
            self._looked_for = assignment

    def _send(self) -> None:
        with self._sending:
            with self._lock:
                unsent, self._unsent = self._unsent, {}
                self._unread.update(unsent.keys())
            try:
                for name in list(unsent):
                    self._topic.post(f"{PREFIX}{name}", _value(unsent[name]))
                    del unsent[name]
            finally:
                self._put_back(unsent)

    def _put_back(self, unsent: Mapping[str, Position | None]) -> None:
        with self._lock:
            self._unsent = {**unsent, **self._unsent}
            for name in unsent:
                self._count_down(name)

    def _read(self, _offset: int, text: str, value: Value | None) -> None:
        if text == _NOW:
            return
        name = text.removeprefix(PREFIX)
        with self._lock:
            if name in self._unread:
                self._count_down(name)
                return
            if value is None:
                self._positions.pop(name, None)
            elif (position := _position(value)) is not None:
                self._positions[name] = position

    def _count_down(self, name: str) -> None:
        self._unread[name] -= 1
        if not self._unread[name]:
            del self._unread[name]


def _name(key: Key) -> str:
    return digest(repr(key).encode())


def _value(position: Position | None) -> Value | None:
    if position is None:
        return None
    return {"position": [position.topic_id, position.partition, position.offset]}


def _position(value: Value) -> Position | None:
    try:
        topic_id, partition, offset = value["position"]
        return Position(str(topic_id), int(partition), int(offset))
    except (KeyError, TypeError, ValueError):
        return None
