"""When a worker is alive, and when it is ready."""

from __future__ import annotations

import threading
import time

import pytest

from worker.errors import FatalError
from worker.runtime.health import SLOW_START_S, STUCK_S, Health, Pulse, live, ready
from worker.runtime.supervisor import Assembled, RunningTask, TaskSpec, TaskState


def pulse(
    state: TaskState = TaskState.RUNNING,
    *,
    is_alive: bool = True,
    since_start_s: float = 1000.0,
    since_turn_s: float | None = 0.1,
    has_crashed: bool = False,
) -> Pulse:
    return Pulse("products-0", state, is_alive, since_start_s, since_turn_s, has_crashed)


def test_a_worker_without_tasks_is_alive_and_ready() -> None:
    assert live([]).is_good
    assert ready([], is_stopping=False).is_good


def test_a_task_whose_loop_turns_is_alive() -> None:
    assert live([pulse(), pulse(since_turn_s=STUCK_S)]).is_good


@pytest.mark.parametrize("state", [TaskState.STARTING, TaskState.RUNNING])
def test_a_worker_whose_thread_died_is_not_alive(state: TaskState) -> None:
    verdict = live([pulse(), pulse(state, is_alive=False)])
    assert verdict.reasons == ("the thread of products-0 has died",)


def test_a_worker_whose_thread_hangs_is_not_alive() -> None:
    verdict = live([pulse(since_turn_s=STUCK_S + 1)])
    assert verdict.reasons == ("the thread of products-0 has not polled for 61 s",)


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.FINISHED])
def test_a_task_that_ended_and_says_so_leaves_the_others_alone(state: TaskState) -> None:
    ended = pulse(state, is_alive=False, since_turn_s=10_000.0)
    assert live([ended, pulse()]).is_good
    assert ready([ended, pulse()], is_stopping=False).is_good


def test_an_error_that_nobody_foresaw_is_death_only_where_nobody_else_is_at_work() -> None:
    crashed = pulse(TaskState.FAILED, is_alive=False, has_crashed=True)
    failed = pulse(TaskState.FAILED, is_alive=False)
    assert live([crashed, pulse()]).is_good
    assert live([failed]).is_good
    assert live([crashed, failed]).reasons == ("the thread of products-0 has crashed",)


def test_a_loop_may_stand_still_for_a_hand_over() -> None:
    assert live([pulse(since_turn_s=STUCK_S + 20)], STUCK_S + 30).is_good


def test_a_worker_is_not_ready_while_a_task_starts_unless_it_waits_for_somebody_else() -> None:
    starting = pulse(TaskState.STARTING, since_start_s=SLOW_START_S - 1, since_turn_s=None)
    assert live([starting]).is_good
    assert ready([starting], is_stopping=False).reasons == ("products-0 is starting",)
    waiting = pulse(TaskState.STARTING, since_start_s=SLOW_START_S, since_turn_s=None)
    assert live([waiting]).is_good
    assert ready([waiting], is_stopping=False).is_good


def test_a_worker_that_ends_is_alive_but_not_ready() -> None:
    stopping = threading.Event()
    health = Health(list, stopping)
    assert health.ready().is_good
    stopping.set()
    assert health.live().is_good
    assert health.ready().reasons == ("the worker is stopping",)


def test_a_start_that_waits_for_a_provider_and_one_that_fails_are_both_alive() -> None:
    stop, answer = threading.Event(), threading.Event()

    def waits(abort: threading.Event) -> Assembled:
        answer.wait(10)
        raise FatalError("no such index")

    running = RunningTask(TaskSpec("products", 0, waits), stop)
    health = Health(lambda: [running], stop)
    running.start()
    assert (health.live().is_good, health.ready().is_good) == (True, False)
    answer.set()
    running.join(10)
    assert running.state is TaskState.FAILED
    assert (health.live().is_good, health.ready().is_good) == (True, True)


def test_a_task_that_crashed_alone_is_death_on_a_thread_of_its_own() -> None:
    def crashes(abort: threading.Event) -> Assembled:
        raise ZeroDivisionError

    running = RunningTask(TaskSpec("products", 0, crashes), threading.Event())
    running.start()
    running.join(10)
    health = Health(lambda: [running], threading.Event())
    assert health.live().reasons == ("the thread of products-0 has crashed",)


def test_a_thread_that_ended_without_a_word_is_noticed() -> None:
    running = RunningTask(TaskSpec("products", 0, lambda _: Assembled(None)), threading.Event())  # type: ignore[arg-type]
    found = Pulse.of(running, time.monotonic())  # as if it had been started, and were gone
    assert not live([found]).is_good
