"""Reading topics beside their group: in memory, and over the real client on the mock cluster."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition

from worker.errors import RetriableError
from worker.model import TopicPartition
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.mock_cluster import PARTITIONS, MockCluster
from worker.source.port import Commit, Reach, Span, Standing
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.source.port import SpanReader

TOPIC = "products"
GROUP = "connect-products"
PLACES = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]


class Bench(Protocol):
    """A topic of four partitions with ten records each."""

    def commit(self, place: TopicPartition, offset: int) -> None: ...
    def reader(self) -> SpanReader: ...


class MemoryBench:
    def __init__(self) -> None:
        self._broker = MemoryBroker()
        self._broker.create_topic(TOPIC, PARTITIONS)
        for place in PLACES:
            for number in range(10):
                self._broker.produce(TOPIC, None, str(number).encode(), partition=place.partition)

    def commit(self, place: TopicPartition, offset: int) -> None:
        self._broker.group(GROUP).committed[place] = Commit(offset, Standing.CLEAN)

    def reader(self) -> SpanReader:
        return MemorySpanReader(self._broker, GROUP, Subscription((TOPIC,)))


class KafkaBench:
    def __init__(self, bootstrap: str) -> None:
        self._common = {"bootstrap.servers": bootstrap, "log_level": 2}
        producer = Producer(self._common)
        for place in PLACES:
            for number in range(10):
                producer.produce(TOPIC, str(number).encode(), partition=place.partition)
        assert producer.flush(30.0) == 0

    def commit(self, place: TopicPartition, offset: int) -> None:
        with closing(Consumer({**self._common, "group.id": GROUP})) as consumer:
            at = KafkaPartition(place.topic, place.partition, offset)
            consumer.commit(offsets=[at], asynchronous=False)

    def reader(self) -> SpanReader:
        member = {"group.id": GROUP, "auto.offset.reset": "earliest"}
        return KafkaSpanReader(
            KafkaSourceSettings({**self._common, **member}, self._common, Subscription((TOPIC,)))
        )


@pytest.fixture(params=["memory", "mock cluster"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "memory":
        yield MemoryBench()
        return
    with MockCluster() as cluster:
        yield KafkaBench(cluster.bootstrap_servers)


def read(reader: SpanReader, spans: dict[TopicPartition, Span]) -> dict[TopicPartition, list[int]]:
    found: dict[TopicPartition, list[int]] = {}
    for records in reader.read(spans):
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            found.setdefault(place, []).append(record.offset)
    return found


def test_what_is_ahead_begins_where_the_group_stands(bench: Bench) -> None:
    bench.commit(PLACES[1], 7)
    with closing(bench.reader()) as reader:
        ahead = dict(reader.ahead(10.0))
    assert ahead == {place: Span(0, 10) for place in PLACES} | {PLACES[1]: Span(7, 10)}


def test_standings_say_what_the_log_holds_and_what_was_committed(bench: Bench) -> None:
    bench.commit(PLACES[1], 7)
    with closing(bench.reader()) as reader:
        standings = dict(reader.standings(10.0))
    assert standings == {place: Reach(Span(0, 10), None, 0) for place in PLACES} | {
        PLACES[1]: Reach(Span(0, 10), 7, 7)
    }


def test_just_the_parts_are_read_in_order_and_again_in_the_next_round(bench: Bench) -> None:
    with closing(bench.reader()) as reader:
        first = read(reader, {PLACES[0]: Span(0, 3), PLACES[1]: Span(4, 6)})
        second = read(reader, {PLACES[0]: Span(8, 10), PLACES[2]: Span(5, 5)})
        everything = read(reader, {place: Span(0, 10) for place in PLACES})
    assert first == {PLACES[0]: [0, 1, 2], PLACES[1]: [4, 5]}
    assert second == {PLACES[0]: [8, 9]}
    assert everything == {place: list(range(10)) for place in PLACES}


def test_reading_moves_no_position(bench: Bench) -> None:
    with closing(bench.reader()) as reader:
        read(reader, {place: Span(0, 10) for place in PLACES})
        assert reader.ahead(10.0)[PLACES[0]] == Span(0, 10)


def test_a_broker_that_is_away_is_an_outage() -> None:
    settings = {"bootstrap.servers": "127.0.0.1:9", "log_level": 0}
    consumer = {**settings, "group.id": GROUP}
    source = KafkaSourceSettings(consumer, settings, Subscription((TOPIC,)))
    said = r"Kafka at 127\.0\.0\.1:9 does not answer: check bootstrap\.servers, and whether"
    with closing(KafkaSpanReader(source)) as reader, pytest.raises(RetriableError, match=said):
        reader.ahead(0.5)
