from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.errors import FatalError, RetriableError
from worker.model import TopicPartition
from worker.pipeline.goal import Goal
from worker.source.memory import MemorySource

if TYPE_CHECKING:
    from collections.abc import Mapping

A, B = TopicPartition("a", 0), TopicPartition("a", 1)


class Ends(MemorySource):
    """Answers what the test says; None is an outage."""

    def __init__(self, seen: Mapping[TopicPartition, tuple[int, int]] | None) -> None:
        self.seen = seen
        self.looks = 0

    def ends(self, timeout_s: float) -> Mapping[TopicPartition, tuple[int, int]]:
        self.looks += 1
        if self.seen is None:
            raise RetriableError("the brokers do not answer")
        return self.seen


def reached_after(goal: Goal, clock: FakeClock) -> bool:
    clock.advance(1.0)
    return goal.is_reached()


def test_the_end_is_that_of_the_first_look_though_the_topic_grows_on() -> None:
    clock, source = FakeClock(), Ends({A: (0, 10)})
    goal = Goal(source, clock)
    assert not goal.is_reached()
    assert goal.total == 10
    source.seen = {A: (9, 500)}
    assert not reached_after(goal, clock)
    assert goal.left == 1
    source.seen = {A: (10, 900)}
    assert reached_after(goal, clock)


def test_it_waits_for_every_partition_whichever_member_reads_it() -> None:
    clock, source = FakeClock(), Ends({A: (0, 3), B: (0, 3)})
    goal = Goal(source, clock)
    assert not goal.is_reached()
    source.seen = {A: (3, 3), B: (2, 3)}
    assert not reached_after(goal, clock)
    source.seen = {A: (3, 3), B: (3, 3)}
    assert reached_after(goal, clock)


def test_partitions_that_come_later_do_not_count() -> None:
    clock, source = FakeClock(), Ends({A: (0, 3)})
    goal = Goal(source, clock)
    assert not goal.is_reached()
    source.seen = {A: (3, 3), B: (0, 7)}
    assert reached_after(goal, clock)


def test_an_empty_topic_is_caught_up_with_at_once() -> None:
    assert Goal(Ends({A: (0, 0)}), FakeClock()).is_reached()


def test_without_any_topic_there_is_no_end() -> None:
    with pytest.raises(FatalError, match="none of the topics exists"):
        Goal(Ends({}), FakeClock()).is_reached()


def test_an_outage_is_neither_an_end_nor_a_missing_topic() -> None:
    clock, source = FakeClock(), Ends(None)
    goal = Goal(source, clock)
    assert not goal.is_reached()
    assert goal.left is None
    source.seen = {A: (3, 3)}
    assert reached_after(goal, clock)


def test_it_looks_once_a_second_at_most() -> None:
    clock, source = FakeClock(), Ends({A: (0, 3)})
    goal = Goal(source, clock)
    for _ in range(100):
        goal.is_reached()
    assert source.looks == 1


def test_once_reached_it_stays_so_between_two_looks() -> None:
    clock, source = FakeClock(), Ends({A: (3, 3)})
    goal = Goal(source, clock)
    assert goal.is_reached()
    clock.advance(0.5)
    assert goal.is_reached()
    assert source.looks == 1
