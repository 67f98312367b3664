"""Memory has a limit: at the limit reading stops, and goes on when there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.world import clock_of
from worker.flow.batching import BatchPolicy, BufferLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member, World

ROWS = 60


def fill(world: World) -> None:
    for row in range(ROWS):
        world.table.insert(row, body="x" * 500)


def until_paused(world: World, member: Member) -> None:
    """A full buffer only stops the polls at first; the pause comes after a second."""

    def is_paused() -> bool:
        clock_of(world).advance(0.5)
        return member.source.paused == set(world.table.places)

    world.until(is_paused)


def test_at_the_row_limit_all_partitions_pause_and_polling_goes_on(make_world: Worlds) -> None:
    world = make_world(buffer=BufferLimits(max_rows=10))
    fill(world)
    world.gate.hold("embed")
    member = world.member()
    until_paused(world, member)
    polls = member.source.polls
    member.step(200)
    assert member.source.polls == polls + 200
    assert member.task.buffered == 10
    world.gate.open()
    world.until(lambda: not member.source.paused)
    world.settle()
    world.assert_equals_table()


def test_never_more_rows_than_the_limit_are_held(make_world: Worlds) -> None:
    world = make_world(buffer=BufferLimits(max_rows=10))
    fill(world)
    member = world.member()
    world.until(watched(world, lambda: member.task.buffered <= 10))
    world.assert_equals_table()


def watched(world: World, holds: Callable[[], bool]) -> Callable[[], bool]:
    """Settled, and this held all the time."""

    def look() -> bool:
        assert holds()
        return world.is_settled

    return look


def test_at_the_byte_limit_reading_stops_too(make_world: Worlds) -> None:
    limit = 5_000
    world = make_world(
        buffer=BufferLimits(max_bytes=limit), batch=BatchPolicy(max_rows=2, max_in_flight=1)
    )
    for row in range(4):
        world.table.insert(row, body="x" * 2_000)
    world.gate.hold("embed")
    member = world.member()
    until_paused(world, member)
    for row in range(4, ROWS):
        world.table.insert(row, body="x" * 2_000)
    member.step(100)
    assert member.task.buffered == 4
    world.gate.open()
    world.settle()
    world.assert_equals_table()


def test_dead_letters_that_nobody_confirms_count_as_held(make_world: Worlds) -> None:
    world = make_world(buffer=BufferLimits(max_rows=10))
    member = world.member()
    member.letters.down()
    for row in range(ROWS):
        world.table.insert(row, body="poison")
    until_paused(world, member)
    assert member.counters.records == 10
    member.letters.up()
    world.settle()
    assert len(world.dead) == ROWS
