"""The dead letters of one row, by the record that failed or by its key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from worker.dlq.port import Letter
    from worker.explain.reading import Reading
    from worker.explain.search import Progress
    from worker.explain.wanted import Wanted
    from worker.letters.case import Case, Filing
    from worker.model import Record, TopicPartition
    from worker.source.port import Reach, SpanReader


@immutable
class Letters:
    """Reads the dead-letter topic."""

    reader: SpanReader
    """Of that topic."""
    reading: Reading
    filing: Filing

    def find(
        self,
        standings: Mapping[TopicPartition, Reach],
        wanted: Wanted,
        topics: Collection[str],
        records: Sequence[Record],
        progress: Progress,
    ) -> Sequence[Case]:
        """Those of a row of these topics, in the order of the dead-letter topic.

        Args:
            standings: of the dead-letter topic.
            wanted: the row.
            topics: where it can come from.
            records: those of the row that are known, whose letters count even if nobody can read
                their key.
            progress: told of records read.
        """
        found: list[Case] = []
        said = self.filing.standings()
        spans = {place: Span(*one.log) for place, one in standings.items()}
        for batch in self.reader.read(spans):
            for dead in batch:
                case = self.filing.case(dead, said)
                if case is not None and case.letter.topic in topics:
                    is_known = any(case.letter.is_of(record) for record in records)
                    if is_known or is_of_row(self.reading, dead, case.letter, wanted):
                        found.append(case)
            progress(len(batch))
        return found


def is_of_row(reading: Reading, dead: Record, letter: Letter, wanted: Wanted) -> bool:
    """Whether a record of the dead-letter topic has the row's key."""
    key = reading.key(replace(dead, topic=letter.topic))
    return key is not None and wanted.is_key(key)
