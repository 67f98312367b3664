"""What must be true of index, commits and dead letters, whatever happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.table import TOPIC, Moment, text_of
from tests.pipeline.world import POISON, row_of
from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pipeline.world import World
    from worker.model import Point


def assert_index_covers(world: World, next_offsets: Mapping[TopicPartition, int]) -> None:
    """Whatever is below the offsets is in the index (or the DLQ), and no row is a mixture.

    A row may be newer than the offsets demand, but then it is exactly what it was at some moment.
    """
    points, dead = world.points, {(partition, offset) for partition, offset, _ in world.dead}
    known = {row_id for _, row_id in world.table.history}
    assert points.keys() <= known
    for (partition, row_id), moments in world.table.history.items():
        end = next_offsets.get(TopicPartition(TOPIC, partition), 0)
        due = [
            moment.offset
            for moment in moments
            if moment.offset < end and (partition, moment.offset) not in dead
        ]
        newest = max(due, default=-1)
        point = points.get(row_id)
        if point is None:
            assert newest < 0 or _was_gone(moments, newest), f"row {row_id} is missing"
        else:
            _assert_is_a_moment(row_id, point, moments, newest)


def assert_letters_are_deserved(world: World) -> None:
    """Only rows that lack a column, and texts that the model refuses, are dead letters."""
    for partition, offset, kind in world.dead:
        row = _row_at(world, partition, offset)
        assert row is not None
        if kind == "TextRefused":
            assert POISON in text_of(row)
        else:
            assert kind == "UnavailableColumn"
            assert (partition, offset) in world.table.partial


def _row_at(world: World, partition: int, offset: int) -> dict[str, object] | None:
    for (place, _), moments in world.table.history.items():
        for moment in moments:
            if place == partition and moment.offset == offset:
                return moment.row
    raise AssertionError(f"nobody wrote {partition}@{offset}")


def _was_gone(moments: list[Moment], since: int) -> bool:
    return any(moment.row is None and moment.offset >= since for moment in moments)


def _assert_is_a_moment(row_id: int, point: Point, moments: list[Moment], newest: int) -> None:
    assert point.stamp is not None
    at = point.stamp.position.offset
    if at < newest:  # what changed nothing is not written
        (due,) = [moment for moment in moments if moment.offset == newest]
        assert due.row == row_of(point), f"row {row_id} is as of {at}, but {newest} is committed"
    (moment,) = [moment for moment in moments if moment.offset == at]
    assert moment.row == row_of(point), f"row {row_id} never was like this"
