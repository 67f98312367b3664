"""Giving partitions up: finish what is under way, commit, say whether anything may come late.

Calls of an embedder that are under way are paid for, so there are two ways. In a rebalance nothing
can be polled, and who has not polled for a session may not write. Before the end of the task polls
go on, so that the time for it may be as long as anybody likes.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.pipeline.naming import names
from worker.source.port import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from worker.clock import Clock
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.model import TopicPartition
    from worker.pipeline.commit import Committer
    from worker.pipeline.flight import Flight
    from worker.pipeline.landing import Landing
    from worker.pipeline.rejects import Rejects

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.05
_WRITE_S = 1.5
"""Calls that have not been answered so long before the end are given up, so that what the others of
their batch answered is written; a quarter of the time where that is less."""
_COMMIT_S = 1.0
"""The last commit has this long at least."""


class Handover:
    """Belongs to the task's thread; called while partitions are being revoked."""

    def __init__(  # noqa: PLR0913 - it waits for each part of the task
        self,
        *,
        flight: Flight,
        landing: Landing,
        rejects: Rejects,
        ledger: Ledger,
        committer: Committer,
        clock: Clock,
        timeout_s: float,
        end_timeout_s: float,
    ) -> None:
        self._flight = flight
        self._landing = landing
        self._rejects = rejects
        self._ledger = ledger
        self._committer = committer
        self._clock = clock
        self._timeout_s = timeout_s
        self._end_timeout_s = end_timeout_s
        self._end_s = math.inf

    def let_end(self, turn: Callable[[], None]) -> None:
        """Before the task leaves its group: wait for all that is under way.

        ``turn`` polls, without reading anything. Nothing new is begun.
        """
        self._end_s = self._clock.now_s() + self._end_timeout_s
        try:
            while self._waits_for(self._ledger.partitions, self._end_s, self._end_timeout_s):
                turn()
        except WorkerError as error:
            self._landing.fail(error)

    def finish(self, partitions: Collection[TopicPartition]) -> None:
        """Wait for batches and letters of these partitions, then for their last commit."""
        deadline_s = min(self._clock.now_s() + self._timeout_s, self._end_s)
        self._drain(partitions, deadline_s)
        left_s = max(_COMMIT_S, deadline_s - self._clock.now_s())
        standings = {partition: self._standing(partition) for partition in partitions}
        if not self._committer.commit_last(standings, left_s):
            _log.warning("The last commit of %s was not confirmed.", names(partitions))

    def _drain(self, partitions: Collection[TopicPartition], deadline_s: float) -> None:
        """A failure ends the task later."""
        try:
            while self._waits_for(partitions, deadline_s, self._timeout_s):
                pass
        except WorkerError as error:
            self._landing.fail(error)

    def _waits_for(
        self, partitions: Collection[TopicPartition], deadline_s: float, timeout_s: float
    ) -> bool:
        """Settle what has ended; whether there is more to come, and time for it."""
        left_s = deadline_s - self._clock.now_s()
        for ledger in self._ledgers(partitions):
            ledger.is_going = True
            ledger.is_late = left_s <= min(_WRITE_S, timeout_s / 4)
        if left_s <= 0 or not self._is_busy_with(partitions):
            return False
        self._landing.take_back(_LOOK_EVERY_S)
        self._rejects.settle()
        return True

    def _is_busy_with(self, partitions: Collection[TopicPartition]) -> bool:
        is_sweeping = any(ledger.sweeps for ledger in self._ledgers(partitions))
        return is_sweeping or self._flight.holds(partitions) or self._rejects.holds(partitions)

    def _ledgers(self, partitions: Collection[TopicPartition]) -> Iterator[PartitionLedger]:
        for partition in partitions:
            ledger = self._ledger.get(partition)
            if ledger is not None:
                yield ledger

    def _standing(self, partition: TopicPartition) -> Standing:
        ledger = self._ledger.get(partition)
        if ledger is None or ledger.is_held or ledger.is_in_doubt or ledger.sweeps:
            return Standing.OPEN
        return Standing.OPEN if self._flight.holds((partition,)) else Standing.CLEAN
