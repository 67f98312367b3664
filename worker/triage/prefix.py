"""How far the dead-letter topic is closed: below these offsets nothing is left to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.letters.standing import LetterId
    from worker.model import TopicPartition
    from worker.triage.mailbox import Found


def closed_prefix(found: Found) -> Mapping[TopicPartition, int]:
    """By partition: the offset of the first letter that is open, else the end.

    What says nothing of a failure is nobody's to close.
    """
    prefix = {place: reach.log.end for place, reach in found.ends.items()}
    topics = {place.partition: place for place in found.ends}
    for case in found.all:
        place = topics[case.id.partition]
        if case.is_open:
            prefix[place] = min(prefix[place], case.id.offset)
    return prefix


def gone(found: Found, standings: Iterable[LetterId]) -> list[LetterId]:
    """Of these letters those that the topic has no more, by its retention."""
    topics = {case.id.topic_id for case in found.all}
    starts = {place.partition: reach.log.start for place, reach in found.ends.items()}
    return [
        letter
        for letter in standings
        if letter.topic_id in topics and letter.offset < starts.get(letter.partition, 0)
    ]
