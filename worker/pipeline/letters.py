"""Reads dead letters that are asked for, beside the polling thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from worker.decode.port import NotARow, SchemaNeeded
from worker.errors import FatalError, RecordError
from worker.immutable import immutable
from worker.letters.standing import LetterId, LetterState
from worker.model import Record, TopicPartition
from worker.pipeline.candidate import Candidate, Settlement
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from worker.decode.port import Decoder
    from worker.dlq.port import Letter
    from worker.letters.standing import Standing
    from worker.model import Change, Key
    from worker.pipeline.patience import Patience
    from worker.source.port import SpanReader

_ASK_S = 5.0
_NEAR = 2000
"""Letters so close together are read in one go, with what lies between them."""
_MOST_BYTES = 2 << 20
_MISSING = "the dead-letter topic does not hold it any more"
_TRUNCATE = "truncate"


class Spelling(Protocol):
    """What a record of the dead-letter topic says of itself."""

    def letter_of(self, record: Record) -> Letter | None:
        """Where it came from and how it failed; None if it does not say so."""
        ...

    def original_of(self, record: Record, letter: Letter) -> Record:
        """The record that failed, where it stood."""
        ...


@immutable
class Reading:
    """Decodes as the task does, with a decoder of its own, and waits for schemas."""

    decoder: Decoder
    patience: Patience

    def change(self, record: Record) -> Change | NotARow:
        """The change of a record.

        Raises:
            RecordError: it cannot be decoded.
            Interrupted: the task stops.
            FatalError: every record would fail.
        """
        while True:
            try:
                return self.decoder.decode(record)
            except SchemaNeeded as needed:
                self._load(needed)

    def key(self, record: Record) -> Key | None:
        """The row of a record, if its key can be read: without its value it is a tombstone."""
        try:
            change = self.change(
                Record(record.topic, record.partition, record.offset, record.key, None)
            )
        except RecordError:
            return None
        return None if isinstance(change, NotARow) else change.key

    def _load(self, needed: SchemaNeeded) -> None:
        what = f"loading schema {needed.schema_id} for a replay"
        self.patience(what, lambda: self.decoder.load(needed))


@dataclass(slots=True)
class Opened:
    """Letters that were read."""

    candidates: list[Candidate] = field(default_factory=list)
    settled: dict[LetterId, Settlement] = field(default_factory=dict)
    """Those that are not to be written."""
    bytes: int = 0

    @property
    def is_full(self) -> bool:
        """Whether more of them would take too much memory."""
        return self.bytes >= _MOST_BYTES


@immutable
class LetterReading:
    """Finds letters in the dead-letter topic."""

    topic: str
    reader: SpanReader
    """Of that topic."""
    reading: Reading
    spelling: Spelling
    max_replays: int
    """So many times at most a letter is replayed, unless it is forced."""

    def open(self, asked: Mapping[LetterId, Standing]) -> Opened:
        """Read these letters, or the first of them if they are large.

        Raises:
            RetriableError: the brokers are away.
            Interrupted: the task stops.
            FatalError: they refuse, or every record would fail.
        """
        opened = Opened()
        for place, span in self._spans(asked):
            self._take_from(place, span, asked, opened)
            if opened.is_full:
                return opened
        found = {one.id for one in opened.candidates} | opened.settled.keys()
        for letter in asked.keys() - found:
            opened.settled[letter] = Settlement(LetterState.OPEN, _MISSING)
        return opened

    def _spans(self, letters: Iterable[LetterId]) -> Iterator[tuple[TopicPartition, Span]]:
        """What has to be read of the topic, as far as it still holds it."""
        reaches = self.reader.standings(_ASK_S)
        by_place: dict[TopicPartition, set[int]] = {}
        for letter in letters:
            place = TopicPartition(self.topic, letter.partition)
            reach = reaches.get(place)
            if reach is not None and reach.log.start <= letter.offset < reach.log.end:
                by_place.setdefault(place, set()).add(letter.offset)
        for place, offsets in by_place.items():
            for span in _runs(sorted(offsets)):
                yield place, span

    def _take_from(
        self,
        place: TopicPartition,
        span: Span,
        asked: Mapping[LetterId, Standing],
        opened: Opened,
    ) -> None:
        for batch in self.reader.read({place: span}):
            for record in batch:
                letter = LetterId(record.topic_id, record.partition, record.offset)
                standing = asked.get(letter)
                if standing is not None:
                    self._take(letter, standing, record, opened)
                    if opened.is_full:
                        return

    def _take(self, letter: LetterId, standing: Standing, record: Record, opened: Opened) -> None:
        said = self.spelling.letter_of(record)
        if said is None:
            opened.settled[letter] = _open("its headers do not say where it came from")
            return
        if said.replays >= self.max_replays and not standing.force:
            opened.settled[letter] = _open(
                f"in quarantine: it was replayed and failed again {said.replays} times"
            )
            return
        original = self.spelling.original_of(record, said)
        origin = standing.origin
        if origin is None or (original.topic, original.partition) != origin.place:
            opened.settled[letter] = _open("it was asked of the owner of another partition")
            return
        candidate = self._candidate(letter, standing, original)
        if isinstance(candidate, Settlement):
            opened.settled[letter] = candidate
            return
        opened.candidates.append(candidate)
        opened.bytes += _size(record)

    def _candidate(
        self, letter: LetterId, standing: Standing, original: Record
    ) -> Candidate | Settlement:
        run, per_s = standing.run, standing.per_s
        try:
            change = self.reading.change(original)
        except RecordError as error:
            key = self.reading.key(original)
            return Candidate(letter, original, run, per_s, key, change=None, error=error)
        except FatalError as error:
            if original.key is not None:
                raise
            return _open(str(error))
        if not isinstance(change, NotARow):
            return Candidate(letter, original, run, per_s, change.key, change)
        if change.kind == _TRUNCATE:
            return _open("it is the truncate of a table, which is not replayed")
        return Settlement(LetterState.REPLAYED, f"it is no row: {change.kind}")


def _open(note: str) -> Settlement:
    return Settlement(LetterState.OPEN, note)


def _runs(offsets: Iterable[int]) -> Iterator[Span]:
    """What lies close together, as one."""
    start = end = -1
    for offset in offsets:
        if start >= 0 and offset - end > _NEAR:
            yield Span(start, end)
            start = offset
        start, end = (offset if start < 0 else start), offset + 1
    if start >= 0:
        yield Span(start, end)


def _size(record: Record) -> int:
    """With its headers, as stack traces are the largest part."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers
