from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.world import World


def test_after_a_snapshot_and_the_changes_that_follow_the_index_equals_the_table(
    world: World,
) -> None:
    table = world.table
    for row in range(20):
        table.rows[row] = {"name": f"name {row}", "body": "long", "price": row}
        table.read_again(row)
    world.member()
    world.settle()
    world.assert_equals_table()
    for row in range(10):
        table.update(row, price=100 + row)
        table.update(row, name=f"new {row % 3}")
    for row in range(5, 15):
        table.delete(row)
    for row in range(8, 25):
        if row not in table.rows:
            table.insert(row, name="again")
    world.settle()
    world.assert_equals_table()
    assert world.dead == []
