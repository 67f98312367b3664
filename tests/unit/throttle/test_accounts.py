from __future__ import annotations

import logging

import pytest

from tests.unit.throttle.callers import Door, in_threads
from worker.clock import FakeClock
from worker.throttle.accounts import Accounts
from worker.throttle.gate import Gate, Pass
from worker.throttle.rates import Rates

ACCOUNT = "cohere https://api.example.com 5ec2e7"


def accounts() -> Accounts:
    return Accounts(FakeClock())


def test_an_account_has_one_gate() -> None:
    ours = accounts()
    assert ours.gate("a", Rates()) is ours.gate("a", Rates(inputs=1))
    assert ours.gate("a", Rates()) is not ours.gate("b", Rates())


def test_threads_that_ask_at_once_get_the_same_gate() -> None:
    ours, gates = accounts(), list[Gate]()
    in_threads(16, lambda: gates.append(ours.gate("a", Rates())))
    assert len(set(map(id, gates))) == 1


def test_the_lower_limit_of_each_unit_holds() -> None:
    ours = accounts()
    ours.gate("a", Rates(inputs=100, tokens=5_000))
    gate = ours.gate("a", Rates(inputs=200, tokens=1_000))
    assert (gate.largest_inputs, gate.largest_tokens) == (100, 1_000)


def test_what_is_not_limited_has_no_largest_call() -> None:
    gate = accounts().gate("a", Rates(requests=10))
    assert (gate.largest_inputs, gate.largest_tokens) == (None, None)


def test_a_member_may_change_its_mind_and_takes_its_limits_along() -> None:
    ours = accounts()
    ours.gate("a", Rates(inputs=300), "other")
    ours.gate("a", Rates(inputs=100), "connector")
    gate = ours.gate("a", Rates(inputs=200), "connector")
    assert gate.largest_inputs == 200
    gate.leave("connector")
    assert gate.largest_inputs == 300


def test_a_share_of_the_partitions_is_a_share_of_each_limit() -> None:
    gate = accounts().gate("a", Rates(requests=60, inputs=1_000, tokens=10_000))
    gate.hold("connector", 3, 12)
    assert (gate.largest_inputs, gate.largest_tokens) == (250, 2_500)


def test_the_share_is_that_of_all_members_together() -> None:
    gate = accounts().gate("a", Rates(inputs=1_000))
    gate.hold("one", 1, 10)
    gate.hold("two", 9, 10)
    assert gate.largest_inputs == 500
    gate.leave("one")
    assert gate.largest_inputs == 900
    gate.leave("two")
    gate.leave("nobody")
    assert gate.largest_inputs == 1_000


@pytest.mark.parametrize(
    ("held", "total", "largest"),
    [(0, 10, 100), (0, 0, 1_000), (20, 10, 1_000), (-1, 10, 100)],
    ids=["nothing held", "no partitions", "partitions were added", "nonsense"],
)
def test_any_report_leaves_a_share_to_end_calls_with(held: int, total: int, largest: int) -> None:
    gate = accounts().gate("a", Rates(inputs=1_000))
    gate.hold("connector", held, total)
    assert gate.largest_inputs == largest


def test_limits_are_kept_by_share() -> None:
    door = Door(Rates(requests=60))
    door.gate.hold("connector", 1, 6)
    waits = [door.until_it_goes()[1] for _ in range(12)]
    assert 60 <= sum(waits[:11]) <= 70


def test_a_share_of_less_than_one_call_a_minute_is_waited_for() -> None:
    door = Door(Rates(requests=3))
    door.gate.hold("connector", 1, 10)
    door.go()
    _, waited_s = door.until_it_goes()
    assert 180 <= waited_s <= 202
    assert door.gate.largest_inputs is None


def test_only_changes_are_told_and_no_part_of_the_account_but_the_provider(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    gate = Accounts(clock).gate(ACCOUNT, Rates())

    def go() -> Pass:
        answer = gate.enter(1, 1)
        assert isinstance(answer, Pass)
        return answer

    first, second = go(), go()
    first.limited(12.0)
    second.limited(12.0)
    clock.advance(12)
    go().passed(1)
    for call in [go(), go(), go()]:
        call.failed("Cohere answers 503")
    clock.advance(0.5)
    go().passed(1)
    assert caplog.messages == [
        "cohere asks us to slow down: limited for 12 s.",
        "cohere works again.",
        "Cohere answers 503; asking again, every 5 s at most, until it works.",
        "cohere works again.",
    ]


def test_an_account_without_a_name_is_told_of_too(caplog: pytest.LogCaptureFixture) -> None:
    call = accounts().gate("1234", Rates()).enter(1, 1)
    assert isinstance(call, Pass)
    call.limited(1.0)
    assert caplog.messages == ["the provider asks us to slow down: limited for 1 s."]
