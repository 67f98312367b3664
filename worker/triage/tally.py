"""How many letters of what kind, since when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.letters.case import Case
    from worker.letters.standing import LetterState

_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Tally:
    """Totals of some letters."""

    letters: int = 0
    states: Counter[LetterState] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """Error classes."""
    stages: Counter[str] = field(default_factory=Counter)
    tables: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    """By the Unix time, in ms, at which an hour began."""
    first_ms: int | None = None
    """When the first one came, as far as anybody knows."""
    last_ms: int | None = None

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Self:
        """Count them."""
        tally = cls()
        for case in cases:
            tally.take(case)
        return tally

    def take(self, case: Case) -> None:
        """One more."""
        letter, came_ms = case.letter, case.letter.came_ms
        self.letters += 1
        self.states[case.state] += 1
        self.kinds[letter.kind] += 1
        self.stages[letter.stage] += 1
        self.tables[case.table] += 1
        if came_ms is None:
            return
        self.hours[came_ms - came_ms % _HOUR_MS] += 1
        self.first_ms = came_ms if self.first_ms is None else min(self.first_ms, came_ms)
        self.last_ms = came_ms if self.last_ms is None else max(self.last_ms, came_ms)
