"""One replay: what was asked for, and how far its answers are.

It ends with the letters that were there when it began; what fails again meanwhile is a new letter.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.letters.standing import LetterState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.estimate.stored import Waiting
    from worker.letters.book import LetterBook
    from worker.letters.case import Case
    from worker.letters.standing import LetterId, LetterOrigin, Standing
    from worker.model import TopicPartition


@immutable
class Terms:
    """How letters are to be replayed."""

    run: str
    """Names this replay."""
    per_s: float | None = None
    """Letters a second, over all partitions; None: as fast as the worker's limits allow."""
    force: bool = False
    """Those in quarantine, too."""


@immutable
class Replay:
    """Asks, and counts answers; others do the work."""

    book: LetterBook
    letters: Mapping[LetterId, LetterOrigin]
    waiting: Waiting

    @classmethod
    def of(cls, book: LetterBook, cases: Sequence[Case], waiting: Waiting) -> Replay:
        """Of these letters."""
        return cls(book, {case.id: case.origin for case in cases}, waiting)

    def ask(self, terms: Terms) -> None:
        """Have it written down that these are wanted.

        Raises:
            RetriableError: the brokers are away.
            FatalError: they refuse.
        """
        self.waiting(
            "asking for letters",
            lambda: self.book.ask(self.letters, terms.run, per_s=terms.per_s, force=terms.force),
        )

    def answers(self) -> Counter[LetterState]:
        """What became of those that are answered."""
        states = Counter(self.book.standing(letter).state for letter in self.letters)
        del states[LetterState.ASKED]
        return states

    @property
    def unanswered(self) -> int:
        """Those that still stand."""
        return len(self.letters) - self.answers().total()

    def delays(self) -> Mapping[str, int]:
        """Why those that are not answered wait, as far as their owners say, and how many do."""
        waiting = (self.book.standing(letter) for letter in self.letters)
        asked = (one.note for one in waiting if one.state is LetterState.ASKED)
        return Counter(note for note in asked if note)

    def undecided(self) -> Mapping[LetterId, Standing]:
        """Those that stay open; the notes say why."""
        standings = {letter: self.book.standing(letter) for letter in self.letters}
        return {
            letter: standing
            for letter, standing in standings.items()
            if standing.state is LetterState.OPEN
        }


def homeless(cases: Sequence[Case], places: set[TopicPartition]) -> list[Case]:
    """Those that nobody owns: the connector does not read where they came from."""
    return [case for case in cases if case.origin.place not in places]
