"""Whatever the pods of a group do, the day's bill stays within the budget, and all agree on it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.spend.pods import Group, Pod, spend_greedily
from worker.errors import RetriableError
from worker.spend.amount import Budget, Limit
from worker.spend.day import day_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from worker.spend.port import Reservation

LIMIT = 1000
PODS = 3


class World:
    """Some pods, and the provider's own books."""

    def __init__(self) -> None:
        self.group = Group(LIMIT)
        self.pods = [self.group.pod() for _ in range(PODS)]
        self.calls: list[tuple[date, Reservation]] = []
        self.billed: Counter[date] = Counter()
        """What the provider may have billed: all that is reserved, until it said less."""

    def reserve(self, pod: int, tokens: int) -> None:
        day = day_of(self.group.wall())
        try:
            reservation = self.pods[pod].purse.reserve(tokens)
        except RetriableError:
            return
        if reservation is not None:
            self.calls.append((day, reservation))
            self.billed[day] += reservation.tokens

    def reserve_what_is_left(self, pod: int, share: int) -> None:
        self.reserve(pod, self.pods[pod].purse.left() * share // LIMIT)

    def answer(self, number: int, tokens: int) -> None:
        if self.calls:
            day, reservation = self.calls.pop(number % len(self.calls))
            tokens = tokens * reservation.tokens // LIMIT
            self.billed[day] -= reservation.tokens - tokens
            reservation.settle(tokens)

    def lose_the_answer(self, number: int, _: int) -> None:
        """It costs no more than what calls of the day have cost, and half as much again."""
        if self.calls:
            day, reservation = self.calls.pop(number % len(self.calls))
            self.billed[day] -= reservation.tokens
            reservation.keep(1)
            self.billed[day] += reservation.tokens

    def refuse(self, number: int, _: int) -> None:
        if self.calls:
            day, reservation = self.calls.pop(number % len(self.calls))
            self.billed[day] -= reservation.tokens
            reservation.cancel()

    def crash(self, pod: int, _: int) -> None:
        """Its calls under way may be billed all the same."""
        self.pods[pod].topic.crash()
        self.pods[pod] = self.group.pod()

    def fall_behind(self, pod: int, _: int) -> None:
        self.pods[pod].topic.hold()

    def brokers_away(self, pod: int, _: int) -> None:
        self.pods[pod].topic.down()

    def answers_lost(self, pod: int, _: int) -> None:
        self.pods[pod].topic.lose_answers()

    def brokers_back(self, pod: int, _: int) -> None:
        self.pods[pod].topic.up()

    def compact(self, _: int, __: int) -> None:
        self.group.log.compact()

    def day_turns(self, _: int, __: int) -> None:
        self.group.wall.turn()

    def check(self) -> None:
        assert all(tokens <= LIMIT for tokens in self.billed.values())

    def check_that_all_agree(self) -> None:
        for pod in self.pods:
            pod.topic.up()
        for pod in self.pods:
            pod.topic.caught_up(0.0)
        everybody: list[Pod] = [*self.pods, self.group.pod()]
        assert len({pod.purse.left() for pod in everybody}) == 1


STEPS = (
    *[World.reserve] * 5, *[World.reserve_what_is_left] * 3, *[World.answer] * 3,
    World.lose_the_answer, World.refuse, World.crash, *[World.fall_behind] * 2,
    World.brokers_away, World.answers_lost, *[World.brokers_back] * 3, World.compact,
    World.day_turns,
)  # fmt: skip
ANY_STEPS = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, PODS - 1), st.integers(1, LIMIT)),
    min_size=10,
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(ANY_STEPS)
def test_no_day_costs_more_than_its_budget_and_all_pods_agree_on_it(
    steps: list[tuple[Callable[[World, int, int], None], int, int]],
) -> None:
    world = World()
    for step, pod, number in steps:
        step(world, pod, number)
        world.check()
    world.check_that_all_agree()


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("overestimate", [1, 4])
def test_threads_of_several_pods_use_nine_tenths_of_a_budget_and_never_more_than_it(
    threads: int, overestimate: int
) -> None:
    group = Group(100_000)
    purses = [group.purse() for _ in range(3)]
    with ThreadPoolExecutor(3 * threads) as pool:
        running = [
            pool.submit(spend_greedily, purse, call=20_000, text=2_000, overestimate=overestimate)
            for purse in purses
            for _ in range(threads)
        ]
        billed = sum(one.result(60.0) for one in running)
    assert 90_000 <= billed <= 100_000
    assert purses[0].report().spent.tokens == billed


def test_a_raise_while_pods_differ_never_spends_more_than_the_higher_budget() -> None:
    group = Group(1000)
    raised = Budget(Limit(1500))
    purses = [group.purse(), group.pod(raised).purse, group.purse()]
    with ThreadPoolExecutor(3) as pool:
        running = [
            pool.submit(spend_greedily, purse, call=100, text=10, overestimate=3)
            for purse in purses
        ]
        billed = sum(one.result(60.0) for one in running)
    assert 1350 <= billed <= 1500
