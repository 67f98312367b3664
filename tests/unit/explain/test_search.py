"""Looking for a row from the end of all partitions backwards."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import json_decoder
from worker.clock import FakeClock
from worker.errors import ConfigError
from worker.estimate.stored import Waiting
from worker.explain.reading import Reading
from worker.explain.search import Search
from worker.explain.wanted import Wanted
from worker.pipeline.patience import Patience
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from worker.explain.search import Trail

TOPIC = "products"
ROWS = 60_000


@pytest.fixture(scope="module")
def broker() -> MemoryBroker:
    """Two partitions whose records grow older to their beginnings, side by side."""
    made = MemoryBroker()
    made.create_topic(TOPIC, 2)
    for row in range(ROWS):
        put(made, row, partition=row % 2, timestamp_ms=1_000 + row)
    return made


def put(broker: MemoryBroker, row: int, *, partition: int, timestamp_ms: int) -> None:
    key = json.dumps({"id": row}).encode()
    broker.produce(TOPIC, key, b"{", partition=partition, timestamp_ms=timestamp_ms)


def find(broker: MemoryBroker, row: int | str, limit: int | None = None) -> Trail:
    patience = Patience(abort=threading.Event(), clock=FakeClock(), timeout_s=1.0)
    reader = MemorySpanReader(broker, "connect-products", Subscription((TOPIC,)))
    reading = Reading(json_decoder(frozenset()), Waiting(patience))
    search = Search(reader, reading, Wanted.parse(str(row)))
    return search.find(reader.standings(1.0), limit, lambda records: None)


@pytest.mark.parametrize("row", [0, 1, 31_337, ROWS - 12_002, ROWS - 1])
def test_a_row_is_found_wherever_it_is(broker: MemoryBroker, row: int) -> None:
    trail = find(broker, row)
    assert trail.newest is not None
    assert trail.newest.timestamp_ms == 1_000 + row


def test_a_new_row_is_found_without_reading_everything(broker: MemoryBroker) -> None:
    trail = find(broker, ROWS - 1)
    assert trail.read < ROWS / 2
    assert not trail.is_whole


def test_a_row_that_is_nowhere_costs_everything(broker: MemoryBroker) -> None:
    trail = find(broker, -1)
    assert trail.newest is None
    assert (trail.read, trail.is_whole) == (ROWS, True)


def test_a_text_is_no_key_where_keys_are_whole_numbers(broker: MemoryBroker) -> None:
    for key in ("x", "id=x"):
        with pytest.raises(ConfigError, match="KEY: key column id is a whole number, got 'x'"):
            find(broker, key)


@pytest.mark.parametrize("limit", [1, 2, 999, 5_000, 12_345])
def test_a_limit_is_kept_and_used_up(broker: MemoryBroker, limit: int) -> None:
    trail = find(broker, -1, limit)
    assert limit - 2 < trail.read <= limit
    assert not trail.is_whole


def test_a_newer_record_far_back_in_another_partition_is_not_missed() -> None:
    """Partition 0 ends long before partition 1 does, so its end is not where its newest are."""
    broker = MemoryBroker()
    broker.create_topic(TOPIC, 2)
    put(broker, 7, partition=1, timestamp_ms=10)
    put(broker, 7, partition=0, timestamp_ms=20)
    for number in range(5_000):
        put(broker, 100 + number, partition=0, timestamp_ms=30 + number)
    trail = find(broker, 7)
    assert trail.newest is not None
    assert trail.newest.partition == 0
    assert [record.timestamp_ms for record in trail.records] == [10, 20]


def test_keys_that_nobody_can_read_are_counted() -> None:
    broker = MemoryBroker()
    broker.create_topic(TOPIC, 1)
    broker.produce(TOPIC, b"{", b"{}")
    broker.produce(TOPIC, None, b"{}")
    trail = find(broker, 7)
    assert (trail.read, trail.unreadable) == (2, 1)
