"""Which parts of the topics are read: everything, or a sample of the beginning, middle and end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from worker.immutable import immutable
from worker.model import TopicPartition
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.model import Record

_PLACES = 3
"""Beginning, middle and end."""


class Part(NamedTuple):
    """A part that is read: the number of its round, and its partition."""

    round: int
    place: TopicPartition


@immutable
class Plan:
    """What is read, round after round; in a round each partition has at most one part."""

    rounds: Sequence[Mapping[TopicPartition, Span]]
    offsets: int
    """Of all that the group still has to read."""

    @property
    def chosen(self) -> int:
        """Offsets of all parts."""
        return sum(span.length for one in self.rounds for span in one.values())

    @property
    def lengths(self) -> Mapping[Part, int]:
        """How many offsets each part has."""
        return {
            Part(number, place): span.length
            for number, spans in enumerate(self.rounds)
            for place, span in spans.items()
        }

    def part_of(self, record: Record) -> Part:
        """The part that a record was read in."""
        place = TopicPartition(record.topic, record.partition)
        rounds = range(len(self.rounds) - 1)
        number = next((n for n in rounds if record.offset < self._end(n, place)), len(rounds))
        return Part(number, place)

    def _end(self, number: int, place: TopicPartition) -> int:
        span = self.rounds[number].get(place)
        return 0 if span is None else span.end

    @property
    def is_sample(self) -> bool:
        """Whether something is left out."""
        return self.chosen < self.offsets


def plan(ahead: Mapping[TopicPartition, Span], sample: int | None) -> Plan:
    """Read about ``sample`` offsets, of each partition as large a share; None is everything."""
    spans = {place: span for place, span in ahead.items() if span.length}
    offsets = sum(span.length for span in spans.values())
    if sample is None or sample >= offsets:
        return Plan([spans] if spans else [], offsets)
    rounds: list[dict[TopicPartition, Span]] = [{} for _ in range(_PLACES)]
    for place, span in spans.items():
        for number, part in enumerate(_parts(span, sample / offsets)):
            rounds[number][place] = part
    return Plan(rounds, offsets)


def _parts(span: Span, share: float) -> Iterator[Span]:
    """That share of a span, in three parts; the whole where it is too short for them."""
    length = math.ceil(span.length * share / _PLACES)
    if _PLACES * length >= span.length:
        yield span
        return
    middle = span.start + (span.length - length) // 2
    for start in (span.start, middle, span.end - length):
        yield Span(start, start + length)
