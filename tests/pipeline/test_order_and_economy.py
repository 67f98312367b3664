"""Each row ends as its newest change says, and no text is paid for twice."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.pipeline.gate import Gate
from worker.flow.batching import BatchPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World


class Jittering(Gate):
    """Lets waiting calls pass in any order, some of them much later than others."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(7)
        self.most_at_once = 0

    def let_some_pass(self) -> None:
        parked = self.parked
        self.most_at_once = max(self.most_at_once, len(parked))
        for call in parked:
            if self.random.random() < 0.6:
                self.release(call)


def test_each_key_is_written_in_its_order_with_batches_in_flight_and_uneven_latency(
    make_world: Worlds,
) -> None:
    world = make_world(guarded=False, batch=BatchPolicy(max_rows=2, max_in_flight=4))
    gate = Jittering()
    use(world, gate)
    gate.hold("fetch", "embed", "upsert", "delete")
    world.member()
    draw = random.Random(3)
    for number in range(300):
        row = draw.randrange(8)
        if row not in world.table.rows:
            world.table.insert(row, price=number)
        elif draw.random() < 0.2:
            world.table.delete(row)
        else:
            world.table.update(row, price=number, body=f"body {draw.randrange(3)}")
        for _ in range(4):
            world.members[0].step()
            gate.let_some_pass()

    def is_settled() -> bool:
        gate.let_some_pass()
        return world.is_settled

    world.until(is_settled)
    world.assert_equals_table()
    writes = world.gated_store.writes
    for written in {point_id for _, point_id, _ in writes}:
        offsets = [offset for _, point_id, offset in writes if point_id == written]
        assert offsets == sorted(set(offsets))
    assert gate.most_at_once > 1
    assert len(writes) > 30


def use(world: World, gate: Gate) -> None:
    """Put another gate in front of the same store and embedder."""
    world.gate = gate
    world.gated_store._gate = gate
    world.gated_embedder._gate = gate


def test_a_key_is_never_in_two_batches_at_once(make_world: Worlds) -> None:
    world = make_world(batch=BatchPolicy(max_rows=1, max_in_flight=4))
    world.gate.hold("embed")
    member = world.member()
    world.table.insert(1)
    world.until(lambda: world.gate.parked)
    world.table.update(1, body="newer")
    member.step(20)
    assert member.task.in_flight == 1
    world.table.insert(2)
    world.until(lambda: len(world.gate.parked) == 2)
    world.gate.open()
    world.settle()
    world.assert_equals_table()


def test_changes_of_a_row_that_wait_together_become_one_write(world: World) -> None:
    world.table.insert(1)
    for price in range(50):
        world.table.update(1, price=price, body=f"body {price}")
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == 1
    assert world.outcomes == {"superseded": 50, "written": 1}
    assert world.gated_store.writes == [("upsert", "1", 50)]


def test_a_swallowed_row_keeps_the_column_that_the_newer_one_could_not_send(world: World) -> None:
    world.table.insert(1, body="only here")
    world.table.update(1, price=5, without=("body",))
    world.table.update(1, price=6, without=("body",))
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.dead == []


def test_a_restart_embeds_nothing_again(world: World) -> None:
    world.member()
    for row in range(10):
        world.table.insert(row)
    world.settle()
    texts = world.embedder.texts
    world.crash(world.members[0])
    world.table.update(1, price=99)
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == texts


def test_a_snapshot_of_what_the_index_holds_embeds_nothing(world: World) -> None:
    world.member()
    for row in range(10):
        world.table.insert(row, name=f"name {row}")
    world.settle()
    texts = world.embedder.texts
    for row in range(10):
        world.table.read_again(row)
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == texts


def test_setting_the_group_back_to_the_start_writes_nothing_old_and_embeds_nothing(
    world: World,
) -> None:
    world.member()
    for price in range(5):
        for row in range(6):
            change_of(world, row)(price)
        world.settle()
    texts, points = world.embedder.texts, world.points
    world.stop(world.members[0])
    world.rewind()
    world.gated_store.writes.clear()
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts == texts
    assert world.gated_store.writes == []
    assert world.points == points


def change_of(world: World, row: int) -> Callable[[int], object]:
    def change(price: int) -> object:
        if row in world.table.rows:
            return world.table.update(row, price=price, body=f"body {price}")
        return world.table.insert(row, price=price)

    return change


def test_rows_with_equal_texts_share_one_embedding_within_a_batch(make_world: Worlds) -> None:
    world = make_world(batch=BatchPolicy(max_rows=50))
    for row in range(20):
        world.table.insert(row, price=row)
    world.member()
    world.settle()
    world.assert_equals_table()
    assert world.embedder.texts < 20
