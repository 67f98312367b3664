"""How long a group has been behind: when a log's end was where the group stands now."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import TopicPartition

    Ends: TypeAlias = "list[tuple[float, int]]"
    """When a log was looked at, and where it ended; both grow."""

_MOST_LOOKS = 512


class Behind:
    """Remembers ends, so that no record has to be read to know how old it is.

    What came before the first look is at least as old as that look, so the time of a group that
    already was behind then begins with it.
    """

    def __init__(self) -> None:
        self._ends: dict[TopicPartition, Ends] = {}

    def look(
        self, now_s: float, ahead: Mapping[TopicPartition, tuple[int, int]]
    ) -> Mapping[str, float]:
        """Seconds by topic, of the partition that is worst.

        ``ahead`` has where the group goes on, and where the log ends.
        """
        seconds: defaultdict[str, float] = defaultdict(float)
        for place, (next_offset, end) in ahead.items():
            ends = self._ends.setdefault(place, [])
            _remember(ends, now_s, next_offset, end)
            behind_s = 0.0 if next_offset >= end else now_s - _moment(ends, next_offset)
            seconds[place.topic] = max(seconds[place.topic], behind_s)
        for gone in self._ends.keys() - ahead.keys():
            del self._ends[gone]
        return seconds


def _remember(ends: Ends, now_s: float, next_offset: int, end: int) -> None:
    if ends and end < ends[-1][1]:  # the topic was made anew
        ends.clear()
    ends.append((now_s, end))
    while len(ends) > 1 and ends[1][1] <= next_offset:
        del ends[0]
    if len(ends) > _MOST_LOOKS:
        del ends[1:-1:2]


def _moment(ends: Ends, next_offset: int) -> float:
    """When the log ended there, between two looks in proportion."""
    first_s, first_end = ends[0]
    if len(ends) == 1 or first_end >= next_offset:
        return first_s
    second_s, second_end = ends[1]
    return first_s + (second_s - first_s) * (next_offset - first_end) / (second_end - first_end)
