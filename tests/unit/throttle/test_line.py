from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.unit.throttle.callers import Door, in_threads
from tests.unit.throttle.simulation import Simulation, Willing
from worker.clock import SystemClock
from worker.throttle.accounts import Accounts
from worker.throttle.gate import Pass
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_who_came_first_goes_first() -> None:
    door = Door(Rates(requests=60))
    door.go()
    for caller in "abc":
        door.wait(caller=caller)
    order, back_s = [], dict.fromkeys("cba", 0.0)
    while back_s:
        caller = min(back_s, key=back_s.__getitem__)
        door.clock.advance(max(0.0, back_s[caller] - door.clock.now_s()))
        answer = door.ask(caller=caller)
        if isinstance(answer, Pass):
            order.append(caller)
            del back_s[caller]
        else:
            back_s[caller] = door.clock.now_s() + answer
    assert order == ["a", "b", "c"]


def test_small_calls_do_not_starve_a_large_one() -> None:
    sizes = {0: (96, 1)}
    simulation = Simulation(
        Willing(), Rates(inputs=200), sizes=lambda _rng, caller: sizes.get(caller, (4, 1))
    ).run(600)
    assert len([call for call in simulation.sent if call.caller == 0]) >= 9


@pytest.mark.parametrize("late_s", [0.02, 0.3])
def test_all_callers_get_their_turn(late_s: float) -> None:
    simulation = Simulation(Willing(), Rates(requests=300), late_s=late_s).run(600)
    calls = Counter(call.caller for call in simulation.sent)
    assert len(calls) == 16
    assert min(calls.values()) >= 0.9 * max(calls.values())


def test_a_caller_that_is_always_late_is_not_passed_over_for_ever() -> None:
    door = Door(Rates(requests=600))
    went = 0
    for _ in range(300):
        door.clock.advance(0.1)
        door.ask(caller="punctual")
        door.clock.advance(0.05)
        went += isinstance(door.ask(caller="late"), Pass)
    assert went >= 100


def test_a_caller_that_does_not_come_back_blocks_nobody_for_long() -> None:
    door = Door(Rates(requests=60))
    door.go()
    door.wait(caller="gone")
    _, waited_s = door.until_it_goes()
    assert waited_s <= 2
    assert door.gate.numbers.waiting == 1
    door.clock.advance(10)
    assert door.gate.numbers.waiting == 0


def test_numbers_tell_who_waits_and_who_calls() -> None:
    door = Door(Rates(requests=60))
    call = door.go()
    door.wait(caller="a")
    door.wait(caller="a")
    door.wait(caller="b")
    numbers = door.gate.numbers
    assert (numbers.waiting, numbers.in_flight) == (2, 1)
    call.passed(1)
    assert door.gate.numbers.in_flight == 0


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns so often that what is not locked breaks."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before_s)


@pytest.mark.usefixtures("hasty_threads")
def test_no_call_of_many_threads_is_forgotten() -> None:
    gate = Accounts(SystemClock(), random.Random(1)).gate("test", Rates())
    begun = list[Pass]()

    def work() -> None:
        for _ in range(300):
            answer = gate.enter(1, 1)
            assert isinstance(answer, Pass)
            begun.append(answer)

    in_threads(8, work)
    assert gate.numbers.in_flight == len(begun) == 2_400
    for call in begun:
        call.passed(1)
    assert gate.numbers.in_flight == 0


def test_threads_share_a_gate() -> None:
    clock, never = SystemClock(), threading.Event()
    gate = Accounts(clock, random.Random(1)).gate("test", Rates(requests=6_000))
    went = Counter[int]()
    end_s = clock.now_s() + 1.0

    def work() -> None:
        while clock.now_s() < end_s:
            answer = gate.enter(1, 1)
            if isinstance(answer, Pass):
                went[threading.get_ident()] += 1
                answer.passed(1)
            else:
                clock.wait(never, answer)

    in_threads(16, work)
    assert gate.numbers.in_flight == 0
    assert 20 <= sum(went.values()) <= 200
