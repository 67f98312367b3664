"""Whether Kafka holds later records that overtake changes which nobody can complete any more.

When a group is set back, changes come again whose text is nowhere by now: their row has gone on to
another key since, and what stood under the old one with it. That is no loss where a later record
says the whole row, or that it is gone. Within a partition it is mostly read in time; it is not
where it is far ahead, or held back as its key has another schema.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.decode.port import NotARow
from worker.errors import RecordError
from worker.flow.key_schema import prefix_of
from worker.pipeline.letters import Reading
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.decode.port import Decoder
    from worker.model import Change, Key, Record, TopicPartition
    from worker.pipeline.patience import Patience
    from worker.source.port import SpanReader

_ASK_S = 5.0


@dataclass(frozen=True, slots=True)
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
        with self._reading:
            reader, decoder = self.open_reader(), self.open_decoder()
            try:
                what = "reading on for changes that cannot be completed"
                return self.patience(what, lambda: self._read(reader, decoder, changes))
            finally:
                reader.close()
                decoder.close()

    def _read(
        self, reader: SpanReader, decoder: Decoder, changes: Collection[Change]
    ) -> Mapping[Key, Change]:
        search = _Search(Reading(decoder, self.patience), {one.key: one for one in changes})
        for batch in reader.read(_ahead(reader, changes)):
            for record in batch:
                search.take(record)
            if len(search.found) == len(search.wanted):
                break
        return search.found


class _Search:
    """What was found so far."""

    def __init__(self, reading: Reading, wanted: Mapping[Key, Change]) -> None:
        self.wanted = wanted
        self.found: dict[Key, Change] = {}
        self._reading = reading
        self._spellings = {_columns(change.record.key) for change in wanted.values()}

    def take(self, record: Record) -> None:
        """The next record of a partition."""
        if record.key is None or _columns(record.key) not in self._spellings:
            return
        try:
            change = self._reading.change(record)
        except RecordError:
            return
        if isinstance(change, NotARow):
            return
        before = self.wanted.get(change.key)
        if before is not None and _is_later(change, before) and _says_all(change):
            self.found.setdefault(change.key, change)


def _columns(key: bytes | None) -> bytes:
    """Of a key's bytes, without what tells their schema."""
    return b"" if key is None else key[len(prefix_of(key)) :]


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
