"""Where the group stands in all partitions of a topic: the first record of each that is not done.

What one partition may do depends on others at times, which may be other workers'. Their commits
tell, as what is committed is never read again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from worker.flow.key_schema import name_of, prefix_of
from worker.model import TopicPartition
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.clock import Clock
    from worker.model import Change, Record
    from worker.pipeline.patience import Patience
    from worker.source.port import SpanReader

_ASK_S = 5.0
_FRESH_S = 1.0
"""Commits are sent once a second."""
_IDLE_S = 5.0


class Head(NamedTuple):
    """The first record of a partition that its group has not committed."""

    schema: str
    """Of its key; see ``flow.key_schema``."""
    at_ms: int | None
    """Its timestamp."""
    offset: int


class Heads:
    """Asks Kafka, with a reader of its own. Thread-safe."""

    def __init__(
        self, open_reader: Callable[[], SpanReader], patience: Patience, clock: Clock
    ) -> None:
        """``open_reader`` makes a reader of the connector's topics beside their group."""
        self._open_reader = open_reader
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._reader: SpanReader | None = None
        self._known: dict[str, tuple[float, Mapping[TopicPartition, Head]]] = {}
        self._used_s = clock.now_s()
        self._is_closing = False

    def of(self, topics: Collection[str]) -> Mapping[TopicPartition, Head]:
        """Of the partitions that are not committed to their ends, as they are now.

        Raises:
            Interrupted: the task stops.
            FatalError: the topics cannot be read beside the group.
        """
        with self._lock:
            reader = self._reader = self._reader or self._open_reader()
            try:
                return self._patience("looking at other partitions", lambda: _read(reader, topics))
            finally:
                self._used_s = self._clock.now_s()
                if self._is_closing:
                    self._drop()

    def lag_ms(self, change: Change) -> int | None:
        """By how much the partition that is furthest behind is behind a change of another one.

        0 where it may still bring what came with the change, None where all are past it or nobody
        knows. May be late by a second.

        Raises:
            Interrupted, FatalError: as ``of``.
        """
        topic, at_ms = change.record.topic, change.record.timestamp_ms
        if at_ms is None:
            return None
        known = self._known.get(topic)
        if known is None or self._clock.now_s() - known[0] >= _FRESH_S:
            known = self._known[topic] = self._clock.now_s(), self.of([topic])
        lags = [
            at_ms - head.at_ms
            for place, head in known[1].items()
            if place.partition != change.record.partition and head.at_ms is not None
        ]
        furthest = max(lags, default=-1)
        return furthest if furthest >= 0 else None

    @property
    def is_idle(self) -> bool:
        """Whether connections are open that nobody has used lately."""
        return self._reader is not None and self._clock.now_s() - self._used_s >= _IDLE_S

    def let_go(self) -> None:
        """Drop connections; the next question opens them again."""
        with self._lock:
            self._drop()

    def close(self) -> None:
        """Drop connections, now or when what is being asked is answered."""
        self._is_closing = True
        if self._lock.acquire(blocking=False):
            self._drop()
            self._lock.release()

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def _read(reader: SpanReader, topics: Collection[str]) -> dict[TopicPartition, Head]:
    """As little as there is to read: mostly one record of each partition.

    Where the next offset holds none, as in a compacted topic or before the marker of a transaction,
    a partition is read on alone.
    """
    left = {
        place: Span(reach.next_offset, reach.log.end)
        for place, reach in reader.standings(_ASK_S).items()
        if place.topic in topics and reach.next_offset < reach.log.end
    }
    nexts = {place: Span(span.start, span.start + 1) for place, span in left.items()}
    found = {_place(record): _head(record) for batch in reader.read(nexts) for record in batch}
    for place in left.keys() - found.keys():
        for batch in reader.read({place: left[place]}):
            found[place] = _head(batch[0])
            break
    return found


def _place(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _head(record: Record) -> Head:
    return Head(name_of(prefix_of(record.key or b"")), record.timestamp_ms, record.offset)
