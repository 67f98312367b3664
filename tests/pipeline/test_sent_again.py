"""Key changes whose records Debezium sends again after it crashed, without their large columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.table import TOPIC
from tests.pipeline.world import clock_of
from worker.flow.batching import BufferLimits
from worker.model import TopicPartition

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member, World

RECORDS_OF_A_MOVE = 3


@pytest.fixture(
    params=[(True, 0.0), (False, 0.0), (True, 3.0), (False, 3.0)],
    ids=["guarded", "unguarded", "guarded and late", "late"],
)
def world(request: pytest.FixtureRequest, make_world: Worlds) -> World:
    guarded, settle_s = request.param
    return make_world(guarded=guarded, settle_s=settle_s)


def hurry(member: Member, world: World) -> None:
    """One worker is fast, while the others stand still."""
    for _ in range(40):
        member.step()
        clock_of(world).advance(0.1)


def owner(world: World, partition: int) -> Member:
    place = TopicPartition(TOPIC, partition)
    return next(one for one in world.members if place in one.source.held)


def pass_by(world: World) -> None:
    """All is done, and can be seen."""
    world.settle()
    clock_of(world).advance(10.0)


def assert_nothing_is_put_aside(world: World) -> None:
    assert world.store.points("_vecsink_moved") == {}


def assert_right(world: World) -> None:
    assert world.dead == []
    world.assert_equals_table()


def test_a_row_that_has_its_old_key_again_keeps_its_text(world: World) -> None:
    world.table.insert(1, body="text")
    world.table.move(1, 0, without=["body"])
    world.table.move(0, 1, without=["body"])
    world.table.send_again(6)
    world.member()
    world.settle()
    assert_right(world)
    assert world.embedder.texts == 1


def test_a_row_does_not_get_the_text_of_a_new_one_under_its_old_key(make_world: Worlds) -> None:
    world = make_world()
    world.member()
    world.member()
    world.until(lambda: all(len(one.source.held) == 1 for one in world.members))
    world.table.insert(1, body="text")
    world.table.move(1, 0, without=["body"])
    world.table.insert(1, body="another text")
    world.table.send_again(4)
    hurry(owner(world, 1), world)
    world.settle()
    assert_right(world)


def test_a_row_that_changed_since_is_what_it_was_once_more(make_world: Worlds) -> None:
    """Nor is it a dead letter because its point is of a later change."""
    world = make_world(partitions=1, buffer=BufferLimits(max_rows=1))
    world.member()
    world.table.insert(1, body="text")
    world.table.move(1, 0, without=["body"])
    world.table.update(0, name="new", body="another text")
    world.settle()
    world.table.send_again(2)
    world.settle()
    assert_right(world)


def test_rows_that_go_from_key_to_key_keep_their_texts(world: World) -> None:
    """Of the two events under key 1 the first, sent again, is about the row that was there before.

    The record of the one that is there now has no text.
    """
    world.member()
    world.table.insert(1, body="first")
    world.table.insert(3, body="second")
    world.settle()
    world.table.move(1, 0, without=["body"])
    world.table.move(3, 1, without=["body"])
    pass_by(world)
    world.table.send_again(6)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2


def test_a_row_comes_to_a_key_whose_row_was_deleted(world: World) -> None:
    world.member()
    world.table.insert(1, body="first")
    world.table.insert(3, body="second")
    world.settle()
    world.table.delete(1)
    world.table.move(3, 1, without=["body"])
    pass_by(world)
    world.table.send_again(5)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2
    assert_nothing_is_put_aside(world)


def test_a_row_comes_to_a_key_whose_row_is_written_again_before(world: World) -> None:
    world.member()
    world.table.insert(3, body="second")
    world.settle()
    world.table.insert(1, body="first")
    world.table.delete(1)
    world.table.move(3, 1, without=["body"])
    pass_by(world)
    world.table.send_again(6)
    pass_by(world)
    assert_right(world)
    assert_nothing_is_put_aside(world)


def test_texts_that_came_later_are_not_paid_for_when_they_come_again(world: World) -> None:
    world.member()
    world.table.insert(1, body="first")
    world.table.update(1, body="second")
    world.table.update(1, body="third")
    world.settle()
    clock_of(world).advance(10.0)
    paid = world.embedder.texts
    world.table.send_again(2)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == paid
    assert_nothing_is_put_aside(world)


def test_what_a_restored_database_says_is_not_taken_for_sent_again(world: World) -> None:
    """Its log begins anew, but its times go on."""
    world.member()
    world.table.insert(1, body="first")
    world.settle()
    clock_of(world).advance(10.0)
    world.table.restored()
    world.table.delete(1)
    world.settle()
    assert_right(world)
    assert_nothing_is_put_aside(world)


@pytest.mark.parametrize("sent", [1, 2, 3, 4])
def test_a_cycle_of_keys_keeps_its_texts_wherever_debezium_dies_in_it(
    world: World, sent: int
) -> None:
    moves = [(2, 9), (3, 2), (4, 3), (9, 4)]
    world.member()
    for key in (2, 3, 4):
        world.table.insert(key, body=f"text {key}")
    pass_by(world)
    for number, (old, new) in enumerate(moves, 1):
        world.table.move(old, new, without=["body"])
        if number == sent:
            pass_by(world)
            world.table.send_again(RECORDS_OF_A_MOVE * sent)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 3


def swap(world: World) -> None:
    """Rows 1 and 2, by way of 99."""
    for old, new in ((2, 99), (1, 2), (99, 1)):
        world.table.move(old, new, without=["body"])


def insert_two(world: World) -> None:
    world.member()
    for key in (1, 2):
        world.table.insert(key, body=f"text {key}")


@pytest.mark.parametrize("but", range(1, 8))
def test_rows_that_change_places_keep_their_texts_though_debezium_dies_twice(
    world: World, but: int
) -> None:
    """It is away for long when it has sent a part again, so what it lacks then nobody can know."""
    insert_two(world)
    swap(world)
    world.table.send_again(9, but=but)
    pass_by(world)
    world.table.send_again(18 - but, but=9 - but)
    world.table.send_again(9)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "unguarded"])
def test_what_was_put_aside_just_now_is_waited_for(make_world: Worlds, *, guarded: bool) -> None:
    """However long ago the record arrived that needs it."""
    world = make_world(guarded=guarded, settle_s=3.0, partitions=1)
    insert_two(world)
    for old, new in ((2, 101), (101, 2), (1, 102), (2, 1), (102, 2), (1, 103)):
        world.table.move(old, new, without=["body"])
    for _ in range(2):
        world.table.send_again(18)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2


def test_an_update_of_who_was_there_before_takes_no_text(world: World) -> None:
    insert_two(world)
    world.table.move(2, 99, without=["body"])
    world.table.update(1, price=3, without=["body"])
    world.table.move(1, 2, without=["body"])
    world.table.move(99, 1, without=["body"])
    world.table.send_again(7)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2


def test_a_row_that_was_there_before_takes_no_text_on_its_way(world: World) -> None:
    """Its key change would take along that of who stands there now."""
    insert_two(world)
    world.table.move(2, 99, without=["body"])
    world.table.update(1, price=3, without=["body"])
    for old, new in ((99, 2), (1, 105), (2, 1), (105, 2)):
        world.table.move(old, new, without=["body"])
    world.table.send_again(13)
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2


def test_a_new_update_finds_what_was_put_aside_for_the_change_before_it(world: World) -> None:
    world.member()
    for key in (2, 3):
        world.table.insert(key, body=f"text {key}")
    world.table.move(3, 102, without=["body"])
    world.table.move(2, 3, without=["body"])
    world.table.send_again(6)
    world.table.update(3, price=3, without=["body"])
    pass_by(world)
    assert_right(world)
    assert world.embedder.texts == 2
