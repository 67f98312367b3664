from __future__ import annotations

import pytest

from tests.unit.throttle.callers import Door
from tests.unit.throttle.simulation import Away, Simulation
from worker.throttle.circuit import State
from worker.throttle.rates import Rates


def open_door() -> Door:
    door = Door()
    door.fail()
    assert door.gate.state is State.OPEN
    return door


def test_two_failures_are_no_outage() -> None:
    door = Door()
    door.fail(2)
    assert door.gate.state is State.CLOSED
    door.go()


def test_three_failures_in_a_row_are_one() -> None:
    door = open_door()
    assert door.wait() <= 0.5
    assert door.gate.numbers.opened == 1


@pytest.mark.parametrize("answer", ["passed", "refused", "limited"])
def test_any_answer_between_them_begins_the_count_anew(answer: str) -> None:
    door = Door()
    door.fail(2)
    call = door.go()
    if answer == "refused":
        call.refused()
    elif answer == "passed":
        call.passed(1)
    else:
        call.limited(1.0)
        door.clock.advance(1)
        door.go().passed(1)
    door.fail(2)
    assert door.gate.state is State.CLOSED


def test_failures_of_calls_that_began_before_the_last_answer_do_not_count() -> None:
    door = Door()
    *hanging, answered = door.many(9)
    answered.passed(1)
    for call in hanging:
        call.failed()
    assert door.gate.state is State.CLOSED


def test_probes_come_after_half_a_second_then_ever_later_up_to_five() -> None:
    door = open_door()
    for longest_s in (0.5, 1, 2, 4, 5, 5):
        wait_s = door.wait()
        assert 0.8 * longest_s <= wait_s <= longest_s
        door.clock.advance(wait_s)
        door.go().failed()


@pytest.mark.parametrize("answer", ["passed", "refused"])
def test_an_answered_probe_lets_everything_go_at_once(answer: str) -> None:
    door = open_door()
    door.clock.advance(0.5)
    probe = door.go()
    assert 0.02 <= door.wait() <= 1.0
    probe.passed(1) if answer == "passed" else probe.refused()
    assert door.gate.state is State.CLOSED
    assert len(door.many(50)) == 50


def test_only_one_probe_is_under_way() -> None:
    door = open_door()
    door.clock.advance(0.5)
    door.go()
    for _ in range(100):
        assert door.wait() >= 0.02
        door.clock.advance(0.1)


def test_old_failures_that_come_in_after_the_end_of_an_outage_do_not_begin_another() -> None:
    door = Door()
    hanging = door.many(10)
    for call in hanging[:3]:
        call.failed()
    door.clock.advance(0.5)
    door.go().passed(1)
    for call in hanging[3:]:
        call.failed()
    assert door.gate.state is State.CLOSED


def test_a_probe_that_is_limited_shows_that_the_provider_is_back() -> None:
    door = open_door()
    door.clock.advance(0.5)
    door.go().limited(7.0)
    assert door.gate.state is State.LIMITED
    assert door.wait() == pytest.approx(7)


def test_a_probe_of_a_limit_that_fails_is_an_outage() -> None:
    door = Door()
    door.go().limited(5.0)
    door.clock.advance(5)
    door.go().failed()
    assert door.gate.numbers.opened == 1
    assert 0.4 <= door.wait() <= 0.5
    door.clock.advance(0.5)
    door.go().passed(1)
    assert door.gate.state is State.CLOSED


def test_a_wait_that_was_asked_for_outlasts_an_outage() -> None:
    door = Door()
    *failing, limited = door.many(4)
    for call in failing:
        call.failed()
    limited.limited(30.0)
    assert door.wait() == pytest.approx(30)


def test_a_probe_without_an_end_is_given_up() -> None:
    door = open_door()
    door.clock.advance(0.5)
    door.go()
    _, waited_s = door.until_it_goes()
    assert 59 < waited_s < 62


def test_in_an_outage_few_calls_are_made_and_soon_after_it_all_go_again() -> None:
    simulation = Simulation(Away(60, 360), Rates()).run(400)
    away = [call for call in simulation.sent if 60.5 <= call.at_s < 360]
    assert 50 <= len(away) <= 80
    asked = [at_s for at_s in simulation.asked if 60.5 <= at_s < 360]
    assert len(asked) / 300 / simulation.callers <= 3
    back = [call for call in simulation.sent if 366 <= call.at_s < 376]
    assert len(back) >= 0.97 * 10 * simulation.callers / 0.2
