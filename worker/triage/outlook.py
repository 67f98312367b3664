"""What would become of letters if they were replayed now. It reads only.

As a worker does: what its partition holds behind a letter, then what the index has. A worker also
knows what it receives meanwhile, so the answer is as good as the moment that it was given at.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from worker.explain.rehearsal import Course
from worker.explain.step import Step
from worker.flow.ledger import PartitionLedger
from worker.immutable import immutable
from worker.letters.standing import LetterState, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from worker.explain.rehearsal import Rehearsal, Rehearsed
    from worker.explain.search import Progress
    from worker.letters.case import Case
    from worker.letters.standing import LetterId
    from worker.model import Change, Key, TopicPartition
    from worker.pipeline.candidate import Candidate, Settlement
    from worker.pipeline.letters import LetterReading
    from worker.pipeline.tail import TailReading

_ITEMS = 100
"""Compared with the index at once."""
_END = 1 << 62


class Fate(StrEnum):
    """What would become of a letter."""

    WRITTEN = "written"
    """Its row: embedded, or with the vector that the index has."""
    DELETED = "deleted"
    """The row, with its point, as the letter says."""
    UNCHANGED = "unchanged"
    """The index is as it says already."""
    FILTERED = "filtered"
    """The row has no place in the index."""
    SUPERSEDED = "superseded"
    """Something newer is known of its row."""
    FAILS = "fails"
    """As it did, or in another way."""
    UNDECIDED = "undecided"
    """Nobody can say what came after it, or it is in quarantine: it stays open."""


class Outlook(NamedTuple):
    """Of one letter."""

    letter: LetterId
    fate: Fate
    why: str = ""
    """Never anything of the row."""


@immutable
class _Due:
    """A letter whose change would be written, and later ones of its row that are part of it."""

    candidate: Candidate
    change: Change
    """With what came after it."""
    parts: list[LetterId] = field(default_factory=list)

    def covers(self, later: Change) -> bool:
        """Whether a later letter's change is folded over this one already."""
        return later.position.offset <= self.change.position.offset


@immutable
class Foresight:
    """Looks at letters of several partitions, one after the other."""

    letters: LetterReading
    tail: TailReading
    rehearsal: Rehearsal

    def of(self, cases: Sequence[Case], *, force: bool, progress: Progress) -> Iterator[Outlook]:
        """One outlook for each, in any order; ``progress`` is told of letters.

        Raises:
            RetriableError: something is away.
            FatalError: something refuses.
        """
        by_place = sorted(cases, key=lambda case: case.origin.place)
        for place, group in groupby(by_place, key=lambda case: case.origin.place):
            asked = {
                case.id: Standing(LetterState.ASKED, origin=case.origin, force=force)
                for case in group
            }
            while asked:
                seen = 0
                for outlook in self._of_some(place, asked):
                    del asked[outlook.letter]
                    seen += 1
                    yield outlook
                progress(seen)

    def _of_some(self, place: TopicPartition, asked: Mapping[LetterId, Standing]) -> list[Outlook]:
        """Of those that fit into memory; at least one."""
        opened = self.letters.open(asked)
        found = [_settled(letter, said) for letter, said in opened.settled.items()]
        candidates = opened.candidates
        if candidates:
            self.tail.follow(candidates, PartitionLedger(place), _END)
        due: list[_Due] = []
        last: dict[Key | None, _Due] = {}
        for candidate in sorted(candidates, key=lambda one: one.offset):
            applied, before = self._applied(candidate), last.get(candidate.key)
            if isinstance(applied, Outlook):
                found.append(applied)
            elif before is not None and before.covers(applied):
                before.parts.append(candidate.id)
            else:
                due.append(_Due(candidate, applied))
                last[candidate.key] = due[-1]
        for first in range(0, len(due), _ITEMS):
            found += self._rehearsed(due[first : first + _ITEMS])
        return found

    def _applied(self, candidate: Candidate) -> Outlook | Change:
        """The change that would be written; the outlook where it is certain without the index."""
        change, sequel = candidate.change, candidate.sequel
        applied = None if change is None else sequel.applied_to(change)
        if sequel.overtaken_at is not None or (change is not None and applied is None):
            at = sequel.newest_at
            return Outlook(candidate.id, Fate.SUPERSEDED, f"by offset {at.offset}" if at else "")
        if applied is None:
            error = candidate.error
            why = "it cannot be read" if error is None else f"{error.kind}: {error}"
            return Outlook(candidate.id, Fate.FAILS, why)
        return applied

    def _rehearsed(self, due: Sequence[_Due]) -> Iterator[Outlook]:
        rows = [[Step(one.candidate.record, one.change)] for one in due]
        for one, found in zip(due, self.rehearsal.of_rows(rows), strict=True):
            if found is None:
                continue
            outlook = _judged(one.candidate, found)
            yield outlook
            whole = f"with the letter {outlook.letter.partition}:{outlook.letter.offset}"
            for part in one.parts:
                yield Outlook(part, outlook.fate, whole)


_FATES = {
    Course.EMBED: Fate.WRITTEN,
    Course.REUSE: Fate.WRITTEN,
    Course.DELETE: Fate.DELETED,
    Course.UNCHANGED: Fate.UNCHANGED,
    Course.FILTER: Fate.FILTERED,
    Course.STALE: Fate.SUPERSEDED,
    Course.FAIL: Fate.FAILS,
    Course.STOP: Fate.FAILS,
}
_KNOWN_BY_INDEX = frozenset({Course.STALE, Course.UNCHANGED})
"""Where the partition is no evidence, the index may be."""


def _judged(candidate: Candidate, found: Rehearsed) -> Outlook:
    doubt = candidate.verdict
    if doubt is not None and found.course not in _KNOWN_BY_INDEX:
        return _settled(candidate.id, doubt)
    return Outlook(candidate.id, _FATES[found.course], _why(found))


def _why(found: Rehearsed) -> str:
    if found.is_truncated:
        return "its table was truncated after it"
    if found.course is Course.STALE:
        return "the index is ahead of it"
    if found.course is Course.STOP:
        return f"the task would stop: {found.error}"
    if found.error is not None:
        return f"{getattr(found.error, 'kind', '')}: {found.error}"
    return {
        Course.EMBED: "its text would be embedded",
        Course.REUSE: "with the vector that the index has",
    }.get(found.course, "")


def _settled(letter: LetterId, said: Settlement) -> Outlook:
    fates = {
        LetterState.SUPERSEDED: Fate.SUPERSEDED,
        LetterState.REPLAYED: Fate.FILTERED,
    }
    return Outlook(letter, fates.get(said.state, Fate.UNDECIDED), said.note)


def in_order(outlooks: Iterable[Outlook]) -> list[Outlook]:
    """As the letters stand."""
    return sorted(outlooks, key=lambda one: (one.letter.partition, one.letter.offset))
