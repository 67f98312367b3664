"""After an owner that did not leave in order: late writes are found, and nobody else waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.gate import Verdict
from tests.pipeline.world import POISON, World, clock_of, system_world
from worker.clock import SystemClock
from worker.flow.batching import BatchPolicy, BufferLimits
from worker.pipeline.goal import Goal
from worker.source.port import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.gate import Call
    from tests.pipeline.world import Member

LATE_S = 30.0
JOIN_S = 60
SOON_S = 5.0


@pytest.fixture
def world(make_world: Worlds) -> World:
    return make_world(guarded=False, partitions=1, write_timeout_s=LATE_S)


def frozen_in_a_write(world: World) -> Call:
    """A worker stands still in the middle of a write, and somebody else takes its place."""
    world.gate.hold("upsert", "delete")
    frozen = world.member()
    world.until(lambda: world.gate.parked)
    late, *_ = world.gate.parked  # others of its batches may be on their way as well
    world.members.remove(frozen)
    frozen.source.expire()
    world.member()
    return late


def until(world: World, reached: Callable[[], object], late: Call) -> None:
    """Work on, while what is late stays on its way."""

    def look() -> object:
        for call in world.gate.parked:
            if call is not late:
                world.gate.release(call)
        return reached()

    world.until(look)


def arrive(world: World, late: Call) -> None:
    writes = len(world.gated_store.writes)
    world.gate.release(late)
    world.wait_for(lambda: len(world.gated_store.writes) > writes)
    world.gate.open()


def test_a_late_write_over_a_newer_one_is_found_and_repaired(world: World) -> None:
    world.table.insert(1, body="old")
    world.table.insert(2)
    late = frozen_in_a_write(world)
    world.table.update(1, body="new")
    until(world, lambda: world.index.get(1) == world.table.rows[1], late)
    arrive(world, late)
    assert world.index[1]["body"] == "old"
    world.settle()
    world.assert_equals_table()
    (heir,) = world.members
    assert (heir.counters.second_looks, heir.counters.repaired) == (1, 1)
    assert heir.counters.compared_again == 2


def test_a_row_that_a_late_write_brings_back_is_deleted_again(world: World) -> None:
    world.table.insert(1)
    late = frozen_in_a_write(world)
    world.table.delete(1)
    until(world, lambda: world.members[0].counters.finished == 3, late)
    arrive(world, late)
    assert 1 in world.index
    world.settle()
    assert world.index == {}
    assert world.members[0].counters.repaired == 1


def test_until_the_look_the_commit_stays_and_rows_go_on(world: World) -> None:
    world.table.insert(1)
    late = frozen_in_a_write(world)
    began_s = clock_of(world).now_s()
    for row in range(2, 30):
        world.table.insert(row)
    until(world, lambda: world.index.keys() == world.table.rows.keys(), late)
    assert clock_of(world).now_s() - began_s < SOON_S
    assert world.committed == {world.table.places[0]: 0}
    assert world.standings == {Standing.OPEN}
    arrive(world, late)
    world.settle()
    assert clock_of(world).now_s() - began_s >= LATE_S


def test_what_is_as_it_was_written_is_left_alone_and_costs_nothing(world: World) -> None:
    for row in range(10):
        world.table.insert(row)
    late = frozen_in_a_write(world)
    (heir,) = world.members
    until(world, lambda: heir.counters.outcomes.total() == 10, late)
    arrive(world, late)
    texts, writes = world.embedder.texts, len(world.gated_store.writes)
    world.settle()
    assert (world.embedder.texts, len(world.gated_store.writes)) == (texts, writes)
    assert (heir.counters.compared_again, heir.counters.repaired) == (10, 0)
    assert heir.counters.outcomes.total() == 10


def test_a_row_that_never_stops_changing_does_not_keep_the_look_from_its_end(
    world: World,
) -> None:
    world.table.insert(1)
    late = frozen_in_a_write(world)
    until(world, lambda: 1 in world.index, late)
    arrive(world, late)
    for number in range(5_000):
        world.table.update(1, body=f"body {number}")
        world.members[0].step()
        clock_of(world).advance(0.01)
        if world.members[0].counters.second_looks:
            break
    assert world.members[0].counters.second_looks == 1


def restarted(world: World) -> tuple[Member, float]:
    """A worker that has taken over and committed everything, and how long that took."""
    began_s = clock_of(world).now_s()
    member = world.member()
    world.settle()
    return member, clock_of(world).now_s() - began_s


def test_who_follows_a_clean_leave_waits_for_nothing(world: World) -> None:
    world.table.insert(1)
    first = world.member()
    world.settle()
    assert world.standings == {Standing.OPEN}
    world.stop(first)
    assert world.standings == {Standing.CLEAN}
    world.table.insert(2)
    second, took_s = restarted(world)
    assert took_s < SOON_S
    assert second.counters.second_looks == 0


def test_on_a_store_that_refuses_what_is_older_nobody_waits(make_world: Worlds) -> None:
    world = make_world(guarded=True, write_timeout_s=LATE_S)
    world.table.insert(1)
    first = world.member()
    world.settle()
    world.crash(first)
    world.table.insert(2)
    second, took_s = restarted(world)
    assert took_s < SOON_S
    assert second.counters.second_looks == 0


def test_after_a_crash_with_nothing_left_to_read_there_is_nothing_to_wait_for(
    world: World,
) -> None:
    world.table.insert(1)
    first = world.member()
    world.settle()
    world.crash(first)
    second = world.member()
    world.until(lambda: second.counters.second_looks)
    world.table.insert(2)
    began_s = clock_of(world).now_s()
    world.settle()
    assert clock_of(world).now_s() - began_s < SOON_S
    assert second.counters.compared_again == 0


def test_a_group_that_is_new_waits_for_nothing(world: World) -> None:
    world.table.insert(1)
    member, took_s = restarted(world)
    assert took_s < SOON_S
    assert member.counters.second_looks == 0


def test_a_crash_before_the_look_leaves_it_to_the_next_owner(world: World) -> None:
    world.table.insert(1, body="old")
    late = frozen_in_a_write(world)
    world.table.update(1, body="new")
    until(world, lambda: world.index.get(1) == world.table.rows[1], late)
    clock_of(world).advance(LATE_S / 2)
    world.crash(world.members[0])
    arrive(world, late)
    heir = world.member()
    world.settle()
    world.assert_equals_table()
    assert (heir.counters.second_looks, heir.counters.repaired) == (1, 0)
    assert heir.counters.outcomes.total() == 2


def test_a_crash_in_the_look_leaves_it_to_the_next_owner(world: World) -> None:
    world.table.insert(1, body="old")
    late = frozen_in_a_write(world)
    world.table.update(1, body="new")
    until(world, lambda: world.index.get(1) == world.table.rows[1], late)
    arrive(world, late)
    world.gate.hold("upsert")
    world.until(lambda: world.gate.parked)  # the repair
    world.gate.release(world.gate.parked[0], Verdict.KILLED)
    world.crash(world.members[0])
    world.gate.open()
    assert world.index[1]["body"] == "old"
    assert world.committed == {world.table.places[0]: 0}
    heir = world.member()
    world.settle()
    world.assert_equals_table()
    assert heir.counters.second_looks == 1


def test_who_leaves_in_order_before_the_look_leaves_it_to_the_next_owner(world: World) -> None:
    world.table.insert(1, body="old")
    late = frozen_in_a_write(world)
    world.table.update(1, body="new")
    until(world, lambda: world.index.get(1) == world.table.rows[1], late)
    world.stop(world.members[0])
    assert world.committed == {world.table.places[0]: 0}
    assert world.standings == {Standing.OPEN}
    arrive(world, late)
    heir = world.member()
    world.settle()
    world.assert_equals_table()
    assert heir.counters.second_looks == 1
    world.stop(heir)
    assert world.standings == {Standing.CLEAN}


def test_nothing_is_written_before_the_group_knows_that_the_partition_is_open(
    world: World,
) -> None:
    world.table.insert(1)
    member = world.member()
    member.source.commits_are_lost = True
    for _ in range(100):
        member.step()
    assert member.counters.records == 1
    assert world.gated_store.writes == []
    member.source.commits_are_lost = False
    world.settle()
    world.assert_equals_table()


def test_a_buffer_that_is_full_at_once_does_not_keep_the_partition_from_being_opened(
    make_world: Worlds,
) -> None:
    world = make_world(guarded=False, buffer=BufferLimits(max_rows=2), write_timeout_s=LATE_S)
    for row in range(20):
        world.table.insert(row)
    world.member()
    world.settle()
    world.assert_equals_table()


def test_a_write_that_outlasts_the_revoke_leaves_the_partition_open(make_world: Worlds) -> None:
    world = make_world(guarded=False, partitions=1, drain_timeout_s=0.5, write_timeout_s=LATE_S)
    world.gate.hold("upsert")
    world.table.insert(1)
    slow = world.member()
    world.until(lambda: world.gate.parked)
    clock_of(world).hurry_s = 1.0
    world.stop(slow)
    clock_of(world).hurry_s = 0.0
    assert world.standings == {Standing.OPEN}


def test_a_write_that_is_given_up_without_an_answer_leaves_the_partition_open(
    world: World,
) -> None:
    world.gate.hold("upsert")
    world.table.insert(1)
    member = world.member()
    world.until(lambda: world.gate.parked)
    member.give_up()
    world.gate.release(world.gate.parked[0], Verdict.UNSURE)
    world.stop(member)
    assert world.standings == {Standing.OPEN}
    assert world.committed == {world.table.places[0]: 0}


def test_work_that_is_given_up_before_its_write_leaves_nothing_open(world: World) -> None:
    world.gate.hold("embed")
    world.table.insert(1)
    member = world.member()
    world.until(lambda: world.gate.parked)
    member.give_up()
    world.gate.release(world.gate.parked[0], Verdict.UNSURE)
    world.stop(member)
    assert world.standings == {Standing.CLEAN}
    assert world.committed == {world.table.places[0]: 0}


def test_bad_records_and_their_letters_do_not_keep_the_look_from_its_end(world: World) -> None:
    world.table.insert(1)
    late = frozen_in_a_write(world)
    world.table.update(1, body=POISON)
    world.table.insert(2, body=POISON)
    world.table.garbage(3)
    until(world, lambda: len(world.dead) == 3, late)
    arrive(world, late)
    world.settle()
    assert world.members[0].counters.second_looks == 1
    assert world.index.keys() == {1}


def test_what_is_kept_for_the_look_counts_against_the_buffer_once_it_is_more_than_one(
    make_world: Worlds,
) -> None:
    buffer = BufferLimits(max_rows=10)
    world = make_world(guarded=False, partitions=2, buffer=buffer, write_timeout_s=LATE_S)
    for row in range(100):
        world.table.insert(row)
    first = world.member()
    world.until(lambda: sum(world.committed.values()) > 0)
    world.crash(first)
    heir = world.member()
    clock_of(world).hurry_s = 0.001  # a full buffer waits for time to pass

    def is_settled() -> bool:
        kept.add(sum(look.rows for look in heir.task._looks._looks.values()))
        return world.is_settled

    kept = {0}
    world.until(is_settled)
    world.assert_equals_table()
    assert 10 < max(kept) <= 2 * buffer.max_rows
    assert heir.counters.second_looks == 2


@pytest.fixture
def real_time() -> Iterator[World]:
    batch = BatchPolicy(max_rows=4, max_in_flight=3)
    world = system_world(guarded=False, write_timeout_s=1.0, batch=batch)
    yield world
    world.close()


def caught_up(world: World) -> tuple[Member, float]:
    clock = SystemClock()
    began_s = clock.now_s()
    member = world.newcomer()
    thread = member.run(Goal(member.source, clock, look_every_s=0.01))
    thread.join(JOIN_S)
    assert not thread.is_alive()
    assert member.error is None
    world.assert_equals_table()
    return member, clock.now_s() - began_s


def test_a_run_until_caught_up_ends_clean_and_waits_only_where_a_look_is_due(
    real_time: World,
) -> None:
    world = real_time
    for row in range(10):
        world.table.insert(row)
    _, first_s = caught_up(world)
    assert world.standings == {Standing.CLEAN}
    world.table.insert(20)
    world.table.insert(21)
    second, second_s = caught_up(world)
    assert second.counters.second_looks == 0
    assert max(first_s, second_s) < 1.0

    world.table.insert(30)
    crashed = world.member()
    world.gate.hold("upsert")
    world.until(lambda: world.gate.parked)
    world.gate.release(world.gate.parked[0], Verdict.KILLED)
    world.crash(crashed)
    world.gate.open()
    third, third_s = caught_up(world)
    assert third.counters.second_looks == 1
    assert third_s >= 1.0
    assert world.standings == {Standing.CLEAN}
