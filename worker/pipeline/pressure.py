"""Bounded memory: at the limit all partitions pause; one that waits for a schema pauses alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.clock import Clock
    from worker.flow.backlog import Backlog
    from worker.flow.batching import BufferLimits
    from worker.flow.ledger import Ledger
    from worker.model import TopicPartition
    from worker.pipeline.intake import Intake
    from worker.pipeline.rejects import Rejects
    from worker.source.port import Source


class Pressure:
    """Pauses and resumes partitions; belongs to the task's thread.

    A full buffer first only stops the polls, for ``grace_s`` at most: pausing throws away what
    librdkafka has fetched ahead, and in a backfill the buffer is full most of the time.
    """

    def __init__(  # noqa: PLR0913 - it weighs what three parts hold
        self,
        *,
        source: Source,
        ledger: Ledger,
        backlog: Backlog,
        intake: Intake,
        rejects: Rejects,
        limits: BufferLimits,
        clock: Clock,
        grace_s: float = 1.0,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._backlog = backlog
        self._intake = intake
        self._rejects = rejects
        self._limits = limits
        self._clock = clock
        self._grace_s = grace_s
        self._full_since_s: float | None = None
        self._pauses_all = False
        self._paused: set[TopicPartition] = set()

    @property
    def is_full(self) -> bool:
        """Whether reading stands still because the buffer is full."""
        return self._full_since_s is not None

    @property
    def defers_poll(self) -> bool:
        """Whether the buffer is full but nothing is paused yet: a poll now would bring records."""
        return self.is_full and not self._pauses_all

    @property
    def room(self) -> int:
        """Rows that may still come in."""
        return max(0, self._limits.max_rows - self._rows)

    def adjust(self) -> None:
        """Compare what is held with the limits, and pause or resume."""
        rows, size = self._rows, self._bytes
        if self.is_full:
            if self._limits.are_relaxed(rows, size):
                self._full_since_s = None
        elif self._limits.are_reached(rows, size):
            self._full_since_s = self._clock.now_s()
        self._pauses_all = self.is_full and self._grace_is_over
        held = self._ledger.partitions if self._pauses_all else self._intake.stalled
        self._apply(set(held))

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """A pause ends with the assignment."""
        self._paused.difference_update(partitions)

    @property
    def _grace_is_over(self) -> bool:
        since_s = self._full_since_s
        return since_s is not None and self._clock.now_s() - since_s >= self._grace_s

    @property
    def _rows(self) -> int:
        return self._backlog.rows + self._intake.rows + self._rejects.rows

    @property
    def _bytes(self) -> int:
        return self._backlog.bytes + self._intake.bytes + self._rejects.bytes

    def _apply(self, wanted: set[TopicPartition]) -> None:
        if wanted == self._paused:
            return
        self._source.pause(wanted - self._paused)
        self._source.resume(self._paused - wanted)
        self._paused = wanted
