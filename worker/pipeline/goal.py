"""``--until-caught-up``: the topics' end as it was at the start, and whether the group is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import FatalError, RetriableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock
    from worker.model import TopicPartition
    from worker.source.port import Source


class Goal:
    """The present end of all partitions, to be reached by the whole group."""

    def __init__(self, source: Source, clock: Clock, *, look_every_s: float = 1.0) -> None:
        self._source = source
        self._clock = clock
        self._look_every_s = look_every_s
        self._ends: dict[TopicPartition, int] | None = None
        self._next: dict[TopicPartition, int] = {}
        self._due_s = clock.now_s()
        self.total = 0
        """Offsets between the group's position at the start and the end."""

    @property
    def left(self) -> int | None:
        """Offsets still to be committed, by the last look; None before the first one."""
        if self._ends is None:
            return None
        return sum(max(0, end - self._next[tp]) for tp, end in self._ends.items())

    def look_now(self) -> None:
        """Something may have changed: the next question is worth a look."""
        self._due_s = self._clock.now_s()

    def is_reached(self) -> bool:
        """Whether every offset below the ends is committed. Looks once a second at most.

        The first look sets the ends; a broker that does not answer is asked again later.

        Raises:
            FatalError: there is no topic to read.
        """
        if self._clock.now_s() < self._due_s:
            return self.left == 0
        self._due_s = self._clock.now_s() + self._look_every_s
        try:
            seen = self._source.ends(timeout_s=2.0)
        except RetriableError:
            return False
        self._note(seen)
        return self.left == 0

    def _note(self, seen: Mapping[TopicPartition, tuple[int, int]]) -> None:
        if self._ends is None and not seen:
            raise FatalError(
                "none of the topics exists, so there is no end to be reached: see topics (or "
                "topics.regex) and bootstrap.servers"
            )
        self._next |= {tp: start for tp, (start, _) in seen.items()}
        if self._ends is None:
            self.total = sum(max(0, end - start) for start, end in seen.values())
            self._ends = {tp: end for tp, (_, end) in seen.items()}
