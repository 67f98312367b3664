"""The truncates of all tables, as the state topic has them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.immutable import immutable
from worker.marks.truncation import PREFIX, Truncation, key_of, truncation_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from worker.document.place import Place
    from worker.marks.truncation import Key
    from worker.model import Change, Point
    from worker.state.port import StateTopic, Value

_READ_TIMEOUT_S = 10.0


@dataclass(slots=True)
class _Known:
    """What the topic says of one truncate."""

    truncation: Truncation | None = None
    offset: int = -1
    """Of its newest record."""
    swept: dict[int, int] = field(default_factory=dict)
    """By partition, the offset of the record that was carried out."""


@immutable
class Due:
    """A truncate that partitions still have to carry out."""

    truncation: Truncation
    offset: int
    """Of its record in the state topic, to be said when it is done."""
    partitions: frozenset[int]


class TableWatermarks:
    """Reads and writes them; of a table the newest truncate counts. Thread-safe."""

    may_come = True

    def __init__(self, topic: StateTopic) -> None:
        self._topic = topic
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._by_topic: dict[str, tuple[Truncation, ...]] = {}
        self.version = 0
        """Changes whenever something is read."""
        topic.attach(PREFIX, self._read)

    def covers(self, change: Change) -> bool:
        """By source position, or time where positions do not compare."""
        marks = self._by_topic.get(change.record.topic) if self._by_topic else None
        return marks is not None and any(mark.covers(change) for mark in marks)

    def covers_point(self, point: Point, place: Place) -> bool:
        """By the stamp's source position, or ``updated_at`` where it has none."""
        marks = self._by_topic.get(place.topic) if self._by_topic else None
        return marks is not None and any(
            mark.is_about(place) and mark.is_after(point) is True for mark in marks
        )

    def covers_moment(
        self, place: Place, source_position: int | None, committed_ms: int | None
    ) -> bool:
        """As ``covers_point``, without the point."""
        marks = self._by_topic.get(place.topic) if self._by_topic else None
        return marks is not None and any(
            mark.is_about(place) and mark.is_after_moment(source_position, committed_ms) is True
            for mark in marks
        )

    def of_topic(self, topic: str) -> tuple[Truncation, ...]:
        """The last truncate of each table in this topic."""
        return self._by_topic.get(topic, ())

    def write(self, truncation: Truncation) -> None:
        """Write a truncate down and read the log up to it, unless a newer one is known.

        Raises:
            RetriableError: the brokers are away; to be called again.
            FatalError: they refuse it.
        """
        for newer in self.of_topic(truncation.topic):
            if newer.supersedes(truncation):
                return
        offset = self._topic.append(truncation.key, truncation.value)
        self._topic.read_up_to(offset, _READ_TIMEOUT_S)
        self._forget_superseded()

    def due(self, topic: str, partitions: Collection[int]) -> list[Due]:
        """What is not swept yet for these partitions."""
        with self._lock:
            found = []
            for mark in self._by_topic.get(topic, ()):
                known = self._known[mark.key]
                left = frozenset(p for p in partitions if known.swept.get(p, -1) < known.offset)
                if left:
                    found.append(Due(mark, known.offset, left))
            return found

    def swept(self, due: Due, partitions: Iterable[int]) -> None:
        """Write down that a truncate was carried out for these partitions.

        Raises:
            RetriableError, FatalError: as ``write``.
        """
        last = -1
        for partition in sorted(partitions):
            key = due.truncation.swept_key(partition)
            last = self._topic.append(key, {"of": due.offset})
        if last >= 0:
            self._topic.read_up_to(last, _READ_TIMEOUT_S)

    def _forget_superseded(self) -> None:
        """Delete what no longer counts; what is not deleted now is the next time."""
        with self._lock:
            counting = {mark.key for marks in self._by_topic.values() for mark in marks}
            old = [
                key
                for name, known in self._known.items()
                if name not in counting and known.truncation is not None
                for key in (*(known.truncation.swept_key(one) for one in known.swept), name)
            ]
        try:
            for key in old:
                self._topic.post(key, None)
        except RetriableError:
            return

    def _read(self, offset: int, text: str, value: Value | None) -> None:
        key = key_of(text)
        if key is None:
            return
        with self._lock:
            if key.partition is None:
                self._read_truncation(key, offset, value)
            else:
                self._read_swept(key, key.partition, value)
            self.version += 1

    def _read_truncation(self, key: Key, offset: int, value: Value | None) -> None:
        truncation = None if value is None else truncation_of(value)
        known = self._known.setdefault(key.truncation, _Known())
        known.truncation, known.offset = truncation, offset
        if truncation is None and not known.swept:
            del self._known[key.truncation]
        self._by_topic = _counting(self._known.values())

    def _read_swept(self, key: Key, partition: int, value: Value | None) -> None:
        known = self._known.setdefault(key.truncation, _Known())
        if value is None:
            known.swept.pop(partition, None)
            if known.truncation is None and not known.swept:
                del self._known[key.truncation]
        elif isinstance(of := value.get("of"), int):
            known.swept[partition] = of


def _counting(known: Iterable[_Known]) -> dict[str, tuple[Truncation, ...]]:
    """By topic, the truncates that no other one supersedes."""
    all_of: dict[str, list[Truncation]] = {}
    for one in known:
        if one.truncation is not None:
            all_of.setdefault(one.truncation.topic, []).append(one.truncation)
    return {
        topic: tuple(one for one in marks if not any(two.supersedes(one) for two in marks))
        for topic, marks in all_of.items()
    }
