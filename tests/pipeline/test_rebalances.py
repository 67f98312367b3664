"""Workers come, go and stand still while changes flow."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.pipeline.world import SESSION_S, World, clock_of, system_world
from worker.flow.batching import BatchPolicy

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds


def change_something(world: World, draw: random.Random, number: int) -> None:
    row = draw.randrange(12)
    if row not in world.table.rows:
        world.table.insert(row, price=number)
    elif draw.random() < 0.15:
        world.table.delete(row)
    else:
        world.table.update(row, price=number, body=f"body {number % 5}")


def test_workers_join_and_leave_while_changes_flow(make_world: Worlds) -> None:
    for guarded in (True, False):
        world = make_world(guarded=guarded, partitions=4)
        draw = random.Random(11)
        world.member()
        for number in range(400):
            change_something(world, draw, number)
            if number % 50 == 20:
                world.member()
            if number % 50 == 45:
                world.stop(world.members[0])
            for member in world.members:
                member.step()
        world.settle()
        world.assert_equals_table()
        assert world.dead == []


def test_threads_share_the_partitions_and_lose_nothing() -> None:
    world = system_world(guarded=False, partitions=4)
    draw, members, threads = random.Random(5), [], []
    for _ in range(3):
        members.append(world.newcomer())
        threads.append(members[-1].run())
        for number in range(200):
            change_something(world, draw, number)
    members[0].stop.set()
    threads[0].join(60)
    for number in range(100):
        change_something(world, draw, number)
    world.until(lambda: world.is_settled)
    for member, thread in zip(members, threads, strict=True):
        member.stop.set()
        thread.join(60)
        assert not thread.is_alive()
        assert member.error is None
    world.assert_equals_table()
    world.close()


def test_a_worker_that_leaves_hands_over_only_what_is_written(world: World) -> None:
    first = world.member()
    world.table.insert(1)
    world.settle()
    world.member()
    world.until(lambda: all(len(one.source.held) == 1 for one in world.members))
    for row in range(10):
        world.table.insert(20 + row)
    first.step(3)
    world.stop(first)
    world.settle()
    world.assert_equals_table()


def test_a_worker_that_stood_still_writes_nothing_once_others_have_its_rows(
    world: World,
) -> None:
    world.gate.hold("embed")
    frozen = world.member()
    world.table.insert(1, body="old")
    world.until(lambda: world.gate.parked)
    clock_of(world).advance(SESSION_S + 1)
    world.members.remove(frozen)
    frozen.source.expire()
    world.gate.open()
    world.wait_for(frozen.task._flight._landed.qsize)
    assert world.gated_store.writes == []
    world.table.update(1, body="new")
    world.member()
    world.settle()
    world.assert_equals_table()
    world.members.append(frozen)
    world.settle()
    for _ in range(20):
        frozen.step()
    world.assert_equals_table()


def test_late_results_of_a_lost_partition_commit_nothing(world: World) -> None:
    world.gate.hold("fetch")
    lost = world.member()
    world.table.insert(1)
    world.until(lambda: world.gate.parked)
    lost.source.expire()
    world.gate.cut_off("fetch")  # for the other one
    lost.step(2)
    world.gate.restore()
    assert all(offset == 0 for offset in world.committed.values())
    world.gate.open()
    world.settle()
    world.assert_equals_table()
    assert lost.counters.outcomes.total() == 1


def test_a_revoke_waits_for_what_is_in_flight_and_commits_it(make_world: Worlds) -> None:
    world = make_world(partitions=1)
    leaving = world.member()
    world.gate.hold("upsert")
    world.table.insert(1)
    world.until(lambda: world.gate.parked)
    world.gate.open()
    world.stop(leaving)
    assert world.committed == {world.table.places[0]: 1}
    assert world.index.keys() == {1}


def test_rows_are_read_in_turn_by_small_batches_until_all_are_in(make_world: Worlds) -> None:
    world = make_world(partitions=3, batch=BatchPolicy(max_rows=1, max_in_flight=2))
    for row in range(30):
        world.table.insert(row)
    for _ in range(3):
        world.member()
    world.settle()
    world.assert_equals_table()
