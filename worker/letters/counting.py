"""How many letters of some are still in the dead-letter topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.letters.standing import LetterId
    from worker.model import TopicPartition
    from worker.source.port import Span


def held_of(
    letters: Iterable[LetterId], topic_id: str, bounds: Mapping[TopicPartition, Span]
) -> int:
    """Those that a topic of this id and these bounds holds."""
    spans = {place.partition: span for place, span in bounds.items()}
    return sum(
        1
        for letter in letters
        if letter.topic_id == topic_id
        and (span := spans.get(letter.partition))
        and span.start <= letter.offset < span.end
    )
