from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.throttle.callers import Door
from tests.unit.throttle.simulation import Sent, Simulation, per_minute
from worker.throttle.circuit import State
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from worker.throttle.gate import Pass


def limited(door: Door, retry_after_s: float | None = 5.0) -> None:
    """One episode begins."""
    door.go().limited(retry_after_s)


@pytest.mark.parametrize("retry_after_s", [0.5, 5.0, 90.0, 3_600.0])
def test_a_wait_that_was_asked_for_is_kept_to_the_letter_by_everybody(retry_after_s: float) -> None:
    door = Door()
    limited(door, retry_after_s)
    assert door.gate.state is State.LIMITED
    assert [door.wait(caller=n) for n in range(3)] == pytest.approx([retry_after_s] * 3)
    door.clock.advance(retry_after_s - 0.1)
    assert door.wait(caller=0) == pytest.approx(0.1)
    door.clock.advance(0.1)
    door.go(caller=0)


@pytest.mark.parametrize("retry_after_s", [3_601.0, 1_764_251_234.0, 1e300])
def test_a_wait_without_end_is_asked_about_every_hour(
    retry_after_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door()
    limited(door, retry_after_s)
    assert door.wait() == pytest.approx(3_600)
    assert caplog.messages[-1].endswith("asks us to slow down: limited for 3,600 s.")
    door.clock.advance(3_600)
    door.go().limited(retry_after_s)
    assert door.wait() == pytest.approx(3_600)
    door.clock.advance(3_600)
    door.go().passed(1)
    assert door.gate.state is State.CLOSED


def test_after_the_wait_one_call_goes_first_and_when_it_has_passed_all_go_at_once() -> None:
    door = Door()
    limited(door)
    door.clock.advance(5)
    probe = door.go()
    assert all(0.02 <= door.wait(caller=n) <= 1.0 for n in range(20))
    door.clock.advance(0.3)
    probe.passed(1)
    assert door.gate.state is State.CLOSED
    assert len([door.go(caller=n) for n in range(20)]) == 20


def test_who_waits_for_the_probe_comes_back_spread() -> None:
    door = Door()
    limited(door)
    door.clock.advance(5)
    door.go()
    assert len({round(door.wait(), 3) for _ in range(20)}) > 10


def test_full_speed_is_back_within_two_seconds_of_a_wait() -> None:
    class OnceLimited:
        """Asks for 90 s once, and takes a second for each call."""

        def answer(self, call: Sent, passing: Pass) -> float:
            return 0.1 if 100 <= call.at_s < 101 else 1.0

        def end(self, call: Sent, passing: Pass) -> None:
            if 100 <= call.at_s < 101:
                passing.limited(90.0)
            else:
                passing.passed(0)

    sent = Simulation(OnceLimited(), Rates(requests=600)).run(300).sent
    assert not [call for call in sent if 101.2 < call.at_s < 190]
    back = per_minute(sent, lambda _call: 1, 193, 253)
    assert back >= 0.97 * per_minute(sent, lambda _call: 1, 40, 100)
    assert len([call for call in sent if 192 <= call.at_s < 194]) >= 18


def test_limits_of_calls_already_under_way_are_one_event_and_the_longest_wait_counts() -> None:
    door = Door()
    first, second, third = door.many(3)
    first.limited(5.0)
    second.limited(20.0)
    third.limited(1.0)
    assert door.wait() == pytest.approx(20)
    assert door.gate.numbers.limited == 3
    door.clock.advance(20)
    door.go().passed(1)
    assert len(door.many(50)) == 50


def test_a_late_limit_of_the_same_event_is_kept_but_is_no_new_episode() -> None:
    door = Door()
    first, late = door.many(2)
    first.limited(1.0)
    door.clock.advance(1)
    door.go().passed(1)
    late.limited(10.0)
    assert door.wait() == pytest.approx(10)
    door.clock.advance(10)
    door.go().passed(1)
    assert len(door.many(50)) == 50


def test_a_longer_wait_that_comes_while_the_probe_is_under_way_is_kept() -> None:
    door = Door()
    first, late = door.many(2)
    first.limited(1.0)
    door.clock.advance(1)
    probe = door.go()
    late.limited(10.0)
    probe.passed(1)
    assert door.gate.state is State.LIMITED
    assert door.wait() == pytest.approx(10)


def test_a_probe_that_is_limited_again_waits_again_and_lowers_nothing() -> None:
    door = Door()
    limited(door, 5.0)
    for _ in range(5):
        door.clock.advance(5)
        door.go().limited(5.0)
        assert door.wait() == pytest.approx(5)
    door.clock.advance(5)
    door.go().passed(1)
    assert len(door.many(50)) == 50


@pytest.mark.parametrize("retry_after_s", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_without_a_sensible_wait_they_double_up_to_thirty_seconds(
    retry_after_s: float | None,
) -> None:
    door = Door()
    limited(door, retry_after_s)
    for longest_s in (1, 2, 4, 8, 16, 30, 30):
        wait_s = door.wait()
        assert 0.8 * longest_s <= wait_s <= longest_s
        door.clock.advance(wait_s)
        door.go().limited(retry_after_s)


def test_another_episode_begins_with_the_shortest_wait_again() -> None:
    door = Door()
    for _ in range(3):
        limited(door, None)
        wait_s = door.wait()
        assert wait_s <= 1
        door.clock.advance(wait_s)
        door.go().passed(1)
        door.clock.advance(100)


def test_answers_to_calls_from_before_the_limit_do_not_end_it() -> None:
    door = Door()
    first, *others = door.many(3)
    first.limited(5.0)
    others[0].passed(1)
    others[1].failed()
    assert door.gate.state is State.LIMITED
    assert door.wait() == pytest.approx(5)


def test_a_refused_probe_proves_that_the_provider_works() -> None:
    door = Door()
    limited(door)
    door.clock.advance(5)
    door.go().refused()
    assert door.gate.state is State.CLOSED


def test_a_probe_that_was_never_made_lets_another_go_at_once() -> None:
    door = Door()
    limited(door)
    door.clock.advance(5)
    door.go().dropped()
    door.go()


def test_a_probe_without_an_end_does_not_block_the_account_for_ever() -> None:
    door = Door()
    limited(door)
    door.clock.advance(5)
    door.go()
    second, waited_s = door.until_it_goes()
    assert 59 < waited_s < 62
    second.passed(1)
    assert door.gate.state is State.CLOSED


def test_the_late_end_of_a_probe_that_was_given_up_neither_opens_nor_lowers() -> None:
    door = Door()
    limited(door)
    door.clock.advance(5)
    late = door.go()
    door.clock.advance(61)
    second = door.go()
    late.limited(7.0)
    second.passed(1)
    assert door.wait() == pytest.approx(7)
    door.clock.advance(7)
    door.go().passed(1)
    assert len(door.many(50)) == 50


def test_a_suspended_machine_finds_the_wait_over() -> None:
    door = Door()
    limited(door, 90.0)
    door.wait(caller="early")
    door.clock.advance(10_000)
    door.go(caller="early").passed(1)
    assert door.gate.state is State.CLOSED
