"""What was found in the records that were read, as plain numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.estimate.meter import Tokens
    from worker.estimate.plan import Part


class Ending(StrEnum):
    """What a record will come to."""

    EMBED = "embed"
    IN_INDEX = "in_index"
    """The index holds this text already."""
    DELETED = "deleted"
    FILTERED = "filtered"
    """``document.when`` is false, or there is no text."""
    STALE = "stale"
    """The index is ahead of it."""
    SUPERSEDED = "superseded"
    """A newer change of the row waits with it."""
    NOT_A_ROW = "not_a_row"
    FAILED = "failed"
    """It cannot be decoded or rendered: to the dead-letter topic, or the end of the task."""


@dataclass(slots=True)
class Amount:
    """Texts and their tokens."""

    texts: int = 0
    low: int = 0
    expected: int = 0
    high: int = 0

    def add(self, tokens: Tokens) -> None:
        """One text more."""
        self.texts += 1
        self.low += tokens.low
        self.expected += tokens.expected
        self.high += tokens.high


@dataclass(slots=True)
class Tally:
    """Written by one thread."""

    records: int = 0
    endings: Counter[Ending] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """By the kind of the error."""
    paid: Amount = field(default_factory=Amount)
    """What a run pays for whose backlog is full: changes that wait together are one."""
    most: Amount = field(default_factory=Amount)
    """The same if no change waited for another, and no two texts were equal."""
    calls: int = 0
    texts_by_part: Counter[Part] = field(default_factory=Counter)
    tokens_by_part: Counter[Part] = field(default_factory=Counter)

    def end(self, ending: Ending, times: int = 1) -> None:
        """A record came to this."""
        self.endings[ending] += times

    def pay(self, part: Part, tokens: Tokens) -> None:
        """A text that has to be embedded."""
        self.paid.add(tokens)
        self.texts_by_part[part] += 1
        self.tokens_by_part[part] += tokens.expected

    def may_pay(self, texts: Iterable[Tokens]) -> None:
        """Texts that have to be embedded at the worst."""
        for tokens in texts:
            self.most.add(tokens)
