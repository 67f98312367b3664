"""Before a text is paid for again that a lost worker may have written: how long that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.table import TOPIC
from tests.pipeline.world import clock_of
from worker.errors import RetriableError

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World

SETTLE_S = 10.0
SHOWS_S = 2.0


@pytest.fixture
def world(make_world: Worlds) -> World:
    return make_world(guarded=False, settle_s=SETTLE_S, shows_s=SHOWS_S, numbers_writes=True)


def crash_before_the_commit(world: World) -> None:
    """Four rows are written, and two come that nobody has written."""
    member = world.member()
    world.gate.hold("upsert")
    for row in range(4):
        world.table.insert(row, body=f"text {row}")
    world.until(lambda: world.gate.parked)
    member.source.commits_are_lost = True
    world.gate.open()
    world.until(lambda: len(world.index) == 4)
    world.crash(member)
    for row in range(4, 6):
        world.table.insert(row, body=f"text {row}")


def seconds_until_all_is_there(world: World) -> float:
    began_s = clock_of(world).now_s()
    world.until(lambda: world.index == world.table.rows)
    return clock_of(world).now_s() - began_s


def test_a_store_that_numbers_its_writes_is_waited_for_as_long_as_it_really_takes(
    world: World,
) -> None:
    crash_before_the_commit(world)
    world.member()
    waited_s = seconds_until_all_is_there(world)
    assert SHOWS_S <= waited_s < SHOWS_S + 1.5
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == 6
    assert world.store.calls["mark"] <= 2


def test_any_other_for_as_long_as_it_may_take(make_world: Worlds) -> None:
    world = make_world(guarded=False, settle_s=SETTLE_S, shows_s=SHOWS_S)
    crash_before_the_commit(world)
    world.member()
    assert seconds_until_all_is_there(world) >= SETTLE_S - 1.0
    assert world.embedder.texts == 6


def test_an_orderly_rebalance_is_waited_for_in_the_same_way(world: World) -> None:
    member = world.member()
    for row in range(4):
        world.table.insert(row, body=f"text {row}")
    world.until(lambda: len(world.index) == 4)
    world.stop(member)
    for row in range(4):
        world.table.update(row, body=f"new text {row}")
    world.member()
    assert seconds_until_all_is_there(world) < SHOWS_S + 1.5
    assert world.embedder.texts == 8


def test_nobody_who_finds_his_rows_asks(world: World) -> None:
    member = world.member()
    for row in range(4):
        world.table.insert(row, body=f"text {row}")
    world.settle()
    world.stop(member)
    clock_of(world).advance(SHOWS_S)
    for row in range(4):
        world.table.read_again(row)
    world.member()
    world.settle()
    assert world.store.calls["mark"] == world.store.calls["shown_to"] == 0


@pytest.mark.parametrize("method", ["mark", "shown_to"])
def test_an_outage_while_it_is_asked_for_is_waited_out(world: World, method: str) -> None:
    crash_before_the_commit(world)
    world.store.fail_next(method, *[RetriableError("away")] * 3)
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == 6


def test_nothing_is_asked_once_time_alone_has_told(make_world: Worlds) -> None:
    """Such as of an index that is further behind than it should be."""
    world = make_world(guarded=False, settle_s=SETTLE_S, shows_s=100.0, numbers_writes=True)
    crash_before_the_commit(world)
    world.member()
    world.until(lambda: len(world.store.points(TOPIC)) == 6)
    clock_of(world).advance(1.0)
    world.store.calls.clear()
    for row in range(6, 12):
        world.table.insert(row, body=f"text {row}")
    world.until(lambda: len(world.store.points(TOPIC)) == 12)
    assert world.store.calls["shown_to"] == 0
