"""The worker while it runs, as the demo sees it: waits, counts, answers questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from worker.errors import FatalError
from worker.runtime.supervisor import Supervisor, TaskState
from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from worker.build import Assembly
    from worker.store.port import Match

_LOOK_EVERY_S = 0.02


class Stopped(Exception):  # noqa: N818 - somebody wanted it, nothing failed
    """A signal asked for the end."""


class Engine:
    """A connector's tasks within a ``with`` block; afterwards they have ended in order."""

    def __init__(self, assembly: Assembly, stop: threading.Event) -> None:
        self._assembly = assembly
        self._stop = stop
        self._supervisor = Supervisor(assembly.specs(until_caught_up=False), stop)

    def __enter__(self) -> Self:
        self._supervisor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._supervisor.stop(self._assembly.worker.shutdown_timeout_s)
        self._assembly.close()

    @property
    def is_loaded(self) -> bool:
        """Whether the model is loaded and the store reached."""
        return all(task.state is TaskState.RUNNING for task in self._supervisor.tasks)

    @property
    def has_joined(self) -> bool:
        """Whether the consumer group gave it partitions."""
        return self.counters.rebalances > 0

    @property
    def counters(self) -> Counters:
        """What all tasks have done so far."""
        total = Counters()
        for task in self._supervisor.tasks:
            if task.assembled is not None:
                total = total.merged(task.assembled.task.counters)
        return total

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Wait until it holds.

        Raises:
            Stopped: somebody asked for the end.
            WorkerError: a task failed.
        """
        while not reached():
            if self._stop.wait(_LOOK_EVERY_S):
                raise Stopped
            self._raise_failure()

    def search(self, namespace: str, question: str, k: int) -> Sequence[Match]:
        """The k best matches, best first."""
        index = self._assembly.index
        return index.store.query(namespace, index.question(question), k)

    def stored_ids(self, namespace: str) -> set[str]:
        """Ids of all points."""
        return {point.id for point in self._assembly.index.store.scan(namespace)}

    def finish(self) -> None:
        """End the tasks as SIGTERM would: what is in flight is finished and committed.

        Raises:
            WorkerError: a task failed, or did not end in time.
        """
        if not self._supervisor.stop(self._assembly.worker.shutdown_timeout_s):
            raise FatalError("the worker did not end in time")
        self._raise_failure()

    def _raise_failure(self) -> None:
        for task in self._supervisor.failures:
            raise task.error or FatalError(f"task {task.spec.name} failed")
