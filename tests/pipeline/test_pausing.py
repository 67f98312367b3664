"""A paused task keeps its partitions, finishes what it has read, and reads nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.world import World


def test_what_was_read_before_the_pause_is_finished_and_nothing_more_is_read(world: World) -> None:
    for row in range(5):
        world.table.insert(row)
    world.gate.hold("embed")
    member = world.member()
    world.until(lambda: sum(member.task.progress.values()) == 5)
    member.task.pause()
    world.gate.open()
    world.settle()
    before = dict(world.committed)
    world.table.insert(7)
    member.step(300)
    assert world.committed == before
    assert member.task.buffered == 0
    assert member.source.held == set(world.table.places)
    member.task.resume()
    world.settle()
    world.assert_equals_table()


def test_a_task_that_begins_paused_joins_its_group_and_writes_nothing(world: World) -> None:
    for row in range(5):
        world.table.insert(row)
    member = world.member()
    member.task.pause()
    world.until(lambda: member.source.paused == set(world.table.places))
    member.step(300)
    assert world.committed == {}
    assert world.store.namespaces() == []
    member.task.resume()
    world.settle()
    world.assert_equals_table()
