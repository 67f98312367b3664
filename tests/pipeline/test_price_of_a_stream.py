"""What a stream costs: the texts that the provider gets, counted, on each kind of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import clock_of

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World

ROWS = 50
SETTLE_S = 3.0


@pytest.fixture(params=["guarded", "unguarded", "late"])
def world(request: pytest.FixtureRequest, make_world: Worlds) -> World:
    """One whose rows are in the index."""
    settle_s = SETTLE_S if request.param == "late" else 0.0
    made = make_world(guarded=request.param == "guarded", settle_s=settle_s)
    for row in range(ROWS):
        made.table.insert(row, name=f"name {row}", body=f"text of {row}")
    made.member()
    made.settle()
    assert made.embedder.texts == ROWS
    return made


def update_all(world: World, round_number: int, *, texts: int) -> None:
    """A change of every row, of which so many have another text."""
    for row in range(ROWS):
        if row % (ROWS // texts) == round_number % (ROWS // texts):
            world.table.update(row, body=f"text {round_number} of {row}", price=round_number)
        else:
            world.table.update(row, price=round_number)


def test_updates_of_which_nine_in_ten_leave_the_text_alone_cost_the_tenth(world: World) -> None:
    for round_number in range(1, 11):
        update_all(world, round_number, texts=ROWS // 10)
        world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == ROWS + 10 * (ROWS // 10)


@pytest.mark.parametrize("interruption", ["crash", "restart", "rewind", "new group"])
def test_what_is_read_again_costs_nothing(world: World, interruption: str) -> None:
    (member,) = world.members
    if interruption == "crash":
        member.source.commits_are_lost = True
    update_all(world, 1, texts=1)
    world.until(lambda: world.embedder.texts == ROWS + 1)
    world.until(lambda: world.index == world.table.rows)
    if interruption == "crash":
        world.crash(member)
    else:
        world.stop(member)
    if interruption == "rewind":
        clock_of(world).advance(SETTLE_S)
        world.rewind()
    elif interruption == "new group":
        clock_of(world).advance(SETTLE_S)
        world.found_group()
    for row in range(ROWS):
        world.table.update(row, price=99)
    paid = world.embedder.texts
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == paid


def test_a_snapshot_of_all_rows_costs_nothing(world: World) -> None:
    for row in range(ROWS):
        world.table.read_again(row)
    world.settle()
    world.stop(world.members[0])
    for row in range(ROWS):
        world.table.read_again(row)
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == ROWS
