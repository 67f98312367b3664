from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from worker.errors import FatalError
from worker.pipeline.patience import Interrupted
from worker.runtime.supervisor import Assembled, Supervisor, TaskSpec, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.pipeline.goal import Goal
    from worker.pipeline.task import Task

PATIENCE_S = 30.0


class Loop:
    """In a task's place: runs until stopped, or ends as told."""

    def __init__(self, error: BaseException | None = None, *, ends: bool = False) -> None:
        self.error = error
        self.ends = ends
        self.running = threading.Event()

    def run(self, stop: threading.Event, goal: Goal | None = None) -> None:
        self.running.set()
        if self.error is not None:
            raise self.error
        if not self.ends:
            stop.wait(PATIENCE_S)


def spec(number: int, make: Callable[[threading.Event], Loop]) -> TaskSpec:
    return TaskSpec("products", number, lambda abort: Assembled(cast("Task", make(abort))))


def of(loop: Loop) -> Callable[[threading.Event], Loop]:
    return lambda _abort: loop


def supervisor(*loops: Loop) -> Supervisor:
    made = Supervisor([spec(n, of(loop)) for n, loop in enumerate(loops)], threading.Event())
    made.start()
    return made


def state(running: Supervisor, number: int = 0) -> TaskState:
    return running.tasks[number].state


def test_a_task_that_fails_leaves_the_others_alone() -> None:
    failing, healthy = Loop(FatalError("no such index")), Loop()
    running = supervisor(failing, healthy)
    running.tasks[0].join(PATIENCE_S)
    assert healthy.running.wait(PATIENCE_S)
    assert state(running, 0) is TaskState.FAILED
    assert state(running, 1) is TaskState.RUNNING
    assert running.is_running
    assert [task.spec.name for task in running.failures] == ["products-0"]
    assert running.failures[0].error is failing.error
    assert running.stop(PATIENCE_S)
    assert state(running, 1) is TaskState.FINISHED


def test_a_task_that_reaches_its_goal_is_finished() -> None:
    running = supervisor(Loop(ends=True))
    running.tasks[0].join(PATIENCE_S)
    assert state(running, 0) is TaskState.FINISHED
    assert not running.is_running
    assert running.failures == []


def test_an_error_that_nobody_foresaw_is_a_failure_too() -> None:
    running = supervisor(Loop(ZeroDivisionError()))
    running.tasks[0].join(PATIENCE_S)
    assert state(running, 0) is TaskState.FAILED


def test_a_task_that_cannot_be_made_has_failed() -> None:
    def make(_abort: threading.Event) -> Loop:
        raise FatalError("the key is wrong")

    running = Supervisor([spec(0, make)], threading.Event())
    running.start()
    running.tasks[0].join(PATIENCE_S)
    assert str(running.failures[0].error) == "the key is wrong"


def test_a_stop_interrupts_a_task_that_waits_for_a_store_at_its_start() -> None:
    waits = threading.Event()

    def make(abort: threading.Event) -> Loop:
        waits.set()
        assert abort.wait(PATIENCE_S)
        raise Interrupted

    running = Supervisor([spec(0, make)], threading.Event())
    running.start()
    assert waits.wait(PATIENCE_S)
    assert state(running, 0) is TaskState.STARTING
    assert running.stop(PATIENCE_S)
    assert state(running, 0) is TaskState.FINISHED


def test_a_stop_leaves_the_waits_of_a_running_task_to_its_drain() -> None:
    aborts: list[threading.Event] = []
    loop = Loop()

    def make(abort: threading.Event) -> Loop:
        aborts.append(abort)
        return loop

    running = Supervisor([spec(0, make)], threading.Event())
    running.start()
    assert loop.running.wait(PATIENCE_S)
    assert running.stop(PATIENCE_S)
    assert not aborts[0].is_set()


def test_a_task_that_does_not_end_in_time_is_reported() -> None:
    hangs = threading.Event()

    class Deaf(Loop):
        def run(self, stop: threading.Event, goal: Goal | None = None) -> None:
            hangs.wait(PATIENCE_S)

    running = supervisor(Deaf())
    assert not running.stop(0.01)
    hangs.set()
    running.tasks[0].join(PATIENCE_S)
    assert not running.is_running
