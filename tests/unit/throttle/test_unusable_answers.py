"""Answers that are billed and cannot be used: an outage that costs money."""

from __future__ import annotations

from tests.unit.throttle.callers import Door
from worker.throttle.circuit import MOST_UNUSABLE, State

WHAT = "the test answers nonsense"


def spoilt(times: int = 1) -> Door:
    """A door whose provider has given so many unusable answers, each to the next that may go."""
    door = Door()
    door.go().unusable(WHAT)
    for _ in range(times - 1):
        door.clock.advance(door.wait())
        door.go().unusable(WHAT)
    return door


def test_the_first_one_shuts_the_door() -> None:
    door = spoilt()
    assert door.gate.state is State.OPEN
    assert door.gate.is_suspect
    assert door.gate.trouble == WHAT
    assert 0 < door.wait() <= 0.5


def test_one_amid_good_answers_counts_for_nothing() -> None:
    door = Door()
    spoilt_call, good = door.many(2)
    good.passed(1)
    spoilt_call.unusable(WHAT)
    assert door.gate.state is State.CLOSED
    assert not door.gate.is_suspect


def test_calls_that_were_under_way_together_count_as_one() -> None:
    door = Door()
    for call in door.many(16):
        call.unusable(WHAT)
    door.clock.advance(door.wait())
    assert not door.gate.gives_up
    door.go().passed(1)
    assert door.gate.state is State.CLOSED


def test_a_usable_answer_ends_it() -> None:
    door = spoilt(MOST_UNUSABLE - 1)
    door.clock.advance(door.wait())
    door.go().passed(1)
    assert not door.gate.is_suspect
    assert len(door.many(16)) == 16


def test_an_outage_between_them_does_not_count_as_usable() -> None:
    door = spoilt(MOST_UNUSABLE - 1)
    door.clock.advance(door.wait())
    door.go().failed()
    door.clock.advance(door.wait())
    door.go().unusable(WHAT)
    assert door.gate.gives_up


def test_after_so_many_in_a_row_it_is_given_up_until_the_next_try() -> None:
    assert not spoilt(MOST_UNUSABLE - 1).gate.gives_up
    door = spoilt(MOST_UNUSABLE)
    assert door.gate.gives_up
    door.clock.advance(door.wait())
    assert not door.gate.gives_up
    probe = door.go()
    assert not door.gate.gives_up, "somebody is just finding out"
    probe.unusable(WHAT)
    assert door.gate.gives_up
