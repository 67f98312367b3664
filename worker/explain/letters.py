"""The dead letters of one row, by the record that failed or by its key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from worker.dlq.port import Letter
    from worker.explain.reading import Reading
    from worker.explain.search import Progress
    from worker.explain.wanted import Wanted
    from worker.model import Record, TopicPartition
    from worker.source.port import Reach, SpanReader


@dataclass(frozen=True, slots=True)
class Letters:
    """Reads the dead-letter topic."""

    reader: SpanReader
    """Of that topic."""
    reading: Reading
    told: Callable[[Record], Letter | None]
    """What a record of that topic says of itself."""

    def find(
        self,
        standings: Mapping[TopicPartition, Reach],
        wanted: Wanted,
        topics: Collection[str],
        records: Sequence[Record],
        progress: Progress,
    ) -> Sequence[Letter]:
        """Those of a row of these topics, in the order of the dead-letter topic.

        Args:
            standings: of the dead-letter topic.
            wanted: the row.
            topics: where it can come from.
            records: those of the row that are known, whose letters count even if nobody can read
                their key.
            progress: told of records read.
        """
        found: list[Letter] = []
        spans = {place: Span(*one.log) for place, one in standings.items()}
        for batch in self.reader.read(spans):
            for dead in batch:
                letter = self.told(dead)
                if letter is not None and letter.topic in topics:
                    is_known = any(letter.is_of(record) for record in records)
                    if is_known or is_of_row(self.reading, dead, letter, wanted):
                        found.append(letter)
            progress(len(batch))
        return found


def is_of_row(reading: Reading, dead: Record, letter: Letter, wanted: Wanted) -> bool:
    """Whether a record of the dead-letter topic has the row's key."""
    key = reading.key(replace(dead, topic=letter.topic))
    return key is not None and wanted.is_key(key)
