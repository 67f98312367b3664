"""KafkaSource keeps the promises of a source on librdkafka's mock cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from confluent_kafka import TopicPartition as KafkaPartition

from tests.contract.kafka_cluster import QUIET, KafkaCluster
from tests.contract.source_contract import Member, SourceContract, clean, fresh, places, turn, turns
from worker.errors import ConfigError, RetriableError
from worker.model import TopicPartition
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka import KafkaSource
from worker.source.mock_cluster import MockCluster
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def by_looking_for_it(mock: MockCluster) -> Callable[[str], None]:
    """The mock cluster makes a topic, always with four partitions, when a producer asks for it."""
    producer = Producer({"bootstrap.servers": mock.bootstrap_servers, **QUIET})
    return lambda topic: producer.list_topics(topic, timeout=10.0) and None


@pytest.fixture
def mock() -> Iterator[MockCluster]:
    with MockCluster() as mock:
        yield mock


class TestKafkaSourceOnMockCluster(SourceContract):
    @pytest.fixture
    def cluster(self, mock: MockCluster) -> KafkaCluster:
        return KafkaCluster(mock.bootstrap_servers, by_looking_for_it(mock))


def test_a_cluster_that_is_gone_is_silence_and_does_not_hold_up_closing(mock: MockCluster) -> None:
    topic = fresh("gone")
    cluster = KafkaCluster(mock.bootstrap_servers, by_looking_for_it(mock))
    cluster.write(topic, b"k", b"v", 0)
    member = Member(cluster.source(fresh("group"), Subscription((topic,))))
    turn([member], lambda: len(member.records) == 1 and member.held == places(topic))
    assert member.records[0].topic_id == ""
    mock.close()
    turns([member], 10)
    place = TopicPartition(topic, 0)
    member.source.commit({place: clean(1)})
    assert not member.source.commit_now({place: clean(1)}, 1.0)
    with pytest.raises(RetriableError):
        member.source.ends(1.0)
    assert member.source.committed() == {}
    member.source.close()
    assert member.held == set()


def test_settings_that_librdkafka_does_not_know_are_the_users_mistake() -> None:
    nonsense = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "no.such.setting": "1"}
    source = KafkaSource(KafkaSourceSettings(nonsense, {}, Subscription(("t",))))
    with pytest.raises(ConfigError, match=r"no\.such\.setting"):
        source.start(None)  # type: ignore[arg-type]  # it does not come that far


def test_what_librdkafka_hands_out_twice_comes_again_without_a_gap(mock: MockCluster) -> None:
    topic = fresh("twice")
    producer = Producer({"bootstrap.servers": mock.bootstrap_servers, **QUIET})
    for number in range(3_000):
        producer.produce(topic, b"%d" % number, partition=0)
    assert producer.flush(10) == 0
    settings = KafkaCluster(mock.bootstrap_servers, by_looking_for_it(mock))
    source = settings.source(fresh("group"), Subscription((topic,)))
    member = Member(source)
    turn([member], lambda: len(member.records) >= 700)
    assert isinstance(source, KafkaSource)
    source._member.seek(KafkaPartition(topic, 0, 100))
    turn([member], lambda: member.records[-1].offset == 2_999)
    source.close()
    offsets = [record.offset for record in member.records]
    back = next(at for at, offset in enumerate(offsets[1:], 1) if offset <= offsets[at - 1])
    assert offsets[:back] == list(range(back))
    assert offsets[back:] == list(range(100, 3_000))
