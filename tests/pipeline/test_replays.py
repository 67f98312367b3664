"""A replay never puts an old row over a newer one, whatever happened since."""

from __future__ import annotations

import pytest

from tests.pipeline.replaying import Command
from tests.pipeline.table import TOPIC
from tests.pipeline.world import POISON, World
from worker.model import Key


@pytest.fixture
def command(world: World) -> Command:
    return Command(world)


def row(number: int) -> Key:
    return Key(TOPIC, (("id", number),))


def test_a_letter_whose_cause_is_gone_is_written(world: World, command: Command) -> None:
    member = world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    assert 1 not in world.index
    world.heal()
    command.replay()
    assert command.states == ["replayed"]
    world.assert_equals_table()
    assert not member.marks.is_marked(row(1))
    assert world.is_settled


def test_a_row_deleted_since_is_not_brought_back(world: World, command: Command) -> None:
    world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    tombstone = world.table.delete(1)
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    assert command.standings[0].note == f"by offset {tombstone.offset}"
    world.assert_equals_table()


def test_a_row_changed_since_keeps_its_newer_state(world: World, command: Command) -> None:
    world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    newer = world.table.update(1, body="newer")
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    assert command.standings[0].note == f"by offset {newer.offset}"
    world.assert_equals_table()


def test_a_partial_change_since_is_folded_over_it(world: World, command: Command) -> None:
    member = world.member()
    world.table.insert(1, body="first")
    world.settle()
    world.table.update(1, body=POISON)
    world.settle()
    world.table.update(1, price=9, without=("body",))
    world.settle()
    assert world.index[1] == {"name": "n", "body": "first", "price": 0}
    world.heal()
    command.replay()
    assert command.states == ["replayed", "replayed"], "one write stands for both"
    world.assert_equals_table()
    assert not member.marks.is_marked(row(1))
