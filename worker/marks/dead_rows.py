"""The rows with a dead-lettered change, as the state topic has them.

    dead/<row>    {"position": ["<topic id>", 3, 1200], "first": ["<topic id>", 3, 1100]}

``position`` is that of the row's last dead change, ``first`` that of the first one since the row
was last written as a whole; left out where it is the same. A row's name is a hash, so that the
topic holds no columns. Whoever owns the row's partition marks and clears it; the next owner first
reads all that was written before.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

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


_ANYWHERE = Position("", -1, -1)
"""Compares with nothing: changes of the row died in two partitions, or in a topic made again."""


class _Dead(NamedTuple):
    """The dead changes of a row that no later one made good, from the first to the last."""

    first: Position
    last: Position

    def counts_for(self, position: Position) -> bool:
        """Whether one of them may come before this position."""
        first = self.first
        return not (position.comparable(first) and position.offset <= first.offset)

    def with_one_more(self, position: Position) -> _Dead:
        """After the death of another change."""
        if not position.comparable(self.last):
            return _Dead(_ANYWHERE, position)
        first = position if position.is_before(self.first) else self.first
        return _Dead(first, self.last if position.is_before(self.last) else position)


class DeadRows:
    """See ``Marks``.

    What was posted here and not read back counts as it is here: the log only repeats it.
    """

    def __init__(self, topic: StateTopic) -> None:
        self._topic = topic
        self._lock = threading.Lock()
        self._rows: dict[str, _Dead] = {}
        self._unsent: dict[str, _Dead | None] = {}
        self._unread: Counter[str] = Counter()
        self._sending = threading.Lock()
        self._looking = threading.Lock()
        self._assignment = 1
        self._looked_for = 0
        topic.attach(PREFIX, self._read)

    def mark(self, key: Key, position: Position) -> None:
        """Known here at once; written by ``keep``."""
        name = _name(key)
        with self._lock:
            known = self._rows.get(name)
            dead = known.with_one_more(position) if known else _Dead(position, position)
            self._rows[name] = self._unsent[name] = dead

    def keep(self) -> None:
        """One wait for all of them."""
        self._send()
        self._topic.append(_NOW, {})

    def is_marked(self, key: Key, position: Position) -> bool:
        """See the port."""
        if self._looked_for != self._assignment:
            self._look()
        dead = self._rows.get(_name(key)) if self._rows else None
        return dead is not None and dead.counts_for(position)

    def clear(self, key: Key, position: Position, began_at: Position | None = None) -> None:
        """Lost with the process at worst: then the row stays marked until it is written again."""
        if not self.has_any:
            return
        name = _name(key)
        with self._lock:
            dead = self._rows.get(name)
            if dead is None or position.is_before(dead.last):
                return
            if began_at is not None and dead.counts_for(began_at):
                return
            del self._rows[name]
            self._unsent[name] = None
        try:
            self._send()
        except RetriableError:
            return  # goes with what is sent next

    def look_again(self) -> None:
        """See the port."""
        with self._lock:
            self._assignment += 1

    @property
    def has_any(self) -> bool:
        """See the port."""
        return bool(self._rows)

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

    def _put_back(self, unsent: Mapping[str, _Dead | None]) -> None:
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
                self._rows.pop(name, None)
            elif (dead := _dead(value)) is not None:
                self._rows[name] = dead

    def _count_down(self, name: str) -> None:
        self._unread[name] -= 1
        if not self._unread[name]:
            del self._unread[name]


def _name(key: Key) -> str:
    return digest(repr(key).encode())


def _value(dead: _Dead | None) -> Value | None:
    if dead is None:
        return None
    value = {"position": _listed(dead.last)}
    return value if dead.first == dead.last else {**value, "first": _listed(dead.first)}


def _listed(position: Position) -> list[str | int]:
    return [position.topic_id, position.partition, position.offset]


def _dead(value: Value) -> _Dead | None:
    try:
        last = _position(*value["position"])
        return _Dead(_position(*value["first"]) if "first" in value else last, last)
    except (KeyError, TypeError, ValueError):
        return None


def _position(topic_id: object, partition: object, offset: object) -> Position:
    return Position(str(topic_id), int(str(partition)), int(str(offset)))
