"""What the partition that dead letters came from holds behind them, for all of them at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.decode.port import NotARow
from worker.errors import RecordError
from worker.flow.sequel import NOTHING_CAME, Sequel
from worker.immutable import immutable
from worker.letters.standing import LetterState
from worker.pipeline.candidate import Settlement
from worker.pipeline.patience import Interrupted
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.flow.ledger import PartitionLedger
    from worker.model import Key, Record
    from worker.pipeline.candidate import Candidate
    from worker.pipeline.letters import Reading
    from worker.source.port import SpanReader

_ASK_S = 5.0
_FRAME = 5
"""Bytes before an Avro key: magic byte and schema id."""


@immutable
class TailReading:
    """Scans partitions."""

    reader: SpanReader
    """Of the connector's topics."""
    reading: Reading
    partition_of: Callable[[bytes, int], int]
    """Where a producer puts a key, of so many partitions."""

    def follow(self, candidates: Collection[Candidate], ledger: PartitionLedger, to: int) -> None:
        """Find what came for their rows, below an offset; ``ledger`` is of their partition.

        A candidate about which the partition says nothing for sure gets a verdict, which says why.

        Raises:
            RetriableError: the brokers are away; nothing was changed.
            Interrupted: the task stops, or the partition has gone.
            FatalError: they refuse, or every record would fail.
        """
        reaches, place = self.reader.standings(_ASK_S), ledger.partition
        reach = reaches.get(place)
        log = Span(0, 0) if reach is None else reach.log
        first = min(candidate.offset for candidate in candidates)
        span = Span(max(first, log.start), min(to, log.end))
        tail = _Tail.of(candidates, self.reading)
        for batch in self.reader.read({place: span}):
            if not ledger.is_open:
                raise Interrupted
            for record in batch:
                tail.take(record)
        partitions = sum(1 for topic, _ in reaches if topic == place.topic)
        for candidate in candidates:
            candidate.sequel = tail.sequels[candidate]
            doubt = self._doubt(candidate, tail, partitions)
            candidate.verdict = Settlement(LetterState.OPEN, doubt) if doubt else None

    def _doubt(self, candidate: Candidate, tail: _Tail, partitions: int) -> str:
        record, topic = candidate.record, candidate.record.topic
        if candidate not in tail.readable:
            return (
                f"{topic}[{record.partition}] does not hold its record at offset {record.offset} "
                "any more, so nobody can say what came after it"
            )
        for key in spellings(record.key or b"", tail.frames):
            home = self.partition_of(key, partitions)
            if home != record.partition:
                return (
                    f"its row belongs to partition {home} of {topic} by now, so nobody can say "
                    "what came after it"
                )
        return ""


@dataclass(slots=True)
class _Tail:
    """What was found so far."""

    reading: Reading
    by_key: Mapping[Key, Collection[Candidate]]
    by_offset: Mapping[int, Collection[Candidate]]
    sequels: dict[Candidate, Sequel]
    readable: set[Candidate] = field(default_factory=set)
    """Their own records are still there."""
    frames: set[bytes] = field(default_factory=set)
    """Of Avro keys: while there are two, keys of one row may be in two partitions."""

    @classmethod
    def of(cls, candidates: Collection[Candidate], reading: Reading) -> _Tail:
        by_key: defaultdict[Key, list[Candidate]] = defaultdict(list)
        by_offset: defaultdict[int, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            if candidate.key is not None:
                by_key[candidate.key].append(candidate)
            by_offset[candidate.offset].append(candidate)
        sequels = dict.fromkeys(candidates, NOTHING_CAME)
        return cls(reading, by_key, by_offset, sequels)

    def take(self, record: Record) -> None:
        """The next record of the partition."""
        for candidate in self.by_offset.get(record.offset, ()):
            if _is_same(record, candidate.record):
                self.readable.add(candidate)
        if record.key is None:
            return
        if record.key[:1] == b"\0":
            self.frames.add(record.key[:_FRAME])
        key = self.reading.key(record)
        touched = self.sequels if key is None else self.by_key.get(key, ())
        before = [one for one in touched if _is_before(one.record, record)]
        if before:
            self._follow(before, record, can_be_read=key is not None)

    def _follow(self, before: Collection[Candidate], record: Record, *, can_be_read: bool) -> None:
        try:
            change = self.reading.change(record) if can_be_read else None
        except RecordError:
            change = None
        if isinstance(change, NotARow):
            return
        for candidate in before:
            sequel = self.sequels[candidate]
            self.sequels[candidate] = (
                sequel.then_unread() if change is None else sequel.then(change)
            )


def _is_same(record: Record, dead: Record) -> bool:
    """Whether this is the record that failed; offsets of a topic that was made anew are others."""
    return (record.topic_id, record.key, record.value) == (dead.topic_id, dead.key, dead.value)


def _is_before(dead: Record, record: Record) -> bool:
    return dead.topic_id == record.topic_id and dead.offset < record.offset


def spellings(key: bytes, frames: Collection[bytes]) -> Collection[bytes]:
    """A key as it may be written now: with the schema id of each that was seen."""
    if key[:1] != b"\0":
        return (key,)
    return {key, *(frame + key[_FRAME:] for frame in frames)}
