"""Records that Debezium's transform has flattened, whose deletes are tombstones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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


def hurry(member: Member, world: World) -> None:
    """One worker is fast, while the others stand still."""
    for _ in range(40):
        member.step()
        clock_of(world).advance(0.1)


def test_rows_that_leave_one_key_one_after_the_other_are_told_apart(make_world: Worlds) -> None:
    world = make_world(partitions=2)
    table = world.table = FlatTable(world.broker, 2)
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
