"""Whether a worker is alive, and whether it is ready: what Kubernetes asks.

Not alive means that only a new process helps: a task's thread is gone without a word, or does not
turn any more, or ended by an error that nobody foresaw and no other task is at work. Everything
else is alive: a worker that waits for a provider, a store or Kafka goes on polling, and a task that
FAILED says so itself, while others of the process go on; a restart would only disturb those.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from worker.errors import WorkerError
from worker.immutable import immutable
from worker.runtime.supervisor import TaskState

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from worker.runtime.supervisor import RunningTask

STUCK_S = 60.0
"""The loop of a task turns several times a second, but for a hand-over."""
SLOW_START_S = 120.0
"""After so long a start waits for somebody else, and to hold back other pods would not help."""

_AT_WORK = (TaskState.STARTING, TaskState.RUNNING)


@immutable
class Pulse:
    """How one task's thread is."""

    task: str
    state: TaskState
    is_alive: bool
    """Whether the thread exists."""
    since_start_s: float
    since_turn_s: float | None
    """Since the last turn of its loop; None: it has not begun."""
    has_crashed: bool = False
    """Whether it ended by an error that nobody foresaw."""

    @classmethod
    def of(cls, running: RunningTask, now_s: float) -> Pulse:
        """In the time of ``time.monotonic``."""
        turned_s = running.turned_s
        return cls(
            task=running.spec.name,
            state=running.state,
            is_alive=running.is_alive,
            since_start_s=now_s - running.started_s,
            since_turn_s=None if turned_s is None else now_s - turned_s,
            has_crashed=running.error is not None and not isinstance(running.error, WorkerError),
        )


class Verdict(NamedTuple):
    """An answer, and why it is no."""

    reasons: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def live(pulses: Sequence[Pulse], stuck_s: float = STUCK_S) -> Verdict:
    """Whether every task that should run has a thread that turns at least every ``stuck_s``."""
    deaths = [reason for one in pulses for reason in _deaths(one, stuck_s)]
    if not any(one.state in _AT_WORK for one in pulses):
        deaths += [f"the thread of {one.task} has crashed" for one in pulses if one.has_crashed]
    return Verdict(tuple(deaths))


def ready(pulses: Iterable[Pulse], *, is_stopping: bool) -> Verdict:
    """Whether the worker has begun its work, and is not ending it."""
    if is_stopping:
        return Verdict(("the worker is stopping",))
    starting = (one for one in pulses if one.state is TaskState.STARTING)
    return Verdict(
        tuple(f"{one.task} is starting" for one in starting if one.since_start_s < SLOW_START_S)
    )


def _deaths(one: Pulse, stuck_s: float) -> Iterator[str]:
    if one.state not in _AT_WORK:
        return
    if not one.is_alive:
        yield f"the thread of {one.task} has died"
    elif one.since_turn_s is not None and one.since_turn_s > stuck_s:
        yield f"the thread of {one.task} has not polled for {one.since_turn_s:.0f} s"


class Health:
    """Of the tasks of this process; any thread may ask."""

    def __init__(
        self,
        tasks: Callable[[], Sequence[RunningTask]],
        stopping: threading.Event,
        drain_s: float = 0.0,
    ) -> None:
        """``drain_s`` is the longest time that a loop may stand still for a hand-over."""
        self._tasks = tasks
        self._stopping = stopping
        self._stuck_s = STUCK_S + drain_s

    def live(self) -> Verdict:
        """While it ends, a task may take its time: the grace period is for that."""
        return Verdict() if self._stopping.is_set() else live(self._pulses(), self._stuck_s)

    def ready(self) -> Verdict:
        """Whether it has begun and goes on."""
        return ready(self._pulses(), is_stopping=self._stopping.is_set())

    def _pulses(self) -> list[Pulse]:
        now_s = time.monotonic()
        return [Pulse.of(one, now_s) for one in self._tasks()]
