"""The records of one row, looked for from the ends of all partitions backwards.

The partition of a key follows from its bytes, which hold the id of a schema: nobody who has only
the key's columns can tell it, and after a new schema id a row goes on in another partition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.model import TopicPartition
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.explain.reading import Reading
    from worker.explain.wanted import Wanted
    from worker.model import Key, Record
    from worker.source.port import Reach, SpanReader

    Progress = Callable[[int], None]
    """Told of new records."""

_FIRST_OFFSETS = 1_000
_MOST_OFFSETS = 100_000
"""Of each partition in one round; rounds grow, as the start of each costs a moment."""
_GROWTH = 4
_BEFORE = 10_000
"""Offsets before the newest record in which its history is looked for: about what a backlog holds,
so that every change that can become one with it is among them."""


@dataclass(slots=True)
class Trail:
    """What was found of a row."""

    records: list[Record] = field(default_factory=list)
    """Oldest first; those before the newest as far as they were passed on the way."""
    newest: Record | None = None
    read: int = 0
    """Records looked at, of all rows."""
    unreadable: int = 0
    """Of these, records whose key could not be read: one of them may be of the row."""
    is_whole: bool = False
    """Whether nothing older is left in the topic."""
    key: Key | None = None
    """The row's, as decoded."""
    example: Key | None = None
    """A key of the topic that has the wanted columns."""


@dataclass(slots=True)
class _Lane:
    """One partition on the way to its beginning."""

    standing: Reach
    low: int
    """Everything from here on was read."""
    oldest_ms: int | None = None
    """Timestamp of the lowest record so far."""
    found: list[Record] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.low - self.standing.log.start

    def is_past(self, moment_ms: int | None) -> bool:
        """Whether what is left was written before this moment."""
        if moment_ms is None or self.oldest_ms is None:
            return False
        return self.oldest_ms <= moment_ms


class Search:
    """Reads until the newest record is found and no partition can have a newer one."""

    def __init__(self, reader: SpanReader, reading: Reading, wanted: Wanted) -> None:
        self._reader = reader
        self._reading = reading
        self._wanted = wanted
        self._trail = Trail()
        self._misfit: Key | None = None

    def find(
        self,
        standings: Mapping[TopicPartition, Reach],
        limit: int | None,
        progress: Progress,
    ) -> Trail:
        """Look at no more than ``limit`` offsets, of all partitions together.

        Raises:
            ConfigError: the keys of the topic have other columns, or are numbers where the wanted
                one is none.
            RetriableError, FatalError: something does not answer, or refuses.
        """
        lanes = {place: _Lane(one, one.log.end) for place, one in standings.items()}
        size, left = _FIRST_OFFSETS, limit
        while spans := self._next(lanes, size, left):
            self._read(lanes, spans, progress)
            if self._trail.example is None and self._misfit is not None:
                raise self._wanted.misfit(self._misfit)
            size = min(size * _GROWTH, _MOST_OFFSETS)
            if left is not None:
                left -= sum(span.length for span in spans.values())
        trail = self._ended(lanes)
        if trail.newest is None and trail.example is not None:
            self._wanted.expect_types(trail.example)
        return trail

    def _next(
        self, lanes: Mapping[TopicPartition, _Lane], size: int, left: int | None
    ) -> Mapping[TopicPartition, Span]:
        newest = _newest(lanes.values())
        wanted = [place for place, lane in lanes.items() if lane.left and _may_have(lane, newest)]
        if wanted and left is not None:
            size = min(size, left // len(wanted))
        return {
            place: Span(
                max(lanes[place].standing.log.start, lanes[place].low - size), lanes[place].low
            )
            for place in wanted
            if size
        }

    def _read(
        self,
        lanes: Mapping[TopicPartition, _Lane],
        spans: Mapping[TopicPartition, Span],
        progress: Progress,
    ) -> None:
        first_ms: dict[TopicPartition, int | None] = {}
        found: dict[TopicPartition, list[Record]] = {place: [] for place in spans}
        for records in self._reader.read(spans):
            for record in records:
                place = TopicPartition(record.topic, record.partition)
                first_ms.setdefault(place, record.timestamp_ms)
                if self._is_of_row(record):
                    found[place].append(record)
            self._trail.read += len(records)
            progress(len(records))
        for place, span in spans.items():
            lane = lanes[place]
            lane.low = span.start
            lane.oldest_ms = first_ms.get(place, lane.oldest_ms)
            lane.found[:0] = found[place]

    def _is_of_row(self, record: Record) -> bool:
        key = self._reading.key(record)
        if key is None:
            self._trail.unreadable += record.key is not None
            return False
        if self._wanted.is_key(key):
            self._trail.key = self._trail.example = key
            return True
        if self._trail.example is None:
            if self._wanted.fits(key):
                self._trail.example = key
            else:
                self._misfit = key
        return False

    def _ended(self, lanes: Mapping[TopicPartition, _Lane]) -> Trail:
        trail, newest = self._trail, _newest(lanes.values())
        trail.is_whole = not any(lane.left for lane in lanes.values())
        if newest is not None:
            trail.newest = newest.found[-1]
            found = [record for lane in lanes.values() for record in lane.found]
            trail.records = sorted(found, key=_in_time)
        return trail


def _newest(lanes: Iterable[_Lane]) -> _Lane | None:
    """The lane with the newest record of the row."""
    having = [lane for lane in lanes if lane.found]
    return max(having, key=lambda lane: _in_time(lane.found[-1]), default=None)


def _may_have(lane: _Lane, newest: _Lane | None) -> bool:
    """Whether the rest of a partition is worth reading.

    Of the newest record's own partition a little more, for what came before it.
    """
    if newest is None:
        return True
    if lane is not newest:
        return not lane.is_past(newest.found[-1].timestamp_ms)
    return lane.low > newest.found[-1].offset - _BEFORE


def _in_time(record: Record) -> tuple[int, int]:
    return record.timestamp_ms or 0, record.offset
