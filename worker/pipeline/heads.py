"""Where the group stands in all partitions of a topic: the first record of each that is not done.

What one partition may do depends on others at times, which may be other workers'. Their commits
tell, as what is committed is never read again.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from worker.decode.port import OLD_KEY
from worker.flow.key_schema import name_of, prefix_of
from worker.model import TopicPartition
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.clock import Clock
    from worker.model import Record
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
    is_created: bool = False
    """Whether it is the create half of a key change, which may wait itself."""


class Behind(Enum):
    """Which partitions have not done with what was sent before a record."""

    NOBODY = "nobody"
    LEVEL = "level"
    """Only such as wait for other halves that were sent in the same millisecond."""
    SOMEBODY = "somebody"
    """Or nobody has looked yet."""


class Standing(NamedTuple):
    """Of those that have not done with what was sent before a record."""

    behind: Behind
    moved_s: float
    """When the last of them was first seen where it stands; now, if nobody has looked yet."""


class _Look(NamedTuple):
    began_s: float
    ended_s: float
    heads: Mapping[TopicPartition, Head]
    moved_s: Mapping[TopicPartition, float]
    """When each of them was first seen there."""


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
        self._looking = threading.Lock()
        self._looks: defaultdict[str, deque[_Look]] = defaultdict(deque)
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

    def behind(self, record: Record, since_s: float, by_s: float) -> Standing:
        """Who has not done with what was sent before a record, and since when nobody moves.

        Its other half is not looked for: what is not committed may be that, or bring it.

        Args:
            record: create half of a key change.
            since_s: when it arrived; who looked before that may not have seen its other half.
            by_s: when that had to be known.

        Raises:
            Interrupted, FatalError: as ``of``.
        """
        at_ms = record.timestamp_ms
        if at_ms is None:
            return Standing(Behind.NOBODY, -math.inf)
        look = self._seen(record.topic, since_s, by_s)
        if look is None:
            return Standing(Behind.SOMEBODY, self._clock.now_s())
        behind = {
            place: head
            for place, head in look.heads.items()
            if head.at_ms is not None
            and head.at_ms <= at_ms
            and (place.partition != record.partition or head.offset < record.offset)
        }
        if not behind:
            return Standing(Behind.NOBODY, -math.inf)
        is_level = all(head.is_created and head.at_ms == at_ms for head in behind.values())
        moved_s = max(look.moved_s[place] for place in behind)
        return Standing(Behind.LEVEL if is_level else Behind.SOMEBODY, moved_s)

    def _seen(self, topic: str, since_s: float, by_s: float) -> _Look | None:
        """The last look that had ended by then, unless it began too early or there was none."""
        with self._looking:
            looks = self._looks[topic]
            now_s = self._clock.now_s()
            if not looks or now_s - looks[-1].ended_s >= _FRESH_S:
                heads = self.of([topic])
                moved_s = _moved_s(looks[-1] if looks else None, heads, now_s)
                looks.append(_Look(now_s, self._clock.now_s(), heads, moved_s))
            while len(looks) > 1 and looks[1].ended_s <= by_s:
                looks.popleft()
            look = looks[0]
            return look if look.began_s >= since_s and look.ended_s <= by_s else None

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


def _moved_s(
    before: _Look | None, heads: Mapping[TopicPartition, Head], now_s: float
) -> dict[TopicPartition, float]:
    if before is None:
        return dict.fromkeys(heads, now_s)
    return {
        place: before.moved_s[place] if before.heads.get(place) == head else now_s
        for place, head in heads.items()
    }


def _place(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _head(record: Record) -> Head:
    schema = name_of(prefix_of(record.key or b""))
    is_created = any(name == OLD_KEY for name, _ in record.headers)
    return Head(schema, record.timestamp_ms, record.offset, is_created)
