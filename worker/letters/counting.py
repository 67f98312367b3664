"""How many letters of a connector are open, without reading what is closed."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.dlq.port import Letter
    from worker.letters.standing import LetterId
    from worker.model import Record, TopicPartition

_LAST_FEW = 3
"""Offsets at a partition's end that are read in any case: the last ones may have no record."""


@dataclass(slots=True)
class _Known:
    """What was read of a topic."""

    topic_id: str | None = None
    offsets: defaultdict[int, array[int]] = field(
        default_factory=lambda: defaultdict(lambda: array("q"))
    )
    """Of the connector's letters, by partition, in order."""
    began: dict[int, int] = field(default_factory=dict)
    """By partition: the first offset that was read."""
    next: dict[int, int] = field(default_factory=dict)
    newest: Letter | None = None
    is_outdated: bool = False
    """Whether the topic was made anew while it was read."""


class Census:
    """Is told of each record of the dead-letter topic once, from where something may be open.

    One thread owns it.
    """

    def __init__(self, told: Callable[[Record], Letter | None]) -> None:
        """``told`` is what a record says of itself, if it is a letter of the connector."""
        self._told = told
        self._known = _Known()

    @property
    def newest(self) -> Letter | None:
        """The last one that came, of those that were read."""
        return self._known.newest

    def unread(
        self,
        bounds: Mapping[TopicPartition, Span],
        closed_to: Callable[[], Mapping[TopicPartition, int]],
    ) -> Mapping[TopicPartition, Span]:
        """What is to be read now.

        Args:
            bounds: of the topic.
            closed_to: tells the offsets below which nothing was left to be done, by
                ``closed_prefix``; asked for partitions that are new.
        """
        ends = {place.partition: span.end for place, span in bounds.items()}
        known = self._known
        if known.is_outdated or any(ends.get(one, 0) < at for one, at in known.next.items()):
            self._known = _Known()
        closed = closed_to() if ends.keys() - self._known.began.keys() else {}
        return {place: self._unread(place, span, closed) for place, span in bounds.items()}

    def take(self, records: Iterable[Record]) -> None:
        """More of the topic."""
        known = self._known
        for record in records:
            if known.topic_id is None:
                known.topic_id = record.topic_id
            known.is_outdated |= record.topic_id != known.topic_id
            known.next[record.partition] = record.offset + 1
            letter = self._told(record)
            if letter is not None:
                known.offsets[record.partition].append(record.offset)
                self._note(letter)

    def count(
        self, touched: Iterable[tuple[LetterId, bool]], bounds: Mapping[TopicPartition, Span]
    ) -> int:
        """Letters that are open.

        Args:
            touched: those that the state topic knows, and whether they are closed.
            bounds: of the topic, by now.
        """
        held = {place.partition: span for place, span in bounds.items()}
        open_ = sum(
            len(offsets) - bisect_left(offsets, held[partition].start)
            for partition, offsets in self._known.offsets.items()
            if partition in held
        )
        for letter, is_closed in touched:
            span = held.get(letter.partition, _NOTHING)
            if letter.topic_id == self._known.topic_id and span.start <= letter.offset < span.end:
                open_ += self._correction(letter, is_closed=is_closed)
        return open_

    def _unread(
        self, place: TopicPartition, span: Span, closed_to: Mapping[TopicPartition, int]
    ) -> Span:
        known, partition = self._known, place.partition
        if partition not in known.began:
            closed = closed_to.get(place, span.start)
            first = closed if span.start <= closed <= span.end else span.start
            first = max(span.start, min(first, span.end - _LAST_FEW))
            known.began[partition] = known.next[partition] = first
        return Span(max(known.next[partition], span.start), span.end)

    def _correction(self, letter: LetterId, *, is_closed: bool) -> int:
        """A letter that was closed when the reading began may be open again."""
        known = self._known
        if letter.offset < known.began.get(letter.partition, 0):
            return 0 if is_closed else 1
        offsets = known.offsets[letter.partition]
        at = bisect_left(offsets, letter.offset)
        was_counted = at < len(offsets) and offsets[at] == letter.offset
        return -1 if is_closed and was_counted else 0

    def _note(self, letter: Letter) -> None:
        newest = self._known.newest
        if newest is None or (letter.came_ms or 0) >= (newest.came_ms or 0):
            self._known.newest = letter


_NOTHING = Span(0, 0)
