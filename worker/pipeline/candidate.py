"""A dead letter that is asked for, on its way back into the backlog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.flow.entry import Entry
from worker.flow.sequel import NOTHING_CAME, Sequel
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.errors import RecordError
    from worker.letters.standing import LetterId, LetterState
    from worker.model import Change, Key, Position, Record


@immutable
class Settlement:
    """What becomes of a letter, and why."""

    state: LetterState
    note: str = ""


@dataclass(slots=True, eq=False)
class Candidate:
    """See the module. What is found out about it is filled in beside the task's thread."""

    id: LetterId
    record: Record
    """As it failed, where it stood; its headers tell of each failure."""
    run: str
    """The replay that asked for it."""
    per_s: float | None
    """How many of the run may be released in a second."""
    key: Key | None
    """None: nobody can read it."""
    change: Change | None
    error: RecordError | None = None
    """Why there is no change."""
    sequel: Sequel = NOTHING_CAME
    """What its partition holds of its row behind it."""
    verdict: Settlement | None = None
    """If the partition is no evidence of what came after it: what the index says."""

    @property
    def offset(self) -> int:
        """Where it stood."""
        return self.record.offset


class Replayed(Entry):
    """A change that failed before, in the backlog once more.

    It comes after others of its partition, and its offset was finished long ago.
    """

    __slots__ = ("candidates",)

    candidates: list[Candidate]
    """What it stands for: the dead change, and those that are folded over it."""

    @property
    def began_at(self) -> Position:
        """Dead changes that are folded into it do not speak against it."""
        return self.candidates[0].record.position

    def is_older_than(self, other: Entry) -> bool:
        """By offset also within the assignment, as it does not arrive in its turn."""
        return self.was_before(other)
