"""A group is set back to before keys changed: texts are in the index, under today's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.table import TOPIC
from worker.document.chunking import Chunking

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World


@pytest.fixture(params=[False, True], ids=["unguarded", "guarded"])
def world(request: pytest.FixtureRequest, make_world: Worlds) -> World:
    return make_world(guarded=request.param)


def contents(world: World) -> dict[str, tuple[object, str]]:
    """Metadata and fingerprint of each point."""
    return {
        name: (point.metadata, point.stamp.fingerprint if point.stamp else "")
        for name, point in world.store.points(TOPIC).items()
    }


def assert_free_of_charge(world: World, workers: int = 2) -> None:
    """Set back, and as a new group."""
    world.settle()
    before, paid = contents(world), world.embedder.texts
    for begin_again in (world.rewind, world.found_group):
        for member in list(world.members):
            world.stop(member)
        begin_again()
        for _ in range(workers):
            world.member()
        world.settle()
        assert contents(world) == before
        assert world.dead == []
        assert world.embedder.texts == paid


def test_a_row_that_moved(world: World) -> None:
    world.member()
    world.table.insert(1, body="text")
    world.settle()
    world.table.move(1, 2)
    assert_free_of_charge(world)


def test_a_row_that_moved_without_its_text(world: World) -> None:
    world.member()
    world.table.insert(1, body="text")
    world.table.update(1, price=3)
    world.settle()
    world.table.move(1, 2, without=["body"])
    assert_free_of_charge(world)


def test_a_row_that_moved_on_and_on(world: World) -> None:
    world.member()
    world.table.insert(1, body="text")
    world.settle()
    for old in range(1, 6):
        world.table.move(old, old + 1, without=["body"] if old % 2 else [])
    assert_free_of_charge(world, workers=1)  # of two, each would know a part of the way


def test_rows_that_changed_places(world: World) -> None:
    world.member()
    world.table.insert(1, body="one")
    world.table.insert(2, body="two")
    world.settle()
    world.table.move(1, 0)
    world.table.move(2, 1)
    world.table.move(0, 2)
    assert_free_of_charge(world)


def test_all_rows_move_by_one(world: World) -> None:
    world.member()
    for row in range(1, 6):
        world.table.insert(row, body=f"text {row}")
    world.settle()
    for row in range(5, 0, -1):
        world.table.move(row, row + 1)
    assert_free_of_charge(world)


def test_a_row_in_chunks_that_moved(make_world: Worlds) -> None:
    world = make_world(chunking=Chunking(12))
    world.member()
    chapters = [f"This chapter is about {word} and more." for word in ("one", "two", "six")]
    world.table.insert(1, body="\n\n".join(chapters))
    world.settle()
    world.table.move(1, 2)
    assert_free_of_charge(world)
