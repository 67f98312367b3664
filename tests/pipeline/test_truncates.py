"""TRUNCATE: what is older leaves the index and never comes back; what is newer stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.table import TOPIC
from tests.pipeline.world import clock_of
from worker.errors import FatalError, RetriableError
from worker.flow.batching import BatchPolicy
from worker.model import Point, TopicPartition
from worker.pipeline.truncates import RefusedTruncates

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World


@pytest.fixture(params=[True, False], ids=["guarded", "unguarded"])
def world(request: pytest.FixtureRequest, make_world: Worlds) -> World:
    return make_world(guarded=request.param, empties=True, settle_s=2.0)


def notes(world: World) -> list[str]:
    """What the state topic has about truncates."""
    found = world.state.keys()
    return [key for key in found if key.startswith("truncate/")]


def swept(world: World) -> int:
    """Partitions of truncates that are carried out."""
    return sum("/swept/" in key for key in notes(world))


def carry_out(world: World, partitions: int = 2) -> None:
    """Until everything is committed and swept."""
    world.until(lambda: world.is_settled and swept(world) >= partitions)
    clock_of(world).advance(10.0)


def test_all_rows_of_the_table_leave_the_index(world: World) -> None:
    for row in range(10):
        world.table.insert(row)
    world.member()
    world.settle()
    world.table.truncate()
    carry_out(world)
    assert world.index == {}


def test_rows_inserted_again_after_it_stay_whatever_partition_is_read_first(world: World) -> None:
    for row in range(10):
        world.table.insert(row, body="before")
    world.table.truncate(partition=1)
    for row in range(5):
        world.table.insert(row, body="after")
    world.member()
    carry_out(world)
    world.assert_equals_table()
    assert set(world.index) == set(range(5))


def test_a_truncate_that_is_read_late_deletes_what_is_older_and_nothing_else(
    make_world: Worlds,
) -> None:
    world = make_world(guarded=False, empties=True, settle_s=2.0)
    for row in range(0, 20, 2):
        world.table.insert(row, body="before")
    world.member()
    world.settle()
    rows = dict(world.table.rows)
    held = world.table.truncate(partition=1)
    for row in range(0, 10, 2):
        world.table.insert(row, body="after")
    carry_out(world)
    assert held.partition == 1
    world.assert_equals_table()
    assert len(rows) == 10


def test_rows_inserted_again_just_as_they_were_are_written_again_and_not_paid_for(
    world: World,
) -> None:
    for row in range(6):
        world.table.insert(row, body="same")
    world.member()
    world.settle()
    clock_of(world).advance(10.0)  # what was written is visible
    world.table.truncate()
    for row in range(6):
        world.table.insert(row, body="same")
    texts = world.embedder.texts
    carry_out(world)
    world.assert_equals_table()
    assert world.embedder.texts == texts


def test_nor_are_rows_paid_for_that_move_to_a_key_which_had_their_text(make_world: Worlds) -> None:
    """Although the store still shows what else stood under their old key."""
    world = make_world(guarded=False, empties=True, settle_s=5.0, partitions=1)
    world.table.insert(1, body="same")
    world.table.insert(3, body="other")
    world.member()
    world.settle()
    clock_of(world).advance(10.0)  # what was written is visible
    world.table.truncate()
    world.table.insert(3, body="same")
    world.table.move(3, 1)
    carry_out(world, partitions=1)
    world.assert_equals_table()
    assert world.embedder.texts == 2


def test_two_workers_empty_the_table_together(make_world: Worlds) -> None:
    world = make_world(guarded=False, empties=True, partitions=4)
    for row in range(40):
        world.table.insert(row)
    world.member()
    world.member()
    world.settle()
    world.table.truncate(partition=3)
    for row in range(0, 40, 5):
        world.table.insert(row, body="after")
    carry_out(world, partitions=4)
    world.assert_equals_table()


def test_nothing_is_committed_before_the_partition_is_swept(world: World) -> None:
    world.table.insert(1)
    member = world.member()
    world.settle()
    world.gate.hold("delete")
    world.table.truncate(partition=1)
    world.until(lambda: world.gate.parked)
    member.step(50)
    place = world.table.places[1]
    assert world.committed[place] == 1
    world.table.insert(2, body="goes on")
    world.until(lambda: 2 in world.index)
    world.gate.open()
    carry_out(world)
    world.assert_equals_table()


def test_a_row_that_is_inserted_again_while_the_old_ones_are_deleted_is_not_lost(
    make_world: Worlds,
) -> None:
    world = make_world(guarded=False, empties=True, settle_s=2.0)
    for row in range(8):
        world.table.insert(row, body="before")
    member = world.member()
    world.settle()
    world.gate.hold("delete")
    world.table.truncate()
    world.until(lambda: world.gate.parked)
    for row in range(4):
        world.table.insert(row, body="after")
    member.step(50)
    world.gate.open()
    carry_out(world)
    world.assert_equals_table()


def test_an_old_change_that_is_under_way_is_not_written_after_the_sweep(world: World) -> None:
    world.gate.hold("embed")
    world.table.insert(1, body="before")
    world.member()
    world.until(lambda: world.gate.parked)
    world.table.truncate(partition=0)
    world.until(lambda: swept(world))
    world.gate.open()
    carry_out(world)
    assert world.index == {}


def test_after_a_rewind_nothing_comes_back(world: World) -> None:
    for row in range(6):
        world.table.insert(row, body="before")
    world.table.truncate()
    world.table.insert(1, body="after")
    first = world.member()
    carry_out(world)
    world.stop(first)
    texts = world.embedder.texts
    world.rewind()
    world.member()
    carry_out(world)
    world.assert_equals_table()
    assert world.outcomes["stale"] >= 6
    assert world.embedder.texts == texts


@pytest.mark.parametrize("moment", ["delete", "scan"])
def test_what_a_crash_left_is_carried_out_by_the_next_worker(world: World, moment: str) -> None:
    for row in range(6):
        world.table.insert(row)
    first = world.member()
    world.settle()
    if moment == "scan":
        world.store.fail_next("scan", *[RetriableError("away")] * 10_000)
    else:
        world.gate.hold("delete")
    world.table.truncate()
    world.until(lambda: notes(world))
    first.step(20)
    world.crash(first)
    first.give_up()
    world.store._errors.clear()
    assert swept(world) == 0
    world.gate.open()
    world.member()
    carry_out(world)
    assert world.index == {}


def test_the_older_of_two_truncates_changes_nothing_whichever_comes_first(world: World) -> None:
    for row in range(6):
        world.table.insert(row, body="first")
    world.table.truncate(partition=1)
    for row in range(6):
        world.table.insert(row, body="second")
    world.table.truncate(partition=0)
    for row in range(3):
        world.table.insert(row, body="third")
    world.member()
    carry_out(world)
    world.assert_equals_table()


def test_a_snapshot_after_it_fills_the_table_again(world: World) -> None:
    world.table.insert(1, body="before")
    world.table.truncate()
    world.table.insert(2, body="after")
    world.member()
    carry_out(world)
    world.table.read_again(2)
    world.settle()
    world.assert_equals_table()


def test_points_of_another_table_in_the_namespace_stay(world: World) -> None:
    world.table.insert(1)
    world.member()
    world.settle()
    point = world.points[1]
    other = {**point.metadata, "source_table": "customers"}
    world.store.upsert(TOPIC, [Point("c1", point.vector, other, point.stamp)])
    world.table.truncate()
    carry_out(world)
    assert set(world.store.points(TOPIC)) == {"c1"}


def test_the_truncated_state_stays_small(world: World) -> None:
    world.member()
    for round_number in range(5):
        world.table.insert(1, body=str(round_number))
        world.table.truncate(partition=round_number % 2)
        carry_out(world)
        world.settle()
    assert len([key for key in notes(world) if "/swept/" not in key]) == 1


def test_by_default_the_rows_stay_and_the_log_says_so_once_per_table(
    make_world: Worlds, caplog: pytest.LogCaptureFixture
) -> None:
    world = make_world()
    world.table.insert(1)
    rows = dict(world.table.rows)
    world.table.truncate(partition=0)
    world.table.truncate(partition=1)
    world.member()
    world.settle()
    assert set(world.index) == set(rows)
    warnings = [one for one in caplog.messages if "truncate.mode=delete" in one]
    assert len(warnings) == 1
    assert "products" in warnings[0]


def test_mode_fail_ends_the_task_before_the_truncates_offset(make_world: Worlds) -> None:
    world = make_world(batch=BatchPolicy(max_rows=1))
    member = world.member()
    member.task._intake._truncates = RefusedTruncates(member.counters)
    world.table.truncate(partition=0)
    with pytest.raises(FatalError, match=r"truncate\.mode"):
        world.settle()
    assert world.committed.get(TopicPartition(TOPIC, 0), 0) == 0
