"""What becomes of dead letters that a task has in its hands."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING

from worker.errors import FatalError
from worker.letters.standing import LetterState
from worker.model import Origin
from worker.pipeline.candidate import Settlement

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.errors import RecordError
    from worker.flow.ledger import PartitionLedger
    from worker.letters.book import LetterBook
    from worker.letters.standing import LetterId
    from worker.pipeline.candidate import Candidate
    from worker.pipeline.rejects import Rejects
    from worker.telemetry.counters import Counters


class Endings:
    """Knows which letters are under way, and writes what becomes of them; of the task's thread."""

    def __init__(self, book: LetterBook, rejects: Rejects, counters: Counters) -> None:
        self._book = book
        self._rejects = rejects
        self._counters = counters
        self._under_way: defaultdict[PartitionLedger, set[LetterId]] = defaultdict(set)

    @property
    def are_due(self) -> bool:
        """Whether any letter is under way."""
        return bool(self._under_way)

    def under_way(self, ledger: PartitionLedger) -> Collection[LetterId]:
        """Letters of an assignment that were begun and have no end."""
        return frozenset(self._under_way.get(ledger, ()))

    def begin(self, ledger: PartitionLedger, letters: Collection[LetterId]) -> None:
        """These are under way."""
        self._under_way[ledger].update(letters)

    def leave(self, ledger: PartitionLedger, letters: Collection[LetterId]) -> None:
        """These are not any more, and stay as they are."""
        if ledger in self._under_way:
            self._under_way[ledger].difference_update(letters)

    def drop_lost(self) -> None:
        """Forget assignments that have ended."""
        for ledger in [one for one, left in self._under_way.items() if not (one.is_open and left)]:
            del self._under_way[ledger]

    def settle(self, ledger: PartitionLedger, letter: LetterId, settlement: Settlement) -> None:
        """Write down what became of a letter."""
        self.leave(ledger, (letter,))
        is_closed = self._book.standing(letter).state.is_closed
        if is_closed and settlement.state is LetterState.OPEN:
            return  # somebody has discarded it meanwhile
        with contextlib.suppress(FatalError):  # ``flush`` raises it at the next tick
            self._book.settle(letter, settlement.state, settlement.note)
        self._counters.replays[settlement.state.value] += 1

    def put_back(self, candidate: Candidate, ledger: PartitionLedger, error: RecordError) -> None:
        """It failed again: the old letter is closed once the new one is written."""
        change, letter = candidate.change, candidate.id
        returned = Settlement(LetterState.RETURNED, f"{error.kind}: it goes on as a newer letter")
        self._rejects.put_back(
            candidate.record,
            ledger,
            error,
            candidate.key,
            Origin() if change is None else change.origin,
            then=lambda: self.settle(ledger, letter, returned),
        )
