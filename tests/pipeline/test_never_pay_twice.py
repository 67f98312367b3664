"""Texts that the index holds are not paid for again, and rows are never completed by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.table import TOPIC
from tests.pipeline.world import clock_of
from worker.flow.batching import BatchPolicy, BufferLimits
from worker.model import Outcome, Position
from worker.reselect.memory import MemoryReselector
from worker.source.port import Commit
from worker.store.port import Deletion

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.gate import SteppingClock
    from tests.pipeline.world import World


def kinds(world: World) -> list[str]:
    return [kind for _, _, kind in world.dead]


def test_an_update_that_changes_nothing_here_costs_no_call_at_all(make_world: Worlds) -> None:
    world = make_world(guarded=False)
    member = world.member()
    world.table.insert(1, body="text")
    world.settle()
    world.store.calls.clear()
    world.table.read_again(1)
    world.settle()
    assert world.store.calls == {}
    assert member.counters.outcomes[Outcome.UNCHANGED] == 1


def test_a_new_snapshot_of_what_is_there_writes_nothing_once_the_store_has_settled(
    world: World,
) -> None:
    world.member()
    for row in range(5):
        world.table.insert(row, body=f"text {row}")
    world.settle()
    world.stop(world.members[0])
    for row in range(5):
        world.table.read_again(row)
    world.member()
    world.store.calls.clear()
    world.settle()
    if not world.store.capabilities.guarded:
        assert world.store.calls["upsert"] == 0
    assert world.embedder.texts == 5


def test_an_update_and_back_costs_both_texts_once_each_time_they_are_written(world: World) -> None:
    world.member()
    for body in ("one", "two", "one"):
        if 1 in world.table.rows:
            world.table.update(1, body=body)
        else:
            world.table.insert(1, body=body)
        world.settle()
    assert world.index[1]["body"] == "one"


def test_a_key_change_moves_the_vector(world: World) -> None:
    world.member()
    world.table.insert(1, body="text")
    world.settle()
    world.table.move(1, 2)
    world.settle()
    assert world.index.keys() == {2}
    assert world.embedder.texts == 1


def test_a_key_change_without_its_text_moves_it_too(world: World) -> None:
    world.member()
    world.table.insert(1, body="text")
    world.settle()
    world.table.move(1, 2, without=("body",))
    world.settle()
    assert kinds(world) == []
    assert world.index == {2: {"name": "n", "body": "text", "price": 0}}
    assert world.embedder.texts == 1


def test_and_so_it_does_between_two_workers_whichever_is_first(make_world: Worlds) -> None:
    for slow in (0, 1):
        world = make_world()
        first, second = world.member(), world.member()
        world.table.insert(0, body="text")
        world.settle()
        world.table.move(0, 1, without=("body",))
        quick = second if slow == 0 else first
        for _ in range(20):
            quick.step()
        world.settle()
        assert kinds(world) == []
        assert world.index == {1: {"name": "n", "body": "text", "price": 0}}
        assert world.embedder.texts == 1


@pytest.mark.parametrize(("without", "behind_s"), [((), 45), (("body",), 120)])
def test_a_worker_that_is_a_minute_behind_is_waited_for(
    make_world: Worlds, without: tuple[str, ...], behind_s: int
) -> None:
    world = make_world(partitions=2)
    members = [world.member(), world.member()]
    world.until(lambda: all(len(one.source.held) == 1 for one in members))
    world.table.insert(0, body="text")
    world.settle()
    world.table.move(0, 2, without=without)
    world.table.move(2, 1, without=without)
    (quick,) = (one for one in members if world.table.places[1] in one.source.held)
    for _ in range(behind_s):
        quick.step()
        clock_of(world).advance(1.0)
    assert world.index.keys() == {0}
    world.settle()
    assert kinds(world) == []
    assert world.index == {1: {"name": "n", "body": "text", "price": 0}}
    assert world.embedder.texts == 1


def test_what_a_slow_worker_parks_is_waited_for_until_the_store_shows_it(
    make_world: Worlds,
) -> None:
    world = make_world(partitions=2, settle_s=30.0)
    members = [world.member(), world.member()]
    world.until(lambda: all(len(one.source.held) == 1 for one in members))
    world.table.insert(0, body="text")
    world.settle()
    clock_of(world).advance(30.0)
    world.table.move(0, 1, without=("body",))
    (quick,) = (one for one in members if world.table.places[1] in one.source.held)
    for _ in range(50):
        quick.step()
        clock_of(world).advance(1.0)
    world.settle()
    assert kinds(world) == []
    clock_of(world).advance(30.0)
    assert world.index == {1: {"name": "n", "body": "text", "price": 0}}


def test_what_nobody_can_park_any_more_is_not_waited_for(make_world: Worlds) -> None:
    world = make_world(partitions=2)
    world.member()
    world.settle()
    move = world.table.move
    world.table.insert(0, body="text")
    world.settle()
    world.store.delete(TOPIC, [Deletion("0", Position("", 0, 0))])
    began_s = clock_of(world).now_s()
    move(0, 1, without=("body",))
    world.settle()
    assert kinds(world) == ["UnavailableColumn"]
    assert clock_of(world).now_s() - began_s < 30.0


def test_a_key_swap_leaves_each_row_its_own_text(world: World) -> None:
    world.member()
    world.table.insert(1, body="one")
    world.table.insert(2, body="two")
    world.settle()
    for old, new in ((1, 3), (2, 1), (3, 2)):
        world.table.move(old, new, without=("body",))
    world.settle()
    assert kinds(world) == []
    assert {key: row["body"] for key, row in world.index.items()} == {1: "two", 2: "one"}
    assert world.embedder.texts == 2


@pytest.fixture
def database() -> MemoryReselector:
    made = MemoryReselector()
    made.create("public", "products", {"id", "name", "body", "price"})
    return made


def test_a_text_that_the_index_cannot_tell_is_read_from_the_source(
    make_world: Worlds, database: MemoryReselector
) -> None:
    world = make_world(reselector=database)
    world.member()
    world.table.insert(1, body="large")
    world.settle()
    database.insert("public", "products", {"id": 1, "name": "new", "body": "large", "price": 0})
    world.table.update(1, name="new", without=("body",))
    world.settle()
    assert kinds(world) == []
    assert world.index == {1: {"name": "new", "body": "large", "price": 0}}
    assert [missing.columns for missing in database.asked] == [{"body"}]


def test_a_row_that_the_source_has_no_more_waits_for_its_delete(
    make_world: Worlds, database: MemoryReselector
) -> None:
    world = make_world(reselector=database)
    world.member()
    world.table.insert(1, body="large")
    world.settle()
    world.table.update(1, name="new", without=("body",))
    world.settle()
    assert kinds(world) == []
    world.table.delete(1)
    world.settle()
    assert world.index == {}


def test_after_a_crash_nothing_is_paid_again_that_does_not_show_yet(make_world: Worlds) -> None:
    world = make_world(guarded=False, settle_s=3.0)
    member = world.member()
    world.gate.hold("upsert")
    for row in range(4):
        world.table.insert(row, body=f"text {row}")
    world.until(lambda: world.gate.parked)
    member.source.commits_are_lost = True
    world.gate.open()
    world.until(lambda: len(world.index) == 4)
    world.crash(member)
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == 4


@pytest.mark.parametrize(("idle_s", "waits_s"), [(0.0, 10.0), (4.0, 6.0), (10.0, 0.0)])
def test_a_clean_restart_waits_until_the_last_owners_last_write_shows_and_no_longer(
    make_world: Worlds, idle_s: float, waits_s: float
) -> None:
    world, clock = restarted(make_world, idle_s)
    for row in range(4):
        world.table.update(row, body=f"new text {row}")
    began_s = clock.now_s()
    world.member()
    world.until(lambda: world.index == world.table.rows)
    assert waits_s - 1.5 <= clock.now_s() - began_s < waits_s + 1.0
    assert world.embedder.texts == 8


@pytest.mark.parametrize(("idle_s", "waits_s"), [(30.0, 10.0), (71.0, 0.0)])
def test_what_must_be_sure_believes_the_clock_of_another_machine_to_the_minute(
    make_world: Worlds, idle_s: float, waits_s: float
) -> None:
    world, clock = restarted(make_world, idle_s)
    for row in range(4):
        world.table.update(row, price=7, without=("body",))
    began_s = clock.now_s()
    world.member()
    world.until(lambda: world.index == world.table.rows)
    assert waits_s - 1.5 <= clock.now_s() - began_s < waits_s + 1.0
    assert world.dead == []
    assert world.embedder.texts == 4


def test_a_commit_that_tells_no_time_counts_as_one_of_just_now(make_world: Worlds) -> None:
    world, clock = restarted(make_world, 100.0)
    committed = world.broker.group(world.group).committed
    for place, commit in list(committed.items()):
        committed[place] = Commit(commit.next_offset, commit.standing)
    world.table.update(1, body="new text")
    began_s = clock.now_s()
    world.member()
    world.until(lambda: world.index == world.table.rows)
    assert clock.now_s() - began_s >= 10.0


def test_who_wrote_nothing_hands_on_when_somebody_wrote_last(make_world: Worlds) -> None:
    world, clock = restarted(make_world, 6.0)
    idle = world.member()
    world.until(lambda: idle.counters.rebalances)
    clock.advance(4.0)
    world.stop(idle)
    world.table.update(1, body="new text")
    began_s = clock.now_s()
    world.member()
    world.until(lambda: world.index == world.table.rows)
    assert clock.now_s() - began_s < 1.5


def restarted(make_world: Worlds, idle_s: float) -> tuple[World, SteppingClock]:
    """Four rows are in a late store, and their worker has left in order so long ago."""
    world = make_world(guarded=False, settle_s=10.0)
    member = world.member()
    for row in range(4):
        world.table.insert(row, body=f"text {row}")
    world.settle()
    world.stop(member)
    clock_of(world).advance(idle_s)
    return world, clock_of(world)


def test_nor_after_an_orderly_end_just_before(make_world: Worlds) -> None:
    world = make_world(guarded=False, settle_s=3.0)
    member = world.member()
    for row in range(4):
        world.table.insert(row, body=f"text {row}")
    world.until(lambda: len(world.index) == 4)
    world.stop(member)
    for row in range(4):
        world.table.update(row, price=7)
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == 4


def test_a_row_that_has_its_old_key_again_keeps_its_text_where_writes_show_late(
    make_world: Worlds,
) -> None:
    world = make_world(guarded=True, settle_s=3.0)
    world.member()
    world.table.insert(1, body="text")
    world.table.move(1, 2, without=["body"])
    world.table.move(2, 1, without=["body"])
    world.settle()
    assert world.dead == []
    world.assert_equals_table()
    assert world.embedder.texts == 1


def test_an_update_that_is_read_again_is_no_dead_letter_where_its_row_is_gone_by_now(
    make_world: Worlds,
) -> None:
    world = make_world(
        batch=BatchPolicy(max_rows=1, max_in_flight=1), buffer=BufferLimits(max_rows=1)
    )
    world.member()
    world.table.insert(1, body="text")
    world.table.update(1, price=3, without=["body"])
    world.table.delete(1)
    world.settle()
    world.stop(world.members[0])
    world.rewind()
    world.member()
    world.settle()
    assert world.dead == []
    assert world.index == {}
