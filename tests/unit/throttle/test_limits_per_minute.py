from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.throttle.callers import Door
from tests.unit.throttle.simulation import (
    Sent,
    Simulation,
    Willing,
    most_in_a_window,
    per_minute,
)
from worker.throttle.gate import Pass
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Callable

TEN_MINUTES_S = 600.0


def requests(_call: Sent) -> int:
    return 1


def inputs(call: Sent) -> int:
    return call.inputs


def tokens(call: Sent) -> int:
    return call.tokens


def any_size(rng: random.Random, _caller: int) -> tuple[int, int]:
    return rng.randint(1, 96), rng.randint(100, 10_000)


def saturated(rates: Rates, size: tuple[int, int] | None = None) -> Simulation:
    rng = random.Random(7)
    simulation = Simulation(
        Willing(lambda: rng.uniform(0.2, 1.5)),
        rates,
        sizes=any_size if size is None else lambda _rng, _caller: size,
    )
    return simulation.run(TEN_MINUTES_S)


@pytest.mark.parametrize(
    ("rates", "size", "of", "limit"),
    [
        (Rates(requests=500), (96, 1), requests, 500),
        (Rates(inputs=2_000), (100, 1), inputs, 2_000),
        (Rates(inputs=2_000), None, inputs, 2_000),
        (Rates(tokens=1_000_000), (96, 20_000), tokens, 1_000_000),
    ],
    ids=["requests", "inputs", "inputs, calls of any size", "tokens"],
)
def test_limits_are_used_fully_and_never_exceeded(
    rates: Rates, size: tuple[int, int] | None, of: Callable[[Sent], int], limit: int
) -> None:
    sent = saturated(rates, size).sent
    assert most_in_a_window(sent, of) <= limit
    assert per_minute(sent, of, 0.0, TEN_MINUTES_S) >= 0.97 * limit


def test_calls_that_do_not_divide_the_limit_use_as_much_as_whole_calls_can() -> None:
    sent = saturated(Rates(inputs=2_000), (96, 1)).sent
    assert most_in_a_window(sent, inputs) == 20 * 96
    assert per_minute(sent, inputs, 0.0, TEN_MINUTES_S) >= 0.97 * 20 * 96


def test_all_three_limits_hold_at_once() -> None:
    sent = saturated(Rates(requests=60, inputs=2_000, tokens=200_000)).sent
    assert most_in_a_window(sent, requests) <= 60
    assert most_in_a_window(sent, inputs) <= 2_000
    assert most_in_a_window(sent, tokens) <= 200_000


def test_calls_are_spread_over_the_minute() -> None:
    sent = saturated(Rates(requests=600), (1, 1)).sent
    assert most_in_a_window(sent, requests, window_s=1.0) <= 1.5 * 10


def test_a_fresh_account_starts_without_waiting() -> None:
    Door(Rates(requests=10, inputs=100, tokens=1_000)).go(10, 100)


def test_time_in_which_nobody_called_is_not_caught_up_with() -> None:
    door = Door(Rates(requests=600))
    door.go()
    door.clock.advance(3_600)
    burst = [door.ask(caller=n) for n in range(100)]
    assert sum(isinstance(answer, Pass) for answer in burst) <= 4


def test_billed_tokens_take_the_place_of_the_estimate() -> None:
    door = Door(Rates(tokens=1_000))
    call = door.go(tokens=900)
    call.passed(100)
    door.clock.advance(10)
    door.go(tokens=900)


def test_more_billed_tokens_than_estimated_are_waited_for() -> None:
    door = Door(Rates(tokens=1_000))
    door.go(tokens=100).passed(1_000)
    _, waited_s = door.until_it_goes(tokens=100)
    assert 60 < waited_s < 62


def test_a_provider_that_does_not_say_what_it_bills_leaves_the_estimate() -> None:
    door = Door(Rates(tokens=1_000))
    door.go(tokens=900).passed(0)
    _, waited_s = door.until_it_goes(tokens=900)
    assert waited_s > 60


def test_estimates_that_are_three_times_too_high_do_not_cost_two_thirds_of_the_limit() -> None:
    rng = random.Random(7)
    simulation = Simulation(
        Willing(lambda: rng.uniform(0.2, 1.5), billed=1 / 3),
        Rates(tokens=1_000_000),
        sizes=lambda _rng, _caller: (96, 15_000),
    ).run(TEN_MINUTES_S)
    billed = per_minute(simulation.sent, lambda _call: 5_000, 0.0, TEN_MINUTES_S)
    assert 0.95 * 1_000_000 <= billed <= 1_000_000


def test_a_call_that_was_never_made_gives_back_what_it_took() -> None:
    door = Door(Rates(requests=1, inputs=100, tokens=1_000))
    door.go(100, 1_000).dropped()
    door.go(100, 1_000)


@pytest.mark.parametrize("end", ["failed", "refused", "limited"])
def test_a_call_that_may_have_reached_the_provider_counts(end: str) -> None:
    door = Door(Rates(requests=1))
    call = door.go()
    call.limited(1.0) if end == "limited" else getattr(call, end)()
    _, waited_s = door.until_it_goes()
    assert waited_s > 60


def test_a_call_above_the_limit_goes_alone_when_nothing_else_is_in_the_window() -> None:
    door = Door(Rates(inputs=100))
    door.go(50)
    _, waited_s = door.until_it_goes(250)
    assert 60 < waited_s < 62
    _, waited_s = door.until_it_goes(50)
    assert 120 < waited_s < 180


def test_the_end_of_a_call_that_has_left_the_window_changes_nothing() -> None:
    door = Door(Rates(tokens=1_000))
    late = door.go(tokens=1_000)
    door.clock.advance(120)
    door.go(tokens=600)
    late.passed(1)
    assert door.wait(tokens=600) > 0


def test_a_limit_that_is_lowered_counts_what_was_taken_before() -> None:
    door = Door(Rates(inputs=1_000))
    door.go(300)
    door.clock.advance(20)
    door.gate.name("connector", Rates(inputs=100))
    _, waited_s = door.until_it_goes(100)
    assert 40 < waited_s < 42


def test_an_ended_call_cannot_end_again() -> None:
    door = Door(Rates(requests=2))
    call = door.go()
    call.passed(1)
    call.dropped()
    call.failed()
    assert door.gate.numbers.in_flight == 0
    door.clock.advance(30)
    door.go()
    _, waited_s = door.until_it_goes()
    assert waited_s > 30


@settings(max_examples=60)
@given(
    limit=st.integers(1, 500),
    steps=st.lists(
        st.tuples(st.floats(0, 30), st.integers(1, 200), st.sampled_from(["pass", "keep", "drop"])),
        max_size=60,
    ),
)
def test_no_history_exceeds_a_limit_in_any_minute_or_gets_stuck(
    limit: int, steps: list[tuple[float, int, str]]
) -> None:
    door = Door(Rates(inputs=limit))
    sent, callers = list[Sent](), count()
    for pause_s, size, end in steps:
        door.clock.advance(pause_s)
        size = min(size, limit)  # noqa: PLW2901 - as callers cut their calls
        call, waited_s = door.until_it_goes(size, caller=next(callers))
        assert waited_s <= 61
        if end == "drop":
            call.dropped()
            continue
        sent.append(Sent(door.clock.now_s(), 0, size, 1))
        if end == "pass":
            call.passed(1)
    assert most_in_a_window(sent, inputs) <= limit
