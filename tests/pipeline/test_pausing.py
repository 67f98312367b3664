"""A paused task keeps its partitions, finishes what it has read, and reads nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.replaying import Command
from tests.pipeline.world import POISON

if TYPE_CHECKING:
    from tests.pipeline.world import Member, World


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


def test_a_task_rests_once_the_poll_that_was_under_way_is_over(world: World) -> None:
    world.table.insert(1)
    member = world.member()
    world.settle()
    member.task.pause()
    assert not member.task.rests
    world.table.insert(2)
    world.until(lambda: member.task.rests)
    world.table.insert(3)
    member.step(300)
    assert sum(world.committed.values()) < 3
    member.task.resume()
    assert not member.task.rests
    world.settle()
    world.assert_equals_table()


def asked_while_paused(world: World) -> tuple[Member, Command]:
    """A member that is paused, and a letter that it is asked for and could write by now."""
    member = world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    world.heal()
    member.task.pause()
    command = Command(world)
    command.ask()
    world.until(lambda: "paused" in command.standings[0].note)
    return member, command


def test_a_paused_task_replays_nothing_and_says_so(world: World) -> None:
    member, command = asked_while_paused(world)
    member.step(300)
    assert command.states == ["asked"]
    assert world.index == {}
    member.task.resume()
    command.wait()
    assert [(one.state.value, one.note) for one in command.standings] == [("replayed", "")]
    world.assert_equals_table()


def test_a_task_that_is_paused_as_its_partitions_come_says_so_too(world: World) -> None:
    first = world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    world.heal()
    world.stop(first)
    second = world.member()
    second.task.pause()
    command = Command(world)
    command.ask()
    world.until(lambda: "paused" in command.standings[0].note)
    second.task.resume()
    command.wait()
    assert command.states == ["replayed"]
    world.assert_equals_table()


def test_who_takes_over_from_a_paused_task_goes_on(world: World) -> None:
    first, command = asked_while_paused(world)
    world.crash(first)
    assert "paused" in command.standings[0].note
    world.member()
    command.wait()
    assert command.states == ["replayed"]
    assert command.book.delays.why(command.standings[0].origin.place) == ""  # type: ignore[union-attr]


def test_who_leaves_in_order_takes_back_why_letters_wait(world: World) -> None:
    member, command = asked_while_paused(world)
    world.stop(member)
    assert [(one.state.value, one.note) for one in command.standings] == [("asked", "")]
