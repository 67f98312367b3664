"""Where a group stands in all partitions, and what it takes to see that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.model import TopicPartition
from worker.pipeline.heads import Heads
from worker.pipeline.patience import Patience
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.port import Commit, Standing
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.model import Record
    from worker.source.memory_log import PartitionLog
    from worker.source.port import Reach, Span

TOPIC = "orders"
GROUP = "connect-orders"
MANY = 50
PLACES = [TopicPartition(TOPIC, number) for number in range(3)]


class CountingReader:
    """Counts the records that it had to read."""

    def __init__(self, inner: MemorySpanReader) -> None:
        self.records = 0
        self._inner = inner

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        return self._inner.ahead(timeout_s)

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        return self._inner.standings(timeout_s)

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        for batch in self._inner.read(spans):
            self.records += len(batch)
            yield batch

    def close(self) -> None:
        self._inner.close()


class Scene:
    """A topic of three partitions with many records each, and a group that has read none."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.broker.create_topic(TOPIC, len(PLACES))
        for place in PLACES:
            for number in range(MANY):
                key = str(number).encode()
                self.broker.produce(
                    TOPIC, key, b"{}", partition=place.partition, timestamp_ms=1_000 + number
                )
        inner = MemorySpanReader(self.broker, GROUP, Subscription((TOPIC,)))
        self.reader = CountingReader(inner)
        clock = FakeClock()
        patience = Patience(abort=threading.Event(), clock=clock)
        self.heads = Heads(lambda: self.reader, patience, clock)

    def log(self, place: TopicPartition) -> PartitionLog:
        found = self.broker.log(place)
        assert found is not None
        return found

    def commit(self, place: TopicPartition, offset: int) -> None:
        self.broker.group(GROUP).committed[place] = Commit(offset, Standing.CLEAN)

    def offsets(self) -> dict[TopicPartition, int]:
        return {place: head.offset for place, head in self.heads.of([TOPIC]).items()}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_of_each_partition_one_record_is_read(scene: Scene) -> None:
    scene.commit(PLACES[1], 7)
    assert scene.offsets() == {PLACES[0]: 0, PLACES[1]: 7, PLACES[2]: 0}
    assert scene.reader.records == len(PLACES)


def test_what_is_committed_to_its_end_has_none(scene: Scene) -> None:
    scene.commit(PLACES[0], MANY)
    assert scene.offsets() == {PLACES[1]: 0, PLACES[2]: 0}


def test_one_that_ends_in_the_marker_of_a_transaction_has_none_and_no_other_is_read_for_it(
    scene: Scene,
) -> None:
    scene.log(PLACES[0]).skip()
    scene.commit(PLACES[0], MANY)
    assert scene.offsets() == {PLACES[1]: 0, PLACES[2]: 0}
    assert scene.reader.records == len(PLACES) - 1


def test_where_compaction_left_a_gap_it_is_the_next_record(scene: Scene) -> None:
    scene.broker.produce(TOPIC, b"0", b"{}", partition=0)
    scene.log(PLACES[0]).compact()
    assert scene.offsets() == {PLACES[0]: 1, PLACES[1]: 0, PLACES[2]: 0}


def test_other_topics_are_not_looked_at(scene: Scene) -> None:
    assert scene.heads.of(["others"]) == {}
    assert scene.reader.records == 0
