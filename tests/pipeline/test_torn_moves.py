"""Debezium dies when one half of a key change has reached Kafka, and sends both again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.world import clock_of

if TYPE_CHECKING:
    from tests.pipeline.world import World


def test_the_half_without_its_text_came_long_before_the_other(world: World) -> None:
    table = world.table
    world.member()
    table.insert(1, body="text")
    world.settle()
    table.arrive_alone(2, 1, without=["body"])
    while not world.dead:
        world.members[0].step()
        clock_of(world).advance(1.0)
    table.move(1, 2, without=["body"])
    table.update(2, price=3, without=["body"])
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.embedder.texts == 1
    assert world.dead == [(0, 0, "UnavailableColumn")]
