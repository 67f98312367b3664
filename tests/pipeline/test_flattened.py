"""Records that Debezium's transform has flattened, with and without ``add.fields``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.table import Row, Table
from tests.pipeline.world import clock_of

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member, World
    from worker.model import Headers, Record


class FlatTable(Table):
    """A tombstone tells neither position nor time of its delete, but where its row went."""

    def delete(self, row_id: int, *, headers: Headers = ()) -> Record:
        del self.rows[row_id]
        self._commits += 1
        return self._note(row_id, self._produce(row_id, None, headers), None)

    def _send(self, op: str, row_id: int, after: Row | None, headers: Headers) -> Record:
        source: dict[str, Any] = {f"__{name}": value for name, value in self._source().items()}
        source["__source_ts_ms"] = source.pop("__ts_ms")
        value = json.dumps({**(after or {}), **source, "__op": op}).encode()
        return self._note(row_id, self._produce(row_id, value, headers), self.rows.get(row_id))


class BareTable(FlatTable):
    """Without ``add.fields`` no record tells a position or a time in the source."""

    def _send(self, op: str, row_id: int, after: Row | None, headers: Headers) -> Record:
        value = json.dumps(after).encode()
        return self._note(row_id, self._produce(row_id, value, headers), self.rows.get(row_id))


class RewrittenTable(Table):
    """The same with ``delete.tombstone.handling.mode=rewrite-with-tombstone``."""

    def _send(self, op: str, row_id: int, after: Row | None, headers: Headers) -> Record:
        is_deleted = "true" if op == "d" else "false"
        value = json.dumps({**(after or {"id": row_id}), "__deleted": is_deleted}).encode()
        return self._note(row_id, self._produce(row_id, value, headers), self.rows.get(row_id))


@pytest.fixture(params=[FlatTable, BareTable, RewrittenTable])
def kind(request: pytest.FixtureRequest) -> type[Table]:
    made: type[Table] = request.param
    return made


def hurry(member: Member, world: World) -> None:
    """One worker is fast, while the others stand still."""
    for _ in range(40):
        member.step()
        clock_of(world).advance(0.1)


def test_rows_that_leave_one_key_one_after_the_other_are_told_apart(
    make_world: Worlds, kind: type[Table]
) -> None:
    world = make_world(partitions=2)
    table = world.table = kind(world.broker, 2)
    members = [world.member(), world.member()]
    world.until(lambda: all(len(one.source.held) == 1 for one in members))
    ahead = next(one for one in members if {place.partition for place in one.source.held} == {1})
    table.insert(1, body="one")
    table.insert(3, body="three")
    world.settle()
    for row, new in ((1, 4), (3, 6)):
        table.move(row, 9)
        table.move(9, new, without=["body"])
    hurry(ahead, world)
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.dead == []


def test_a_row_whose_text_does_not_come_with_its_new_key_keeps_its_vector(
    world: World, kind: type[Table]
) -> None:
    table = world.table = kind(world.broker, 2)
    world.member()
    table.insert(1, body="one")
    world.settle()
    table.move(1, 2, without=["body"])
    world.settle()
    table.move(2, 4)
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.dead == []
    assert world.embedder.texts == 1


def test_a_row_that_took_the_key_of_another_gets_its_own_vector(
    world: World, kind: type[Table]
) -> None:
    table = world.table = kind(world.broker, 2)
    world.member()
    table.insert(1, body="one")
    table.insert(2, body="two")
    world.settle()
    for row, new in ((1, 9), (2, 1), (9, 2)):
        table.move(row, new, without=["body"])
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.dead == []


def test_the_vector_of_an_earlier_way_between_the_same_keys_is_not_taken(
    make_world: Worlds, kind: type[Table]
) -> None:
    world = make_world(partitions=2)
    table = world.table = kind(world.broker, 2)
    members = [world.member(), world.member()]
    world.until(lambda: all(len(one.source.held) == 1 for one in members))
    ahead = next(one for one in members if {place.partition for place in one.source.held} == {0})
    table.insert(1, body="one")
    world.settle()
    table.move(1, 2)
    hurry(ahead, world)  # takes the vector from the old place, so what is parked then stays
    world.settle()
    table.move(2, 1)
    table.update(1, body="other")
    table.pass_time(120_000)
    table.move(1, 2, without=["body"])
    hurry(ahead, world)
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.dead == []


@pytest.mark.parametrize("lacks", [(), ("body",)], ids=["whole", "partial"])
def test_rows_that_change_places_by_the_same_spare_key_one_after_the_other(
    world: World, kind: type[Table], lacks: tuple[str, ...]
) -> None:
    table = world.table = kind(world.broker, 2)
    world.member()
    for row in (2, 3, 4):
        table.insert(row, body=f"of {row}")
    world.settle()
    for row, new in ((2, 9), (3, 2), (9, 3)):
        table.move(row, new, without=lacks)
    world.settle()
    for row, new in ((2, 9), (3, 2), (4, 3), (9, 4)):
        table.move(row, new, without=lacks)
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.dead == []
    assert world.embedder.texts == 3


def test_debezium_sends_a_key_change_again(world: World, kind: type[Table]) -> None:
    table = world.table = kind(world.broker, 2)
    world.member()
    table.insert(1, body="one")
    world.settle()
    created = table.move(1, 2, without=["body"])
    world.settle()
    world.broker.produce(
        created.topic,
        created.key,
        created.value,
        partition=created.partition,
        headers=created.headers,
        timestamp_ms=created.timestamp_ms,
    )
    world.settle()
    world.assert_equals_table()
    world.assert_vectors_fit()
    assert world.dead == []
