"""The batches under way: handed to a pool of threads, collected by the task's thread."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.patience import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from concurrent.futures import Executor

    from worker.clock import Clock
    from worker.flow.entry import Work
    from worker.model import TopicPartition
    from worker.pipeline.item import Report


@immutable(eq=False)
class Landed:
    """A batch that ended: with its report, undone (neither), or with what must end the task."""

    batch: Sequence[Work]
    report: Report | None = None
    failure: BaseException | None = None


class Flight:
    """Batches in flight. All methods belong to the task's thread."""

    def __init__(
        self, run: Callable[[Sequence[Work]], Report], *, pool: Executor, clock: Clock
    ) -> None:
        self._run = run
        self._pool = pool
        self._clock = clock
        self._landed: queue.SimpleQueue[Landed] = queue.SimpleQueue()
        self._has_landed = threading.Event()
        self._under_way: dict[int, Sequence[Work]] = {}

    @property
    def in_flight(self) -> int:
        """Batches that were launched and not collected."""
        return len(self._under_way)

    def holds(self, partitions: Collection[TopicPartition]) -> bool:
        """Whether a record of one of these partitions is in flight."""
        return any(
            entry.ledger.partition in partitions
            for batch in self._under_way.values()
            for work in batch
            for entry in work.entries
        )

    def works_of(self, partition: TopicPartition) -> set[Work]:
        """What is in flight of a partition."""
        return {
            work
            for batch in self._under_way.values()
            for work in batch
            if any(entry.ledger.partition == partition for entry in work.entries)
        }

    def launch(self, batch: Sequence[Work]) -> None:
        """Run a batch in the pool."""
        self._under_way[id(batch)] = batch
        self._pool.submit(self._fly, batch)

    def collect(self, timeout_s: float = 0.0) -> list[Landed]:
        """Batches that ended; waits up to ``timeout_s`` for the first one."""
        self._has_landed.clear()
        if timeout_s > 0 and self._landed.empty():
            self._clock.wait(self._has_landed, timeout_s)
        landed: list[Landed] = []
        while not self._landed.empty():
            landed.append(self._landed.get_nowait())
        for one in landed:
            del self._under_way[id(one.batch)]
        return landed

    def close(self) -> None:
        """Let the threads end; what is still running is left alone."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fly(self, batch: Sequence[Work]) -> None:
        self._landed.put(self._end_of(batch))
        self._has_landed.set()

    def _end_of(self, batch: Sequence[Work]) -> Landed:
        try:
            return Landed(batch, report=self._run(batch))
        except (Interrupted, LeaseExpired):
            return Landed(batch)
        except BaseException as error:  # noqa: BLE001 - the task's thread raises it
            return Landed(batch, failure=error)
