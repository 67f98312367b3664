"""A key column gets another type: rows go on in other partitions, and their order is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.retyped import RetypedTable, retyped_decoder
from tests.pipeline.world import World, clock_of
from worker.flow.batching import BufferLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member
    from worker.model import TopicPartition

LATE_S = 30.0
IN_VAIN_S = 600.0
STEPS = 40
SOON_S = 15.0
"""Less than any half of a key change waits for its other half in vain."""


class Shop:
    """Two partitions, two workers, and a table whose keys are retyped."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.table = world.table = RetypedTable(world.broker, 2)

    def member(self) -> Member:
        return self.world.member(retyped_decoder(self.world))

    def share(self) -> dict[TopicPartition, Member]:
        """Two workers with a partition each."""
        members = [self.member(), self.member()]
        self.world.until(lambda: all(len(one.source.held) == 1 for one in members))
        return {place: one for one in members for place in one.source.held}

    def leave(self) -> None:
        for one in list(self.world.members):
            self.world.stop(one)


@pytest.fixture(params=[True, False], ids=["guarded", "unguarded"])
def shop(make_world: Worlds, request: pytest.FixtureRequest) -> Shop:
    return Shop(make_world(guarded=request.param, partitions=2))


def hurry(member: Member, world: World, reached: Callable[[], object] = bool) -> None:
    """One worker is fast, while the others stand still."""
    for _ in range(STEPS):
        member.step()
        if reached():
            return
        clock_of(world).advance(0.1)


def test_a_row_that_is_gone_does_not_come_back_when_the_group_is_set_back(shop: Shop) -> None:
    world, table = shop.world, shop.table
    table.insert(1)
    table.insert(2)
    old_home = table.home(1)
    table.retype()
    table.update(2, price=3)
    table.delete(1)
    new_home = table.home(1)
    shop.member()
    world.settle()
    world.assert_equals_table()
    shop.leave()
    world.rewind()
    owners = shop.share()
    hurry(owners[new_home], world)
    hurry(owners[old_home], world)
    world.settle()
    world.assert_equals_table()


def test_a_worker_that_is_behind_is_waited_for_at_the_change(shop: Shop) -> None:
    world, table = shop.world, shop.table
    owners = shop.share()
    table.insert(2)
    table.insert(1)
    world.settle()
    table.update(1, body="old")
    old_home = table.home(1)
    table.retype()
    table.update(1, body="new")
    table.delete(2)
    hurry(owners[table.home(1)], world)
    hurry(owners[old_home], world)
    world.settle()
    world.assert_equals_table()


def test_a_column_that_was_not_sent_is_taken_from_what_was_written_by_the_old_key(
    shop: Shop,
) -> None:
    world, table = shop.world, shop.table
    owners = shop.share()
    table.insert(1)
    table.insert(2)
    world.settle()
    table.update(1, body="long")
    table.retype()
    table.update(1, price=9, without=["body"])
    hurry(owners[table.home(1)], world)
    world.settle()
    world.assert_equals_table()
    assert world.dead == []


@pytest.mark.parametrize("ending", ["delete", "update"])
def test_a_row_that_went_on_under_a_new_schema_is_no_dead_letter_when_it_comes_again(
    shop: Shop, ending: str
) -> None:
    world, table = shop.world, shop.table
    table.insert(1, body="long")
    table.move(1, 3, without=["body"])
    table.insert(2)
    table.retype()
    table.insert(1, body="another")
    table.update(2, price=1)
    if ending == "delete":
        table.delete(3)
    else:
        table.move(3, 5)
        table.insert(3, body="new")
    shop.member()
    world.settle()
    world.assert_equals_table()
    shop.leave()
    world.rewind()
    shop.share()
    began_s = clock_of(world).now_s()
    world.settle()
    world.assert_equals_table()
    assert world.dead == []
    assert clock_of(world).now_s() - began_s < 45.0


def test_who_takes_over_at_the_change_knows_it_as_one(shop: Shop) -> None:
    world, table = shop.world, shop.table
    table.insert(1)
    table.insert(2)
    shop.member()
    world.settle()
    shop.leave()
    table.update(1, body="old")
    old_home = table.home(1)
    table.retype()
    table.update(1, body="new", price=1)
    table.delete(1)
    owners = shop.share()
    hurry(owners[table.home(1)], world)
    hurry(owners[old_home], world)
    world.settle()
    world.assert_equals_table()


def test_who_takes_over_elsewhere_waits_for_nobody(shop: Shop) -> None:
    world, table = shop.world, shop.table
    table.insert(1)
    table.insert(2)
    shop.member()
    world.settle()
    shop.leave()
    ahead = table.home(2)
    table.insert(3)
    table.insert(4)
    owners = shop.share()
    hurry(owners[ahead], world, lambda: world.committed[ahead] == world.end(ahead))
    assert world.committed[ahead] == world.end(ahead)


def test_commits_that_are_held_for_a_second_look_hold_up_nobody_for_ever(
    make_world: Worlds,
) -> None:
    world = make_world(guarded=False, partitions=2, write_timeout_s=LATE_S)
    shop = Shop(world)
    table = shop.table
    table.insert(1)
    table.insert(2)
    first = shop.member()
    world.settle()
    table.update(1, body="old")
    table.update(2, body="old")
    world.until(lambda: world.index[1]["body"] == world.index[2]["body"] == "old")
    world.crash(first)
    table.update(1, body="older")
    table.retype()
    table.delete(1)
    table.update(2, body="new")
    heir = shop.member()
    clock_of(world).hurry_s = 0.01
    world.settle()
    world.assert_equals_table()
    assert heir.counters.second_looks == 2


def test_a_second_look_does_not_wait_for_a_row_that_waits_for_its_end(make_world: Worlds) -> None:
    """The half of a key change that came waits for the other, which waits for a held commit."""
    world = make_world(guarded=False, partitions=2, write_timeout_s=LATE_S)
    shop = Shop(world)
    table = shop.table
    table.insert(1)
    table.insert(2)
    first = shop.member()
    world.settle()
    table.update(2, body="moved")
    world.until(lambda: world.index[2]["body"] == "moved")
    world.crash(first)
    table.retype()
    table.update(1, price=1)
    table.update(2, price=2)
    table.move(2, 3, without=["body"])
    clock_of(world).hurry_s = 0.01
    heir = shop.member()
    world.settle()
    world.assert_equals_table()
    assert world.dead == []
    assert heir.counters.second_looks == 2


def test_what_a_key_change_swallows_holds_up_nobody(shop: Shop) -> None:
    """The other half of the change is held back until the group has committed all before it."""
    world, table = shop.world, shop.table
    table.insert(1)
    table.insert(2)
    shop.member()
    world.settle()
    table.retype()
    table.delete(2)
    table.move(1, 2, without=["body"])
    began_s = clock_of(world).now_s()
    world.settle()
    world.assert_equals_table()
    assert world.dead == []
    assert clock_of(world).now_s() - began_s < SOON_S


@pytest.mark.parametrize("limits", [BufferLimits(max_rows=10), BufferLimits(max_bytes=2_000)])
def test_what_waits_leaves_room_for_what_it_waits_for(
    make_world: Worlds, limits: BufferLimits
) -> None:
    world = make_world(partitions=2, buffer=limits)
    shop = Shop(world)
    table = shop.table
    member = shop.member()
    world.until(lambda: len(member.source.held) == 2)
    member.source.pause([table.home(1)])
    odd = range(1, 50, 2)
    for row in odd:
        table.insert(row)
    old_home = table.home(1)
    table.retype()
    for row in odd:
        table.update(row, price=row)
    hurry(member, world)
    assert member.task._intake.rows
    assert not member.task._pressure.is_full
    member.source.resume([old_home])
    clock_of(world).hurry_s = 0.01
    world.settle()
    world.assert_equals_table()


def stuck(shop: Shop) -> tuple[Member, TopicPartition]:
    """Who waits at a change for somebody who does nothing, and what waits."""
    world, table = shop.world, shop.table
    owners = shop.share()
    table.insert(1)
    world.settle()
    table.insert(3)
    table.retype()
    table.update(1, price=1)
    place = table.home(1)
    return owners[place], place


def pass_time(member: Member, world: World, seconds: float) -> None:
    """One worker goes on, and the others have stopped without leaving."""
    until_s = clock_of(world).now_s() + seconds
    while clock_of(world).now_s() < until_s:
        hurry(member, world, lambda: not member.task._succession._surveying.under_way)
        clock_of(world).advance(4.0)


def test_who_waits_says_for_what_and_for_how_long(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "worker.pipeline.standstill")
    member, _ = stuck(shop)
    pass_time(member, shop.world, 15.0)
    said = [(one.levelname, one.getMessage()) for one in caplog.records]
    assert [level for level, _ in said] == ["INFO", "WARNING"]
    assert "products[1]" in said[0][1]
    assert "products[0] has waited for" in said[1][1]
    assert "products[1] from offset 1 on" in said[1][1]


def test_who_waits_in_vain_goes_on_in_the_end(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    member, place = stuck(shop)
    world = shop.world
    pass_time(member, world, IN_VAIN_S)
    assert world.committed.get(place, 0) < world.end(place)
    pass_time(member, world, 15.0)
    assert world.committed[place] == world.end(place)
    assert "goes on at offset 0" in caplog.text


def test_updates_of_its_row_do_not_prolong_the_wait_of_a_key_change(shop: Shop) -> None:
    world, table = shop.world, shop.table
    owners = shop.share()
    table.insert(1)
    world.settle()
    table.move(1, 2, without=["body"])
    for price in range(25):
        table.update(2, price=price, without=["body"])
        pass_time(owners[table.home(2)], world, 10.0)
    assert {kind for _, _, kind in world.dead} == {"UnavailableColumn"}


def test_schemas_that_take_turns_do_not_wait_at_each(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "worker.pipeline.standstill")
    world, table = shop.world, shop.table
    shop.share()
    for row in range(40):
        table.retype(("int32", "int64")[row // 2 % 2])
        table.insert(row)
    world.settle()
    world.assert_equals_table()
    assert len(caplog.records) <= len(table.places)


def test_what_was_written_by_the_old_key_is_waited_for_until_the_store_shows_it(
    make_world: Worlds,
) -> None:
    world = make_world(partitions=2, settle_s=3.0)
    shop = Shop(world)
    table = shop.table
    shop.share()
    table.insert(1)
    table.insert(2)
    world.settle()
    clock_of(world).advance(10.0)
    table.insert(4, body="long")
    table.retype()
    table.move(4, 6, without=["body"])
    world.settle()
    world.assert_equals_table()
    assert world.dead == []


def test_a_type_that_is_changed_back_later_is_waited_for_again(shop: Shop) -> None:
    world, table = shop.world, shop.table
    owners = shop.share()
    for row in (1, 2):
        table.insert(row)
    table.retype()
    for row in (1, 2):
        table.update(row, price=1)
    world.settle()
    table.rest(60)
    table.update(2, body="late")
    late_home = table.home(2)
    table.retype("int32")
    table.delete(2)
    hurry(owners[table.home(2)], world)
    hurry(owners[late_home], world)
    world.settle()
    world.assert_equals_table()
