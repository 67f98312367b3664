"""A day's budget: used up, never passed, and in nobody's way who needs no embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.replaying import Command
from tests.pipeline.world import POISON
from tests.unit.spend.pods import Group
from worker.spend.port import BudgetState

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World
    from worker.spend.limited import LimitedPurse

BUDGET = 10_000
ROWS = 100


class Spending:
    """A world with a budget and texts of 80 to 1,600 bytes, of which it covers a third."""

    def __init__(self, make_world: Worlds, members: int = 1, least_words: int = 16) -> None:
        self.group = Group(BUDGET)
        self.purse: LimitedPurse = self.group.purse()
        self.world: World = make_world(purse=self.purse)
        for row in range(ROWS):
            self.world.table.insert(row, body="word " * (least_words + row * 37 % 304) + "end")
        for _ in range(members):
            self.world.member()

    def until_spent(self) -> None:
        """Every row is in the index, or parked."""
        self.world.until(lambda: self.is_spent)

    @property
    def is_spent(self) -> bool:
        return (
            self.purse.report().state is BudgetState.SPENT
            and not any(member.task.in_flight for member in self.world.members)
            and len(self.world.index) + self.parked == ROWS
        )

    @property
    def parked(self) -> int:
        return sum(len(member.task._backlog.parked) for member in self.world.members)

    @property
    def spent(self) -> int:
        return self.purse.report().spent.tokens


@pytest.mark.parametrize("members", [1, 2])
def test_nine_tenths_of_a_budget_are_used_and_not_a_token_more_than_all(
    make_world: Worlds, members: int
) -> None:
    scene = Spending(make_world, members)
    scene.until_spent()
    assert 0.9 * BUDGET <= scene.spent <= BUDGET
    assert 0 < len(scene.world.index) < ROWS
    assert scene.world.dead == []


@pytest.mark.parametrize("members", [1, 2])
def test_nine_tenths_are_used_by_texts_too_long_for_the_rest_by_their_upper_bound(
    make_world: Worlds, members: int
) -> None:
    scene = Spending(make_world, members, least_words=400)
    scene.until_spent()
    assert 0.9 * BUDGET <= scene.spent <= BUDGET
    assert scene.world.dead == []


def test_while_a_budget_is_spent_deletes_and_changes_of_metadata_go_on(make_world: Worlds) -> None:
    scene = Spending(make_world)
    scene.until_spent()
    before, world = scene.spent, scene.world
    changed, deleted, *_ = world.index
    waiting = next(row for row in world.table.rows if row not in world.index)
    world.table.update(changed, price=7)
    world.table.delete(deleted)
    world.table.delete(waiting)
    world.until(lambda: deleted not in world.index and world.index[changed]["price"] == 7)
    assert scene.spent == before
    assert waiting not in world.index


def test_a_replay_that_waits_for_the_budget_says_so(make_world: Worlds) -> None:
    scene = Spending(make_world)
    world, command = scene.world, Command(scene.world)
    world.table.insert(ROWS, body=POISON)
    world.until(lambda: command.letters)
    scene.until_spent()
    world.heal()
    command.ask()
    world.until(lambda: "budget is spent" in command.standings[0].note)
    assert "00:00 UTC" in command.standings[0].note
    while command.book.has_asked:
        scene.group.wall.turn()
        world.until(lambda: scene.parked == 0 or scene.is_spent or not command.book.has_asked)
    assert command.states == ["replayed"]


def test_the_rest_is_embedded_on_the_days_that_follow(make_world: Worlds) -> None:
    scene = Spending(make_world)
    days = 1
    while not scene.world.is_settled:
        scene.world.members[0].step()
        if scene.is_spent:
            assert scene.spent >= 0.8 * BUDGET
            scene.group.wall.turn()
            days += 1
    assert days in (3, 4), "a third a day, and what was too large for its rest"
    scene.world.assert_equals_table()


def test_the_log_says_once_that_a_budget_is_spent_and_what_ends_the_wait(
    make_world: Worlds, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Spending(make_world)
    scene.until_spent()
    scene.world.members[0].step(100)
    said = [message for message in caplog.messages if "Paused by the budget" in message]
    assert len(said) == 1
    assert "Going on at 00:00 UTC" in said[0]
