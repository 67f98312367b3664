"""An outage is waited for; it never ends in the dead-letter topic, and polling goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import json_decoder
from worker.clock import FakeClock
from worker.decode.port import SchemaNeeded
from worker.errors import FatalError, RetriableError
from worker.flow.batching import BufferLimits
from worker.model import Record, TopicPartition

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World
    from worker.decode.port import NotARow
    from worker.model import Change, Key

LONG = 300


@pytest.mark.parametrize("method", ["fetch", "embed", "upsert"])
def test_during_an_outage_polling_goes_on_and_nothing_is_dead_lettered(
    world: World, method: str
) -> None:
    world.gate.cut_off(method)
    member = world.member()
    for row in range(10):
        world.table.insert(row)
    member.step(LONG)
    assert member.source.polls == LONG
    assert world.index == {}
    assert world.dead == []
    assert all(offset == 0 for offset in world.committed.values())
    world.gate.restore()
    world.settle()
    world.assert_equals_table()
    assert world.dead == []


def test_while_deletes_fail_nothing_is_committed_past_them(world: World) -> None:
    world.member()
    world.table.insert(0)
    world.settle()
    before = world.committed
    world.gate.cut_off("delete")
    world.table.delete(0)
    world.members[0].step(LONG)
    assert world.committed == before
    world.gate.restore()
    world.settle()
    assert world.index == {}


def test_what_the_provider_refuses_for_every_record_ends_the_task(make_world: Worlds) -> None:
    world = make_world()
    member = world.member()
    world.embedder.fail_next(FatalError("the key was revoked"))
    world.table.insert(1)
    with pytest.raises(FatalError, match="revoked"):
        world.settle()
    assert world.dead == []
    assert member.letters.records == []


def test_a_broker_that_is_down_and_comes_back_costs_nothing(world: World) -> None:
    member = world.member()
    world.table.insert(1)
    world.settle()
    world.broker.down()
    world.table.insert(2)
    member.step(LONG)
    assert world.index.keys() == {1}
    world.broker.up()
    world.settle()
    world.assert_equals_table()


def test_commits_that_an_outage_swallowed_are_sent_again(world: World) -> None:
    member = world.member()
    world.gate.hold("upsert")
    world.table.insert(1)
    world.until(lambda: world.gate.parked)
    world.broker.down()
    world.gate.open()
    world.until(lambda: member.task.buffered == 0)
    member.step(LONG)
    assert world.committed.get(TopicPartition(world.table.topic, 1), 0) == 0
    world.broker.up()
    world.settle()


class Reluctant:
    """A decoder that needs a schema for one partition, from a registry that is away at first."""

    def __init__(self, partition: int) -> None:
        self.inner = json_decoder(None)
        self.partition = partition
        self.is_away = True
        self.is_loaded = False

    def decode(self, record: Record) -> Change | NotARow:
        if record.partition == self.partition and not self.is_loaded:
            raise SchemaNeeded(7, record.topic)
        return self.inner.decode(record)

    def key(self, record: Record) -> Key | None:
        return self.inner.key(record)

    def load(self, needed: SchemaNeeded) -> None:
        if self.is_away:
            raise RetriableError("the registry is away", retry_after_s=0.1)
        self.is_loaded = True

    def close(self) -> None:
        self.inner.close()


def test_while_a_registry_is_away_the_other_partitions_go_on(make_world: Worlds) -> None:
    world = make_world()
    decoder = Reluctant(partition=1)
    member = world.member(decoder)
    for row in range(10):
        world.table.insert(row)
    there, stuck = world.table.places
    world.until(lambda: world.committed.get(there) == world.end(there))
    assert world.index.keys() == {0, 2, 4, 6, 8}
    world.until(lambda: member.source.paused == {stuck})
    assert world.committed.get(stuck, 0) == 0
    decoder.is_away = False
    world.settle()
    world.assert_equals_table()
    assert member.source.paused == set()
    assert world.dead == []


def test_a_schema_that_is_on_its_way_pauses_nothing(make_world: Worlds) -> None:
    world = make_world(clock=FakeClock())
    decoder = Reluctant(partition=1)
    decoder.is_away = False
    member = world.member(decoder)
    for row in range(10):
        world.table.insert(row)
    world.until(lambda: len(world.index) == 10)
    assert member.source.pauses == 0


def test_what_waits_for_a_schema_that_is_on_its_way_stays_bounded(make_world: Worlds) -> None:
    world = make_world(buffer=BufferLimits(max_rows=40))
    member = world.member(Reluctant(partition=1))
    for row in range(200):
        world.table.insert(row)
    for _ in range(20):
        member.step()
        assert member.task.buffered + member.task._intake.rows <= 40
    world.until(lambda: world.committed.get(world.table.places[0]) == 100)
