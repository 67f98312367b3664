"""Whether Kafka holds later records that overtake changes which nobody can complete any more.

When a group is set back, changes come again whose text is nowhere by now: their row has gone on to
another key since, and what stood under the old one with it. That is no loss where a later record
says the whole row, or that it is gone. Within a partition it is mostly read in time; it is not
where it is far ahead, or held back as its key has another schema.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import field
from typing import TYPE_CHECKING, TypeVar

from worker.decode.port import NotARow
from worker.errors import RecordError
from worker.flow.key_schema import prefix_of
from worker.immutable import immutable
from worker.model import Op, TopicPartition
from worker.pipeline.letters import Reading
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from worker.decode.port import Decoder
    from worker.model import Change, Key, Record
    from worker.pipeline.patience import Patience
    from worker.source.port import SpanReader

T = TypeVar("T")

_ASK_S = 5.0
_NEAREST = 1_000
_MOST_BACK = 100_000
"""Records."""
_COMES_BACK_MS = 2_000
"""Debezium is away for longer after a crash: it waits 10 s before it tries again itself, and a new
process needs some seconds. A stream that goes on is written sooner after the commit."""
_CLOCKS_MS = 60_000
"""The clocks of two machines are not further apart (ADR 11)."""


@immutable
class LaterRecords:
    """Reads what the group has not committed, from the topics themselves. Thread-safe."""

    open_reader: Callable[[], SpanReader]
    """Makes a reader of the connector's topics beside their group."""
    open_decoder: Callable[[], Decoder]
    """As the task's, but of its own."""
    patience: Patience
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def overtaken(self, changes: Collection[Change]) -> Mapping[Key, Change]:
        """For rows of these changes, the first later one that says all, or that they are gone.

        Raises:
            Interrupted: the task stops.
            FatalError: the topics cannot be read.
        """
        return self._ask(lambda reader, decoder: self._read(reader, decoder, changes))

    def sent_again(self, changes: Collection[Change]) -> Collection[Key]:
        """Rows of which Kafka had a change already that the source made later than this one.

        Debezium sends its last changes again after a crash, in order; so what came after these
        comes after them again, however long it is away in between. Those that were written at once
        after their commit are the first of their kind, so nothing is read for them.

        Raises:
            Interrupted: the task stops.
            FatalError: the topics cannot be read.
        """
        doubtful = [one for one in changes if not _came_at_once(one)]
        if not doubtful:
            return ()
        return self._ask(lambda reader, decoder: self._read_back(reader, decoder, doubtful))

    def _ask(self, question: Callable[[SpanReader, Decoder], T]) -> T:
        with self._reading:
            reader, decoder = self.open_reader(), self.open_decoder()
            try:
                what = "reading the topics for changes that cannot be completed"
                return self.patience(what, lambda: question(reader, decoder))
            finally:
                reader.close()
                decoder.close()

    def _read_back(
        self, reader: SpanReader, decoder: Decoder, changes: Collection[Change]
    ) -> Collection[Key]:
        reaches = reader.standings(_ASK_S)
        by_place: defaultdict[TopicPartition, list[Change]] = defaultdict(list)
        for change in changes:
            place = TopicPartition(change.record.topic, change.record.partition)
            if place in reaches and change.origin.committed_ms is not None:
                by_place[place].append(change)
        found: set[Key] = set()
        for place, group in by_place.items():
            search = _Search(
                Reading(decoder, self.patience), {one.key: one for one in group}, _was_ahead
            )
            for span in _spans_back(reaches[place].log, group):
                began_ms = search.take_all(reader.read({place: span}))
                if search.is_over or _is_long_before(began_ms, group):
                    break
            found.update(search.found)
        return found

    def _read(
        self, reader: SpanReader, decoder: Decoder, changes: Collection[Change]
    ) -> Mapping[Key, Change]:
        wanted = {one.key: one for one in changes}
        search = _Search(Reading(decoder, self.patience), wanted, _overtakes)
        search.take_all(reader.read(_ahead(reader, changes)))
        return search.found


class _Search:
    """What was found so far."""

    def __init__(
        self,
        reading: Reading,
        wanted: Mapping[Key, Change],
        is_wanted: Callable[[Change, Change], bool],
    ) -> None:
        """``is_wanted`` compares what was read with what is asked about."""
        self.wanted = wanted
        self._is_wanted = is_wanted
        self.found: dict[Key, Change] = {}
        self._reading = reading
        self._spellings = {_columns(change.record.key) for change in wanted.values()}

    @property
    def is_over(self) -> bool:
        """Whether something was found for each."""
        return len(self.found) == len(self.wanted)

    def take_all(self, batches: Iterable[Iterable[Record]]) -> int | None:
        """Go on to the end, or until nothing is left to find; when the first record was written."""
        began_ms = None
        for batch in batches:
            for record in batch:
                began_ms = record.timestamp_ms if began_ms is None else began_ms
                self._take(record)
            if self.is_over:
                break
        return began_ms

    def _take(self, record: Record) -> None:
        if record.key is None or _columns(record.key) not in self._spellings:
            return
        try:
            change = self._reading.change(record)
        except RecordError:
            return
        if isinstance(change, NotARow):
            return
        before = self.wanted.get(change.key)
        if before is not None and self._is_wanted(change, before):
            self.found.setdefault(change.key, change)


def _columns(key: bytes | None) -> bytes:
    """Of a key's bytes, without what tells their schema."""
    return b"" if key is None else key[len(prefix_of(key)) :]


def _overtakes(change: Change, before: Change) -> bool:
    return _is_later(change, before) and _says_all(change)


def _came_at_once(change: Change) -> bool:
    """Whether nobody died between commit and Kafka. Where both times are one they tell nothing."""
    sent_ms, made_ms = change.record.timestamp_ms, change.origin.committed_ms
    if sent_ms is None or made_ms is None:
        return False
    return 0 < sent_ms - made_ms < _COMES_BACK_MS


def _was_ahead(change: Change, again: Change) -> bool:
    """Whether Kafka had it first, though the source made it later.

    Snapshots tell the position of the reading, which may be ahead of changes that come later.
    """
    ours, theirs = change.origin, again.origin
    if change.op is Op.READ or ours.position is None or theirs.position is None:
        return False
    is_first = change.position.is_before(again.position)
    if not is_first or ours.position <= theirs.position:
        return False
    ours_ms, theirs_ms = ours.committed_ms, theirs.committed_ms
    return ours_ms is not None and theirs_ms is not None and ours_ms >= theirs_ms


def _spans_back(log: Span, changes: Collection[Change]) -> Iterator[Span]:
    """What stands before them, the nearest first, in larger and larger parts."""
    end, length = max(one.position.offset for one in changes), _NEAREST
    first = max(log.start, end - _MOST_BACK)
    while end > first:
        begin = max(first, end - length)
        yield Span(begin, end)
        end, length = begin, 2 * length


def _is_long_before(at_ms: int | None, changes: Collection[Change]) -> bool:
    """Whether a time lies before the source made the changes, as far as clocks agree."""
    made_ms = min(one.origin.committed_ms or 0 for one in changes)
    return at_ms is not None and at_ms < made_ms - _CLOCKS_MS


def _says_all(change: Change) -> bool:
    """Half of a key change may be the very one that is asked about, sent again without its text.

    What was there before another row has gone by a record of its own.
    """
    return change.op.removes or not change.unavailable


def _is_later(change: Change, before: Change) -> bool:
    """By offset or by the time of the record, as tombstones tell no time in the source."""
    ours, theirs = change.position, before.position
    if ours.comparable(theirs):
        return ours.offset > theirs.offset
    ours_ms, theirs_ms = change.record.timestamp_ms, before.record.timestamp_ms
    return ours_ms is not None and theirs_ms is not None and ours_ms > theirs_ms


def _ahead(reader: SpanReader, changes: Collection[Change]) -> Mapping[TopicPartition, Span]:
    """What is uncommitted in the partitions of their topics."""
    topics = {change.record.topic for change in changes}
    return {
        place: Span(reach.next_offset, reach.log.end)
        for place, reach in reader.standings(_ASK_S).items()
        if place.topic in topics
    }
