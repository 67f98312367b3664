"""Bounded memory: at the limit all partitions pause; one that waits for something pauses alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.flow.batching import BufferLimits

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.clock import Clock
    from worker.flow.backlog import Backlog
    from worker.flow.ledger import Ledger
    from worker.model import TopicPartition
    from worker.pipeline.commit import Committer
    from worker.pipeline.intake import Intake
    from worker.pipeline.looks import Looks
    from worker.pipeline.rejects import Rejects
    from worker.source.port import Source

_STALLED_PART = 4
"""A quarter of the buffer may hold what waits for schemas, before polls stop."""
_STALLED_COUNTS = 2
"""What waits fills half of the buffer at most: the other partitions are read on, as it may wait for
just them. Its own partitions pause, so it grows by no more than a poll for each."""


class Pressure:
    """Pauses and resumes partitions; belongs to the task's thread.

    Pausing throws away what librdkafka has fetched ahead, and fetching it again takes up to a
    second. So a full buffer first only stops the polls, for ``grace_s`` at most, as in a backfill
    it is full most of the time. A quarter of it full of what waits for schemas does the same, as
    most schemas come at once. Where a commit has to be confirmed before anything is written there
    is no grace, as it takes polls to hear of it.
    """

    def __init__(  # noqa: PLR0913 - it weighs what four parts hold
        self,
        *,
        source: Source,
        ledger: Ledger,
        backlog: Backlog,
        intake: Intake,
        rejects: Rejects,
        looks: Looks,
        committer: Committer,
        limits: BufferLimits,
        clock: Clock,
        grace_s: float = 1.0,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._backlog = backlog
        self._intake = intake
        self._rejects = rejects
        self._looks = looks
        self._committer = committer
        self._limits = limits
        self._clock = clock
        self._grace_s = grace_s
        self._full_since_s: float | None = None
        self._stalled_since_s: float | None = None
        self._pauses_all = False
        self._is_held = False
        self.rests = False
        """Whether a poll brings nothing, as the task is paused; not yet while one is under way."""
        self._paused: set[TopicPartition] = set()

    @property
    def is_full(self) -> bool:
        """Whether reading stands still because the buffer is full."""
        return self._full_since_s is not None

    @property
    def stands_still(self) -> bool:
        """Whether nothing more is read for now: the buffer is full, or the task is paused."""
        return self.is_full or self._is_held

    @property
    def is_held(self) -> bool:
        """Whether the task is paused."""
        return self._is_held

    def hold(self) -> None:
        """Read nothing until ``release``; what is held already goes on. From any thread."""
        self._is_held = True

    def release(self) -> None:
        """Read again."""
        self._is_held = self.rests = False

    @property
    def defers_poll(self) -> bool:
        """Whether too much is held but nothing is paused yet: a poll now would bring records."""
        if self.is_full:
            return not self._pauses_all
        return self._stalls_hold_much and not self._stalls_last

    @property
    def room(self) -> int:
        """Rows that may still come in."""
        return max(0, self._limits.max_rows - self._rows - self._intake.rows)

    def adjust(self) -> None:
        """Compare what is held with the limits, and pause or resume."""
        left, is_held = self._left, self._is_held
        if self.is_full:
            if left.are_relaxed(self._rows, self._bytes):
                self._full_since_s = None
        elif left.are_reached(self._rows, self._bytes):
            self._full_since_s = self._clock.now_s()
        self._pauses_all = self.is_full and (self._pauses_all or self._waiting_is_over)
        self._note_stalls()
        if self._pauses_all or is_held:
            self._apply(set(self._ledger.partitions))
        elif self._stalls_last:
            self._apply(set(self._intake.stalled))
        else:
            self._apply(set())
        self.rests = is_held

    def begin(self) -> None:
        """Partitions came: of a paused task they are paused at once."""
        if self._is_held:
            self.adjust()

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """A pause ends with the assignment."""
        self._paused.difference_update(partitions)

    @property
    def _waiting_is_over(self) -> bool:
        return self._is_long_ago(self._full_since_s) or self._committer.is_opening

    def _note_stalls(self) -> None:
        if not self._intake.stalled:
            self._stalled_since_s = None
        elif self._stalled_since_s is None:
            self._stalled_since_s = self._clock.now_s()

    @property
    def _stalls_last(self) -> bool:
        """Whether the schemas that are waited for are not just on their way."""
        return self._is_long_ago(self._stalled_since_s)

    @property
    def _stalls_hold_much(self) -> bool:
        rows, size = _STALLED_PART * self._intake.rows, _STALLED_PART * self._intake.bytes
        return self._limits.are_reached(rows, size)

    def _is_long_ago(self, since_s: float | None) -> bool:
        return since_s is not None and self._clock.now_s() - since_s >= self._grace_s

    @property
    def _left(self) -> BufferLimits:
        """What the stalled partitions leave to the others."""
        rows = min(self._intake.rows, self._limits.max_rows // _STALLED_COUNTS)
        size = min(self._intake.bytes, self._limits.max_bytes // _STALLED_COUNTS)
        return BufferLimits(self._limits.max_rows - rows, self._limits.max_bytes - size)

    @property
    def _rows(self) -> int:
        return self._backlog.rows + self._rejects.rows + self._looks.rows

    @property
    def _bytes(self) -> int:
        return self._backlog.bytes + self._rejects.bytes + self._looks.bytes

    def _apply(self, wanted: set[TopicPartition]) -> None:
        if wanted == self._paused:
            return
        self._source.pause(wanted - self._paused)
        self._source.resume(self._paused - wanted)
        self._paused = wanted
