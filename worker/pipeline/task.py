"""The loop of one task: poll, take in, send batches out, take results back, commit.

One thread owns the consumer, the ledger and the backlog, so nothing here needs a lock.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from worker.pipeline.ending import Ending
from worker.pipeline.naming import names
from worker.pipeline.parts import Parts
from worker.pipeline.settings import Given

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Mapping
    from concurrent.futures import Executor

    from worker.clock import Clock
    from worker.model import TopicPartition
    from worker.pipeline.goal import Goal
    from worker.pipeline.lease import Lease
    from worker.pipeline.patience import Patience
    from worker.pipeline.settings import Ports, TaskSettings
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)

_IDLE_POLL_S = 0.1
_BUSY_POLL_S = 0.01
"""While batches are under way their results must not wait for a poll."""
_FULL_WAIT_S = 0.05
_MAX_POLL_RECORDS = 1000
_CLOSE_S = 1.0
"""For letters that the drain did not see confirmed; they come again after a restart."""


class Task:
    """One member of the consumer group, with its own backlog and ledger."""

    def __init__(  # noqa: PLR0913 - the composition root passes everything in once
        self,
        *,
        ports: Ports,
        settings: TaskSettings,
        lease: Lease,
        patience: Patience,
        clock: Clock,
        counters: Counters,
        abort: threading.Event,
        pool: Executor | None = None,
    ) -> None:
        """``pool`` is where all that is slow is done; threads of the task's own by default."""
        parts = Parts.assemble(Given(ports, settings, patience, clock, counters, pool))
        self._source = ports.source
        self._decoder = ports.decoder
        self._marks = ports.marks
        self._batch = settings.batch
        self._lease = lease
        self._patience = patience
        self._clock = clock
        self.counters = counters
        self._ledger = parts.ledger
        self._backlog = parts.backlog
        self._rejects = parts.rejects
        self._truncates = parts.truncates
        self._flight = parts.flight
        self._schemas = parts.schemas
        self._succession = parts.succession
        self._intake = parts.intake
        self._committer = parts.committer
        self._looks = parts.looks
        self._pressure = parts.pressure
        self._replays = parts.replays
        self._landing = parts.landing
        self._handover = parts.handover
        self._allowance = parts.allowance
        self._abort = abort
        self.turned_s = time.monotonic()
        """When the loop last turned, whatever the clock of the task says."""

    @property
    def buffered(self) -> int:
        """Rows held, for display."""
        return self._backlog.rows

    @property
    def in_flight(self) -> int:
        """Batches under way, for display."""
        return self._flight.in_flight

    @property
    def progress(self) -> Mapping[TopicPartition, int]:
        """Of partitions held that records came of: above the last one. For any thread."""
        return {
            one.partition: one.received_to or 0
            for one in self._ledger.held()
            if one.first is not None
        }

    @property
    def holds_partitions(self) -> bool:
        """For any thread."""
        return bool(self._ledger.held())

    def pause(self) -> None:
        """Keep the partitions and read nothing more; what was read is finished. Any thread."""
        self._pressure.hold()

    @property
    def rests(self) -> bool:
        """Whether it is paused, and the poll that was under way then is over. Any thread."""
        return self._pressure.rests

    def resume(self) -> None:
        """Read again."""
        self._pressure.release()

    def run(self, stop: threading.Event, goal: Goal | None = None) -> None:
        """Work until told to stop or the goal is reached; always leaves the group in order.

        Raises:
            WorkerError: the task cannot go on. What was finished is committed if the brokers
                answer within the deadline.
        """
        with ExitStack() as leaving:
            leaving.callback(self._decoder.close)
            leaving.callback(self._schemas.close)
            leaving.callback(self._succession.close)
            leaving.callback(self._flight.close)
            leaving.callback(self._rejects.close, _CLOSE_S)
            leaving.callback(self._truncates.close)
            leaving.callback(self._replays.close)
            leaving.callback(self._allowance.end)
            leaving.callback(self._source.close)
            leaving.callback(self._patience.cut_off)
            self._source.start(self)
            ending = Ending(goal, self._committer) if goal else None
            while not stop.is_set() and not (ending and self._has_reached(ending)):
                self.step()
            self._abort.set()
            self._handover.let_end(self._wind_down)
        self._landing.check()

    def step(self) -> None:
        """One turn of the loop.

        Raises:
            WorkerError: the task cannot go on.
        """
        self.turned_s = time.monotonic()
        if self._pressure.defers_poll:
            self._landing.take_back(_FULL_WAIT_S)
        else:
            self._poll(self._poll_timeout_s())
            self._landing.take_back(0.0)
        self._intake.receive_schemas(self._schemas.fetched())
        if not self._pressure.is_held:
            self._intake.go_on(self._succession.tick())
        self._rejects.settle()
        self._truncates.tick(self._ledger)
        self._landing.check()
        self._allowance.tick()
        self._looks.tick()
        self._replay()
        self._send_out()
        self._pressure.adjust()
        self._committer.tick()

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Open a ledger for each."""
        committed = self._source.committed()
        for partition in partitions:
            self._succession.begin(self._ledger.open(partition), committed.get(partition))
        self._looks.begin(partitions, committed)
        self._backlog.drop_lost()
        self._allowance.look_now()
        self._truncates.look_now()
        self._replays.look_now()
        self._marks.look_again()
        self._pressure.begin()
        if partitions:
            self.counters.rebalances += 1
            _log.info("Assigned: %s.", names(partitions))

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Finish what is in flight within the deadline, commit, then forget."""
        if not partitions:
            return
        _log.info("Giving up: %s.", names(partitions))
        try:
            self._handover.finish(partitions)
            self._replays.give_up(partitions)
        finally:
            self._forget(partitions)

    def on_lost(self, partitions: Collection[TopicPartition]) -> None:
        """Forget without a commit: they are somebody else's already."""
        _log.warning("Lost: %s.", names(partitions))
        self._forget(partitions)

    def _forget(self, partitions: Collection[TopicPartition]) -> None:
        for partition in partitions:
            self._ledger.close(partition)
        self._looks.drop(partitions)
        self._backlog.drop_lost()
        self._intake.drop_lost()
        self._replays.drop_lost()
        self._pressure.forget(partitions)
        self._allowance.look_now()

    def _wind_down(self) -> None:
        """A turn of the loop in which nothing is read and nothing is begun."""
        self.turned_s = time.monotonic()
        self._pressure.hold()
        self._pressure.adjust()
        self._poll(_BUSY_POLL_S)
        self._committer.tick()

    def _replay(self) -> None:
        if self._pressure.is_held:
            self._replays.hold("the connector is paused: it goes on once it is resumed")
        else:
            self._replays.tick(self._pressure.room, self._allowance.delay)

    def _poll(self, timeout_s: float) -> None:
        wanted = max(1, min(_MAX_POLL_RECORDS, self._pressure.room))
        began_s = self._clock.now_s()
        polled = self._source.poll(wanted, timeout_s)
        self._lease.renew(began_s)
        self._looks.take_in(polled)
        self._intake.accept(polled.records)
        self._ledger.reach(polled.ends)

    def _poll_timeout_s(self) -> float:
        is_busy = self._flight.in_flight or self._rejects.rows or self._intake.stalled
        if is_busy or self._committer.is_opening:
            return _BUSY_POLL_S
        return min(_IDLE_POLL_S, self._batch.due_in_s(self._backlog, self._clock.now_s()))

    def _send_out(self) -> None:
        if self._committer.is_opening:
            return
        policy = self._batch
        self._backlog.wake(self._clock.now_s())
        more_to_read = not self._ledger.is_at_end and not self._pressure.stands_still
        while policy.is_due(
            self._backlog,
            in_flight=self._flight.in_flight,
            more_to_read=more_to_read,
            now_s=self._clock.now_s(),
        ):
            batch = self._backlog.take(policy.max_rows, policy.max_bytes)
            self.counters.fill.add(len(batch) / policy.max_rows)
            self._flight.launch(batch)

    @property
    def _is_idle(self) -> bool:
        return self._ledger.is_at_end and self._landing.is_idle and not self._has_more_to_do

    def _has_reached(self, ending: Ending) -> bool:
        """A truncate that is under way here is carried out first, and letters are replayed."""
        return ending.is_reached(idle=self._is_idle) and not self._has_more_to_do

    @property
    def _has_more_to_do(self) -> bool:
        return bool(self._truncates.rows or self._replays.rows)
