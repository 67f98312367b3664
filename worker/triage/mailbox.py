"""Reads the dead-letter topic, to the ends that it has when the reading begins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from worker.explain.letters import is_of_row
from worker.immutable import immutable
from worker.letters.standing import UNTOUCHED
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.dlq.port import Letter
    from worker.explain.reading import Reading
    from worker.explain.search import Progress
    from worker.explain.wanted import Wanted
    from worker.letters.case import Case, Filing
    from worker.letters.standing import LetterId, Standing
    from worker.model import Record, TopicPartition
    from worker.source.port import Reach, SpanReader
    from worker.triage.selection import Selection


_ASK_S = 10.0
_BEGINNING: Mapping[TopicPartition, int] = MappingProxyType({})


def silent(_records: int) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Found:
    """The letters that are meant, and what else the topic holds."""

    cases: list[Case] = field(default_factory=list)
    """In the order of each partition."""
    all: list[Case] = field(default_factory=list)
    """Of the whole topic."""
    strangers: int = 0
    """Records that say nothing of a failure."""
    topic_ids: set[str] = field(default_factory=set)
    """Of the dead-letter topic, as its records say: several if it was made anew meanwhile."""
    ends: Mapping[TopicPartition, Reach] = field(default_factory=dict)
    """Of the dead-letter topic."""

    def refresh(self, standings: Mapping[LetterId, Standing]) -> None:
        """What became of the letters in the meantime."""
        self.cases = [_renewed(case, standings) for case in self.cases]
        self.all = [_renewed(case, standings) for case in self.all]


@immutable
class Mailbox:
    """One thread owns it."""

    reader: SpanReader
    """Of the dead-letter topic."""
    filing: Filing
    reading: Reading
    """Of keys."""

    def ends(self) -> Mapping[TopicPartition, Reach]:
        """What the topic holds now; empty if it does not exist.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        return self.reader.standings(_ASK_S)

    def find(
        self,
        selection: Selection,
        ends: Mapping[TopicPartition, Reach],
        progress: Progress = silent,
        since: Mapping[TopicPartition, int] = _BEGINNING,
    ) -> Found:
        """All letters, and those that are meant.

        Args:
            selection: which ones.
            ends: of the dead-letter topic; nothing beyond them is read.
            progress: told of records read.
            since: where to begin, if not at the beginning.

        Raises:
            RetriableError: the brokers fell silent, or the registry is away.
            FatalError: they refuse.
        """
        found = Found(ends=ends)
        spans = {
            place: Span(max(one.log.start, since.get(place, 0)), one.log.end)
            for place, one in ends.items()
        }
        standings = self.filing.standings()
        for records in self.reader.read(spans):
            for record in records:
                found.topic_ids.add(record.topic_id)
                self._sort(record, selection, standings, found)
            progress(len(records))
        return found

    def at(self, place: TopicPartition, offset: int) -> tuple[Case, Record] | None:
        """The letter that stands there, with its bytes.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        reach = self.ends().get(place)
        if reach is None or not reach.log.start <= offset < reach.log.end:
            return None
        for records in self.reader.read({place: Span(offset, offset + 1)}):
            for record in records:
                case = self.filing.case(record, self.filing.standings())
                return None if case is None else (case, record)
        return None

    def _sort(
        self,
        record: Record,
        selection: Selection,
        standings: Mapping[LetterId, Standing],
        found: Found,
    ) -> None:
        case = self.filing.case(record, standings)
        if case is None:
            found.strangers += 1
            return
        found.all.append(case)
        if selection.fits(case) and self._is_of_row(record, case.letter, selection.key):
            found.cases.append(case)

    def _is_of_row(self, record: Record, letter: Letter, wanted: Wanted | None) -> bool:
        return wanted is None or is_of_row(self.reading, record, letter, wanted)


def _renewed(case: Case, standings: Mapping[LetterId, Standing]) -> Case:
    standing = standings.get(case.id, UNTOUCHED)
    return case if standing == case.standing else replace(case, standing=standing)
