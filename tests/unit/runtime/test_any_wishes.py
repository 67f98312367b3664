"""Whatever was wanted before and whatever failed: in the end what is wanted is so, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.runtime.fake_connector import FakeFactory, until
from worker.clock import FakeClock
from worker.errors import FatalError
from worker.runtime.connector import Connector
from worker.runtime.port import State, TargetState
from worker.runtime.shifts import LoneShift
from worker.runtime.wanted import Wanted

TASKS = 3


@dataclass(frozen=True)
class Want:
    target: TargetState | None
    generation: str = "1"


@dataclass(frozen=True)
class Fail:
    number: int


@dataclass(frozen=True)
class Restart:
    numbers: frozenset[int]


@dataclass(frozen=True)
class Hold:
    numbers: frozenset[int]


Event: TypeAlias = Want | Fail | Restart | Hold
NUMBERS = st.frozensets(st.integers(0, TASKS - 1))
EVENTS = st.one_of(
    st.builds(Want, st.sampled_from([*TargetState, None]), st.sampled_from(["1", "2", "bad"])),
    st.builds(Fail, st.integers(0, TASKS - 1)),
    st.builds(Restart, NUMBERS),
    st.builds(Hold, NUMBERS),
)


class Run:
    """A connector in the hands of people who cannot make up their minds."""

    def __init__(self) -> None:
        self.factory = FakeFactory()
        self.connector = Connector(
            "products", self.factory.draw, LoneShift(), FakeClock(), end_within_s=1e9
        )
        self.want = Want(TargetState.RUNNING)
        self.restarts: dict[int, int] = {}
        self.held = frozenset(range(TASKS))
        self.clock = 0

    def wanted(self) -> Wanted | None:
        if self.want.target is None:
            return None
        generation = self.want.generation
        values = {"tasks.max": str(TASKS), "generation": generation}
        values |= {"bad": "1"} if generation == "bad" else {}
        restarts = dict(self.restarts)
        return Wanted(values, "file", self.want.target, restarts, max(self.clock, -1))

    def turn(self) -> None:
        for slots in self.factory.slots:
            slots.numbers = self.held
        self.connector.turn(self.wanted())

    def take(self, event: Event) -> None:
        self.clock += 1
        match event:
            case Want():
                self.want = event
            case Fail(number):
                for task in self.factory.running:
                    if task.number == number:
                        task.fail(FatalError("somebody pulled the plug"))
            case Restart(numbers):
                self.restarts |= dict.fromkeys(numbers, self.clock)
            case Hold(numbers):
                self.held = numbers

    def settle(self) -> None:
        """Everything is restarted once more with a config that is good."""
        self.want = Want(self.want.target, "3")
        self.take(Restart(frozenset(range(TASKS))))

        def is_settled() -> bool:
            self.turn()
            target = self.want.target
            if target is None or target is TargetState.STOPPED:
                return self.connector.is_gone and not self.factory.running
            states = {number: state for number, (state, _) in self.connector.statuses().items()}
            expected = State.PAUSED if target is TargetState.PAUSED else State.RUNNING
            has_ended = self.factory.numbers == sorted(self.held)
            return has_ended and states == dict.fromkeys(self.held, expected)

        until(is_settled, f"{self.want} on {self.held}")


@settings(max_examples=60, deadline=None)
@given(events=st.lists(st.tuples(EVENTS, st.integers(0, 3)), max_size=12))
def test_any_wishes_settle(events: list[tuple[Event, int]]) -> None:
    run = Run()
    for event, turns in events:
        run.take(event)
        for _ in range(turns):
            run.turn()
            numbers = [task.number for task in run.factory.running]
            assert len(numbers) == len(set(numbers)), "a task runs twice"
    run.settle()
    wanted = run.want.target in (TargetState.RUNNING, TargetState.PAUSED)
    assert run.factory.numbers == (sorted(run.held) if wanted else [])
    assert {task.generation for task in run.factory.running} <= {"3"}
    run.want = Want(None)
    run.settle()
    assert all(parts.is_closed for parts in run.factory.parts)
