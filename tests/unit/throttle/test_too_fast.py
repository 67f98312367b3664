from __future__ import annotations

from itertools import pairwise

import pytest

from tests.unit.throttle.callers import Door
from tests.unit.throttle.simulation import Simulation, Strict
from worker.throttle.gate import Pass
from worker.throttle.rates import Rates


def steadily(door: Door, seconds: float, per_s: float = 10.0) -> int:
    """Somebody wants to call so often, each call takes about a second; how many calls went."""
    under_way, went = list[Pass](), 0
    for _ in range(round(seconds * per_s)):
        door.clock.advance(1 / per_s)
        if len(under_way) >= per_s:
            under_way.pop(0).passed(1)
        answer = door.ask(caller="next")
        if isinstance(answer, Pass):
            under_way.append(answer)
            went += 1
    for passing in under_way:
        passing.passed(1)
    return went


def episode(door: Door, wait_s: float = 5.0) -> None:
    call, _ = door.until_it_goes()
    call.limited(wait_s)
    door.clock.advance(wait_s)
    probe, _ = door.until_it_goes()
    probe.passed(1)


def test_a_single_episode_lowers_nothing() -> None:
    door = Door()
    steadily(door, 20)
    episode(door)
    assert steadily(door, 10) == 100


def test_an_episode_long_after_the_last_one_lowers_nothing() -> None:
    door = Door()
    for _ in range(3):
        steadily(door, 61)
        episode(door)
    assert steadily(door, 10) == 100


def test_an_episode_soon_after_the_last_one_lowers_the_rate_to_seventy_percent() -> None:
    door = Door()
    steadily(door, 20)
    episode(door)
    steadily(door, 10)
    episode(door)
    assert 68 <= steadily(door, 10) <= 76


def test_the_rate_recovers_within_a_minute() -> None:
    door = Door()
    steadily(door, 20)
    episode(door)
    steadily(door, 10)
    episode(door)
    tens = [steadily(door, 10) for _ in range(7)]
    assert tens == sorted(tens)
    assert 90 <= tens[5] <= 100
    assert tens[6] == 100


def test_a_long_wait_is_no_recovery() -> None:
    door = Door()
    steadily(door, 20)
    episode(door)
    steadily(door, 10)
    episode(door, wait_s=90.0)
    assert 68 <= steadily(door, 10) <= 76


def test_each_further_episode_lowers_it_again() -> None:
    door = Door()
    steadily(door, 20)
    episode(door)
    steadily(door, 10)
    rates = []
    for _ in range(4):
        episode(door)
        rates.append(steadily(door, 10))
    assert all(after < 0.85 * before for before, after in pairwise(rates))


def test_one_call_at_a_time_may_always_go() -> None:
    door = Door()
    for _ in range(40):
        episode(door, wait_s=1.0)
    call = door.go()
    assert door.wait(caller="next") <= 0.25
    call.passed(1)
    door.go(caller="next")


def test_calls_that_went_alone_are_not_owed_later() -> None:
    door = Door()
    steadily(door, 20)
    episode(door)
    episode(door)
    for _ in range(1_000):
        door.go().passed(1)
    door.go()
    _, waited_s = door.until_it_goes()
    assert waited_s <= 0.3


@pytest.mark.parametrize("tells", [True, False], ids=["tells how long", "says nothing"])
@pytest.mark.parametrize(("limit", "window_s"), [(10, 1), (100, 10), (300, 60)])
def test_a_limit_that_nobody_configured_is_found_and_used(
    limit: int, window_s: float, *, tells: bool
) -> None:
    provider = Strict(limit, window_s, tells=tells)
    Simulation(provider, Rates()).run(600)
    assert provider.passed >= 0.75 * limit / window_s * 600
    assert provider.limited <= 0.1 * provider.passed


def test_after_two_episodes_a_probe_that_never_ends_does_not_hold_up_the_others_for_ever() -> None:
    door = Door()
    episode(door)
    call, _ = door.until_it_goes()
    call.limited(5.0)
    door.clock.advance(5.0)
    lost, _ = door.until_it_goes(caller="lost")
    assert isinstance(lost, Pass)
    _, waited_s = door.until_it_goes()
    assert waited_s <= 65.0
