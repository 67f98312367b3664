"""Rows with a dead letter are marked for whoever holds their partition next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.table import TOPIC
from tests.pipeline.world import POISON
from worker.model import Key, Position

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World

LATER = Position("", 0, 0)
"""Compares with nothing, so it is not known to be before any dead letter."""


def row(number: int) -> Key:
    return Key(TOPIC, (("id", number),))


def test_the_next_owner_knows_the_marks_of_the_one_before(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.table.insert(3)
    first = world.member()
    world.settle()
    world.crash(first)
    second = world.member()
    world.table.insert(5)
    world.settle()
    assert second.marks.is_marked(row(1), LATER)
    assert not second.marks.is_marked(row(3), LATER)
    world.table.update(1, body="good")
    world.settle()
    assert not second.marks.is_marked(row(1), LATER)


def test_a_record_that_cannot_be_read_marks_its_row_if_its_key_can(world: World) -> None:
    world.table.insert(1)
    world.table.garbage(1)
    member = world.member()
    world.settle()
    assert member.marks.is_marked(row(1), LATER)
    assert not member.marks.is_marked(row(2), LATER)


def test_nothing_is_committed_before_the_mark_is_written(make_world: Worlds) -> None:
    world = make_world()
    member = world.member()
    world.table.insert(1, body="good")
    world.settle()
    member.state.down()
    world.table.insert(3, body=POISON)
    place = world.table.places[1]
    world.until(lambda: member.letters.records)
    member.step(100)
    assert world.committed[place] == 1
    member.state.up()
    world.settle()


def test_a_partial_change_of_a_marked_row_is_a_dead_letter_itself(world: World) -> None:
    world.member()
    world.table.insert(1, body="first")
    world.settle()
    world.table.update(1, body=POISON)
    world.settle()
    world.table.update(1, price=9, without=("body",))
    world.settle()
    assert [kind for _, _, kind in world.dead] == ["TextRefused", "UnavailableColumn"]
    assert world.index[1]["body"] == "first"
    world.table.update(1, body="second")
    world.table.update(1, price=10, without=("body",))
    world.settle()
    world.assert_equals_table()
