"""Connectors come, pause, restart and go, whatever their tasks do meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.unit.runtime.fake_connector import FakeFactory, FakeTask, until
from worker.clock import FakeClock
from worker.errors import FatalError
from worker.runtime.connector import Connector
from worker.runtime.port import State, TargetState
from worker.runtime.shifts import LoneShift
from worker.runtime.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

END_WITHIN_S = 30.0


class Bench:
    """A connector that is turned until something holds."""

    def __init__(self) -> None:
        self.factory = FakeFactory()
        self.clock = FakeClock()
        self.connector = Connector(
            "products", self.factory.draw, LoneShift(), self.clock, end_within_s=END_WITHIN_S
        )
        self.wanted: Wanted | None = None

    def want(
        self,
        target: TargetState = TargetState.RUNNING,
        restarts: Mapping[int, int] | None = None,
        reread: int = -1,
        wrong: str | None = None,
        **values: str,
    ) -> Bench:
        named = {key.replace("_", "."): value for key, value in values.items()}
        named |= {wrong: "1"} if wrong else {}
        self.wanted = Wanted(named, "products.json", target, restarts or {}, reread)
        return self

    def until(self, holds: Callable[[], object], what: str = "") -> None:
        def turned() -> object:
            self.connector.turn(self.wanted)
            return holds()

        until(turned, what)

    def states(self) -> dict[int, State]:
        return {number: state for number, (state, _) in self.connector.statuses().items()}

    def until_states(self, *states: State) -> None:
        expected = dict(enumerate(states))
        self.until(lambda: self.states() == expected, f"{expected}")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_wanted_connector_runs_its_tasks_until_nobody_wants_it(bench: Bench) -> None:
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    bench.wanted = None
    bench.until(lambda: bench.connector.is_gone)
    assert bench.factory.running == []
    assert [parts.is_closed for parts in bench.factory.parts] == [True]
    assert [slots.is_closed for slots in bench.factory.slots] == [True]


def test_a_paused_connector_keeps_its_tasks_and_goes_on_with_the_same(bench: Bench) -> None:
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    bench.want(TargetState.PAUSED, tasks_max="2").until_states(State.PAUSED, State.PAUSED)
    assert all(task.is_paused for task in bench.factory.running)
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    assert not any(task.is_paused for task in bench.factory.running)
    assert len(bench.factory.tasks) == 2


def test_a_task_is_called_paused_once_the_poll_that_was_under_way_is_over(bench: Bench) -> None:
    bench.want().until_states(State.RUNNING)
    (task,) = bench.factory.running
    task.polls_for_long = True
    bench.want(TargetState.PAUSED).until(lambda: task.is_paused)
    assert bench.states() == {0: State.RUNNING}
    task.polls_for_long = False
    bench.until_states(State.PAUSED)


def test_a_connector_that_is_wanted_paused_never_reads(bench: Bench) -> None:
    bench.want(TargetState.PAUSED).until_states(State.PAUSED)
    assert [task.is_paused for task in bench.factory.tasks] == [True]


def test_a_stopped_connector_has_no_tasks_and_is_read_anew_when_it_resumes(bench: Bench) -> None:
    bench.want().until_states(State.RUNNING)
    bench.want(TargetState.STOPPED).until(lambda: bench.connector.is_gone)
    assert bench.states() == {}
    assert bench.factory.slots[0].is_closed
    bench.want().until_states(State.RUNNING)
    assert bench.factory.reads == 2


def test_a_new_config_waits_for_the_tasks_of_the_old_one_to_end(bench: Bench) -> None:
    class Slow(FakeTask):
        may_end = threading.Event()

        def on_stop(self) -> None:
            if self.generation == "1":
                self.may_end.wait()

    bench.factory.task_type = Slow
    bench.want().until_states(State.RUNNING)
    bench.want(generation="2")
    for _ in range(20):
        bench.connector.turn(bench.wanted)
    assert [task.generation for task in bench.factory.running] == ["1"]
    Slow.may_end.set()
    bench.until_states(State.RUNNING)
    assert [task.generation for task in bench.factory.running] == ["2"]
    assert len(bench.factory.slots) == 1, "the lease was given up for nothing"


def test_more_tasks_need_another_lease(bench: Bench) -> None:
    bench.want().until_states(State.RUNNING)
    bench.want(tasks_max="3").until_states(State.RUNNING, State.RUNNING, State.RUNNING)
    assert [slots.is_closed for slots in bench.factory.slots] == [True, False]


def test_a_config_that_cannot_be_used_leaves_the_last_good_one_at_work(bench: Bench) -> None:
    bench.want().until_states(State.RUNNING)
    bench.want(bad="1").until(lambda: bench.connector.failure)
    assert "products.json: bad: expected nothing" in bench.connector.failure
    assert bench.states() == {0: State.RUNNING}
    bench.want(generation="3").until(lambda: not bench.connector.failure)
    bench.until_states(State.RUNNING)
    assert [task.generation for task in bench.factory.running] == ["3"]


@pytest.mark.parametrize("wrong", ["bad", "explodes"])
def test_a_connector_that_cannot_start_is_tried_again_when_somebody_asks(
    bench: Bench, wrong: str
) -> None:
    bench.want(wrong=wrong).until(lambda: bench.connector.failure)
    reads = bench.factory.reads
    for _ in range(5):
        bench.connector.turn(bench.wanted)
    assert bench.factory.reads == reads
    bench.want(reread=1, wrong=wrong).until(lambda: bench.factory.reads > reads)


def test_slots_that_cannot_be_had_are_the_connectors_failure(bench: Bench) -> None:
    bench.factory.refuses_slots = True
    bench.want().until(lambda: "no such property" in bench.connector.failure)
    bench.factory.refuses_slots = False
    bench.want(reread=1).until_states(State.RUNNING)


def test_a_task_that_fails_says_why_and_leaves_the_others_alone(bench: Bench) -> None:
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    first = next(task for task in bench.factory.tasks if task.number == 0)
    first.fail(FatalError("no such index"))
    bench.until_states(State.FAILED, State.RUNNING)
    trace = bench.connector.statuses()[0][1]
    assert trace.startswith("worker.errors.FatalError: no such index\n\tat FakeTask.run (")
    assert bench.factory.numbers == [1]


def test_a_restart_of_one_task_leaves_the_others_alone(bench: Bench) -> None:
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    first, second = sorted(bench.factory.running, key=lambda task: task.number)
    first.fail(FatalError("no such index"))
    bench.until_states(State.FAILED, State.RUNNING)
    bench.want(restarts={0: 7}, tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    assert second.is_running
    assert len(bench.factory.tasks) == 3
    bench.until_states(State.RUNNING, State.RUNNING)
    assert len(bench.factory.tasks) == 3, "one request restarts once"


def test_a_restart_of_all_tasks_reads_the_config_anew_for_its_secrets(bench: Bench) -> None:
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    old = bench.factory.parts[0]
    bench.want(restarts={0: 7, 1: 7}, tasks_max="2")
    bench.until(lambda: len(bench.factory.tasks) == 4)
    bench.until_states(State.RUNNING, State.RUNNING)
    assert bench.factory.reads == 2
    bench.until(lambda: old.is_closed)


def test_a_request_from_before_the_start_restarts_nothing(bench: Bench) -> None:
    bench.want(restarts={0: 7}).until_states(State.RUNNING)
    for _ in range(5):
        bench.connector.turn(bench.wanted)
    assert len(bench.factory.tasks) == 1


def test_a_restart_shows_until_the_task_runs_again(bench: Bench) -> None:
    bench.want().until_states(State.RUNNING)
    bench.factory.gate.clear()
    bench.want(restarts={0: 1}).until_states(State.RESTARTING)
    bench.until(lambda: not bench.factory.running)
    assert bench.states() == {0: State.RESTARTING}
    bench.factory.gate.set()
    bench.until_states(State.RUNNING)


def test_tasks_follow_the_slots(bench: Bench) -> None:
    bench.want(tasks_max="3").until_states(State.RUNNING, State.RUNNING, State.RUNNING)
    bench.factory.slots[0].numbers = frozenset({1})
    bench.until(lambda: bench.factory.numbers == [1])
    assert bench.states() == {1: State.RUNNING}
    bench.factory.slots[0].numbers = frozenset({0, 1})
    bench.until(lambda: bench.factory.numbers == [0, 1])


class Slow(FakeTask):
    may_end: threading.Event

    def on_stop(self) -> None:
        self.may_end.wait()


@pytest.fixture
def slow(bench: Bench) -> Iterator[type[Slow]]:
    """Tasks that end when the test lets them."""

    class SlowHere(Slow):
        may_end = threading.Event()

    bench.factory.task_type = SlowHere
    yield SlowHere
    SlowHere.may_end.set()


def test_a_task_that_ends_as_its_slot_has_moved_is_not_told_of(
    bench: Bench, slow: type[Slow]
) -> None:
    bench.want(tasks_max="2").until_states(State.RUNNING, State.RUNNING)
    bench.factory.slots[0].numbers = frozenset({1})
    bench.connector.turn(bench.wanted)
    assert bench.factory.numbers == [0, 1]
    assert bench.states() == {1: State.RUNNING}


def test_a_slot_that_comes_back_while_its_task_ends_has_a_task_again(
    bench: Bench, slow: type[Slow]
) -> None:
    bench.want().until_states(State.RUNNING)
    bench.factory.slots[0].numbers = frozenset()
    bench.connector.turn(bench.wanted)
    bench.factory.slots[0].numbers = frozenset({0})
    bench.connector.turn(bench.wanted)
    slow.may_end.set()
    bench.until(lambda: len(bench.factory.tasks) == 2)
    bench.until_states(State.RUNNING)


def test_a_task_that_does_not_end_in_time_holds_up_nobody(bench: Bench) -> None:
    class Deaf(FakeTask):
        hangs = threading.Event()

        def on_stop(self) -> None:
            if self.generation == "1":
                self.hangs.wait()

    bench.factory.task_type = Deaf
    bench.want().until_states(State.RUNNING)
    bench.want(generation="2")
    bench.connector.turn(bench.wanted)
    bench.clock.advance(END_WITHIN_S)
    bench.until_states(State.RUNNING)
    assert [task.generation for task in bench.factory.running] == ["1", "2"]
    assert not bench.factory.parts[0].is_closed
    Deaf.hangs.set()
    bench.until(lambda: bench.factory.parts[0].is_closed)
    bench.wanted = None
    bench.until(lambda: bench.connector.is_gone)


def test_the_message_of_somebody_elses_error_is_not_shown(bench: Bench) -> None:
    bench.want().until_states(State.RUNNING)
    error = FatalError("the store refuses us")
    error.__cause__ = KeyError("name of a customer")
    bench.factory.tasks[0].fail(error)
    bench.until_states(State.FAILED)
    trace = bench.connector.statuses()[0][1]
    assert "Caused by: builtins.KeyError" in trace
    assert "customer" not in trace
