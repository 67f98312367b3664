"""The tasks of one connector on this worker: each is started, paused, restarted and ended alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.runtime.port import State, TargetState
from worker.runtime.supervisor import TaskState
from worker.runtime.wanted import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.runtime.supervisor import RunningTask
    from worker.runtime.wanted import Wanted


class Staff:
    """Belongs to one thread; ``tasks`` may be read from any."""

    def __init__(
        self,
        hire: Callable[[int, Wanted], RunningTask | None],
        end: Callable[[RunningTask], None],
    ) -> None:
        """``hire`` starts the task of a number; None: not now, so it is asked again."""
        self._hire = hire
        self._end_one = end
        self._tasks: dict[int, RunningTask] = {}
        self._begun: dict[int, int] = {}
        """The newest request to restart a task that its present run is an answer to."""
        self._restarting: set[int] = set()

    @property
    def tasks(self) -> list[RunningTask]:
        """Those of now, and those that failed."""
        return list(self._tasks.values())

    def statuses(self) -> dict[int, tuple[State, str]]:
        """By number: the state, and why it failed.

        One that ends as its slot has moved is another worker's to tell of.
        """
        return {
            number: self._status(number, task)
            for number, task in self._tasks.items()
            if not task.is_over or number in self._restarting
        }

    def keep(self, numbers: Collection[int], wanted: Wanted) -> None:
        """Have exactly these tasks run; one step."""
        for number in self._tasks.keys() - set(numbers):
            self._end(number)
            if not self._tasks[number].is_alive or self._tasks[number].is_lost:
                del self._tasks[number]
                self._restarting.discard(number)
        for number in sorted(numbers):
            self._see_to(number, wanted)

    def clear(self) -> None:
        """Others see to the end of all of them."""
        self._tasks.clear()
        self._begun.clear()
        self._restarting.clear()

    def _status(self, number: int, task: RunningTask) -> tuple[State, str]:
        if task.state is TaskState.FAILED and number not in self._restarting:
            return State.FAILED, task.trace
        if task.state is TaskState.RUNNING and number not in self._restarting:
            return State.PAUSED if task.is_paused else State.RUNNING, ""
        return State.RESTARTING if number in self._restarting else State.UNASSIGNED, ""

    def _see_to(self, number: int, wanted: Wanted) -> None:
        task = self._tasks.get(number)
        if task is None:
            self._start(number, wanted)
        elif task.is_over:
            if not task.is_alive or task.is_lost:
                self._start(number, wanted)
        elif wanted.restarts.get(number, NEVER) > self._begun[number]:
            self._restarting.add(number)
            self._end(number)
        else:
            if task.state is not TaskState.STARTING:
                self._restarting.discard(number)
            (task.pause if wanted.target is TargetState.PAUSED else task.resume)()

    def _start(self, number: int, wanted: Wanted) -> None:
        task = self._hire(number, wanted)
        if task is None:
            return
        self._tasks[number] = task
        self._begun[number] = wanted.restarts.get(number, NEVER)

    def _end(self, number: int) -> None:
        self._end_one(self._tasks[number])
