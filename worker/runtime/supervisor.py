"""The tasks of one process: a thread each, and what became of them.

A task that fails leaves the others alone.
"""

from __future__ import annotations

import logging
import threading
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.immutable import immutable
from worker.pipeline.patience import Interrupted
from worker.runtime.trace import trace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.pipeline.goal import Goal
    from worker.pipeline.task import Task

_log = logging.getLogger(__name__)


class TaskState(StrEnum):
    """As Kafka Connect names them, and ``FINISHED`` for ``--until-caught-up``."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


@immutable(eq=False)
class Assembled:
    """A task ready to run."""

    task: Task
    goal: Goal | None = None
    """Where it ends by itself; None: it runs until stopped."""


@immutable
class TaskSpec:
    """A task that can be made; ``make`` may do I/O and is called in the task's thread."""

    connector: str
    number: int
    make: Callable[[threading.Event], Assembled]
    """Given the event that interrupts waiting."""

    @property
    def name(self) -> str:
        """``<connector>-<number>``, as Connect names its tasks."""
        return f"{self.connector}-{self.number}"


class RunningTask:
    """One task's thread."""

    def __init__(self, spec: TaskSpec, stop: threading.Event) -> None:
        self.spec = spec
        self.state = TaskState.STARTING
        self.error: BaseException | None = None
        self.trace = ""
        """Of the error, for the status; never empty where the state is FAILED."""
        self.assembled: Assembled | None = None
        self.started_s = time.monotonic()
        self._stop = stop
        self._abort = threading.Event()
        self._is_paused = False
        self.is_lost = False
        """Whether it was given up, as it did not end in time."""
        self._thread = threading.Thread(target=self._run, name=spec.name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self.started_s = time.monotonic()
        self._thread.start()

    @property
    def turned_s(self) -> float | None:
        """When its loop last turned, by ``time.monotonic``; None: it has not begun."""
        return None if self.assembled is None else self.assembled.task.turned_s

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or is about to, as somebody asked for it."""
        return self._stop.is_set() or self.state is TaskState.FINISHED

    @property
    def is_paused(self) -> bool:
        """Whether it reads nothing any more, as it should; a poll may still be under way."""
        return self._is_paused and self.assembled is not None and self.assembled.task.rests

    def pause(self) -> None:
        """Keep the partitions and read nothing more. To be said again now and then."""
        self._is_paused = True
        if self.assembled is not None:
            self.assembled.task.pause()

    def resume(self) -> None:
        """Read again. To be said again now and then, as the task may just be in the making."""
        self._is_paused = False
        if self.assembled is not None:
            self.assembled.task.resume()

    def end(self) -> None:
        """Ask for the end, of the waits of a start as well."""
        self._stop.set()
        self.interrupt()

    def abandon(self) -> None:
        """Wait for it no longer; what it still waits for itself is cut short."""
        self.is_lost = True
        self._stop.set()
        self._abort.set()

    def interrupt(self) -> None:
        """End waits that the start of a task may be in, such as for a store that is away."""
        if self.state is TaskState.STARTING:
            self._abort.set()

    def _run(self) -> None:
        try:
            self.assembled = self.spec.make(self._abort)
            if self._is_paused:
                self.assembled.task.pause()
            self.state = TaskState.RUNNING
            self.assembled.task.run(self._stop, self.assembled.goal)
        except Interrupted:
            self.state = TaskState.FINISHED
        except BaseException as error:  # noqa: BLE001 - kept for whoever asks for the status
            self.error, self.trace = error, trace_of(error)
            self.state = TaskState.FAILED
            unforeseen = None if isinstance(error, WorkerError) else error
            _log.error("Task %s failed: %s", self.spec.name, error, exc_info=unforeseen)
        else:
            self.state = TaskState.FINISHED


class Supervisor:
    """Starts tasks and waits for them."""

    def __init__(self, specs: Sequence[TaskSpec], stop: threading.Event) -> None:
        self._stop = stop
        self.tasks = [RunningTask(spec, stop) for spec in specs]

    def start(self) -> None:
        """Start every task."""
        for task in self.tasks:
            task.start()

    def tasks_of(self, connector: str) -> list[RunningTask]:
        """Those of one connector."""
        return [task for task in self.tasks if task.spec.connector == connector]

    @property
    def is_running(self) -> bool:
        """Whether any task still runs."""
        return any(task.is_alive for task in self.tasks)

    def stop(self, timeout_s: float) -> bool:
        """Ask all to end and wait for them; true if all did."""
        self._stop.set()
        for task in self.tasks:
            task.interrupt()
        deadline_s = time.monotonic() + timeout_s
        for task in self.tasks:
            task.join(max(0.0, deadline_s - time.monotonic()))
        return not self.is_running

    @property
    def failures(self) -> list[RunningTask]:
        """Tasks that failed."""
        return [task for task in self.tasks if task.state is TaskState.FAILED]
