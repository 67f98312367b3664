"""What a replay asks Kafka and the index before anything is put back; beside the task's thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from worker.flow.entry import Entry, Work
from worker.immutable import immutable
from worker.letters.standing import LetterState
from worker.model import Outcome
from worker.pipeline.candidate import Settlement
from worker.pipeline.letters import LetterReading, Reading
from worker.pipeline.patience import Interrupted
from worker.pipeline.tail import TailReading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.clock import Clock
    from worker.decode.port import Decoder
    from worker.flow.ledger import PartitionLedger
    from worker.letters.book import LetterBook
    from worker.letters.standing import LetterId, Standing
    from worker.pipeline.batch import BatchRunner
    from worker.pipeline.candidate import Candidate
    from worker.pipeline.item import Item
    from worker.pipeline.letters import Opened, Spelling
    from worker.pipeline.patience import Patience
    from worker.source.port import SpanReader

T = TypeVar("T")

_ITEMS = 100
"""Compared with the index at once."""
_AS_THE_INDEX = frozenset({Outcome.UNCHANGED, Outcome.DELETED})


@immutable
class Readers:
    """Clients of its own that a replay needs; made for the first one."""

    letters: SpanReader
    """Of the dead-letter topic."""
    origins: SpanReader
    """Of the connector's topics."""
    decoder: Decoder

    def close(self) -> None:
        """Drop connections."""
        self.letters.close()
        self.origins.close()
        self.decoder.close()


@immutable
class ReplayPorts:
    """What replays talk to."""

    book: LetterBook
    topic: str
    """The dead-letter topic."""
    spelling: Spelling
    open: Callable[[], Readers]
    partition_of: Callable[[bytes, int], int]
    """Where a producer puts a key, of so many partitions."""
    max_replays: int = 3
    """``dlq.max.replays``."""


class Inquiry:
    """One question at a time; the task's thread calls ``close``."""

    def __init__(
        self, ports: ReplayPorts, runner: BatchRunner, patience: Patience, clock: Clock
    ) -> None:
        self._ports = ports
        self._runner = runner
        self._patience = patience
        self._clock = clock
        self._asking = threading.Lock()
        self._is_closing = False
        self._readers: Readers | None = None

    def open(self, asked: Mapping[LetterId, Standing]) -> Opened:
        """Read letters.

        Raises:
            Interrupted: the task stops.
            FatalError: they cannot be read.
        """

        def read(readers: Readers) -> Opened:
            ports = self._ports
            reading = Reading(readers.decoder, self._patience)
            letters = LetterReading(
                ports.topic, readers.letters, reading, ports.spelling, ports.max_replays
            )
            self._patience("reading the state topic", ports.book.sync)
            return self._patience("reading dead letters", lambda: letters.open(self._still(asked)))

        return self._ask(read)

    def follow(self, candidates: Sequence[Candidate], ledger: PartitionLedger, to: int) -> None:
        """Find what came after them, below an offset; where nobody can say, ask the index.

        Raises:
            Interrupted: the task stops, or the partition has gone.
            FatalError: the partition cannot be read.
        """
        if not candidates:
            return

        def read(readers: Readers) -> None:
            reading = Reading(readers.decoder, self._patience)
            tail = TailReading(readers.origins, reading, self._ports.partition_of)
            what = "reading what came after dead letters"
            self._patience(what, lambda: tail.follow(candidates, ledger, to))

        self._ask(read)
        doubtful = [one for one in candidates if one.verdict is not None]
        for first in range(0, len(doubtful), _ITEMS):
            self._compare(doubtful[first : first + _ITEMS], ledger)

    def close(self) -> None:
        """Let go of the readers, now or when what is being asked is answered."""
        self._is_closing = True
        if self._asking.acquire(blocking=False):
            self._drop()
            self._asking.release()

    def _still(self, asked: Mapping[LetterId, Standing]) -> Mapping[LetterId, Standing]:
        """Those that nobody else has settled meanwhile."""
        book = self._ports.book
        return {
            letter: standing
            for letter, standing in asked.items()
            if book.standing(letter).state is LetterState.ASKED
        }

    def _ask(self, question: Callable[[Readers], T]) -> T:
        with self._asking:
            if self._is_closing:
                raise Interrupted
            self._readers = self._readers or self._ports.open()
            try:
                return question(self._readers)
            finally:
                if self._is_closing:
                    self._drop()

    def _drop(self) -> None:
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.close()

    def _compare(self, candidates: Sequence[Candidate], ledger: PartitionLedger) -> None:
        works: list[Work] = []
        compared: list[Candidate] = []
        for candidate in candidates:
            change = candidate.change
            applied = None if change is None else candidate.sequel.applied_to(change)
            if applied is not None:
                entry = Entry(applied, ledger, self._clock.now_s())
                works.append(Work(applied, [entry], candidate.record.position))
                compared.append(candidate)
        items = self._runner.decided(works) if works else ()
        for candidate, item in zip(compared, items, strict=True):
            candidate.verdict = _by_index(item) or candidate.verdict


def _by_index(item: Item) -> Settlement | None:
    """What the index says of a change; None if it does not know either."""
    if item.outcome is Outcome.STALE:
        return Settlement(LetterState.SUPERSEDED, "the index is ahead of it")
    if item.outcome in _AS_THE_INDEX:
        return Settlement(LetterState.REPLAYED, "the index has it already")
    return None
