"""Every kind of client goes on after a Kafka that said at its end that it has no brokers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicCollection,
)

from tests.contract.ending_kafka import OFTEN, ending_kafka
from tests.contract.kafka_cluster import CLASSIC, QUIET
from tests.contract.source_contract import Member, clean, turn
from tests.contract.state_contract import DEADLINE_S, Notes, append, eventually
from worker.clock import FakeClock
from worker.errors import RetriableError
from worker.lasting import LastingAdmin, LastingConsumer, LastingProducer
from worker.model import TopicPartition
from worker.rebootstrap import Rebootstrap, librdkafka
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka import KafkaSource
from worker.source.kafka_slots import KafkaSlots, KafkaSlotsSettings
from worker.source.mock_cluster import PARTITIONS, MockCluster
from worker.source.subscription import Subscription
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.topic import StateTopicSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.ending_kafka import EndingKafka

Use = Callable[[Rebootstrap], tuple[object, Callable[[], object]]]
"""Makes a client that knows no broker, and says what it is used for."""

TOPIC = "rows"
PLACE = TopicPartition(TOPIC, 0)


def polling(rebootstrap: Rebootstrap) -> tuple[object, Callable[[], object]]:
    consumer = LastingConsumer({"group.id": "g", **QUIET}, rebootstrap)
    return consumer, lambda: consumer.poll(0)


def consuming(rebootstrap: Rebootstrap) -> tuple[object, Callable[[], object]]:
    consumer = LastingConsumer({"group.id": "g", **QUIET}, rebootstrap)
    return consumer, lambda: consumer.consume(1, 0)


def producing(rebootstrap: Rebootstrap) -> tuple[object, Callable[[], object]]:
    producer = LastingProducer({**OFTEN, **QUIET}, rebootstrap)
    producer.produce(TOPIC, b"waits")
    return producer, lambda: producer.poll(0)


def asking(question: Callable[[LastingAdmin], object]) -> Use:
    def use(rebootstrap: Rebootstrap) -> tuple[object, Callable[[], object]]:
        admin = LastingAdmin({**OFTEN, **QUIET}, rebootstrap)

        def ask() -> None:
            with suppress(KafkaException):
                question(admin)

        return admin, ask

    return use


GROUPS = ["a-group"]
USES = {
    "poll a consumer": polling,
    "consume": consuming,
    "poll a producer": producing,
    "topics": asking(lambda admin: admin.list_topics(timeout=0.1)),
    "ids": asking(lambda admin: admin.describe_topics(TopicCollection([TOPIC]))),
    "groups": asking(lambda admin: admin.describe_consumer_groups(GROUPS)),
    "offsets": asking(
        lambda admin: admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(one) for one in GROUPS]
        )
    ),
}


@pytest.fixture
def kafka() -> Iterator[EndingKafka]:
    with ending_kafka() as kafka:
        write(kafka, b"before")
        yield kafka


def test_the_state_goes_on_and_what_was_posted_meanwhile_keeps_its_order(
    kafka: EndingKafka,
) -> None:
    common = properties(kafka)
    consumer = {**common, "group.id": "g", "fetch.wait.max.ms": 5}
    spec = StateTopicSpec("state")
    topic = KafkaStateTopic(
        KafkaStateSettings(spec, consumer, common, common, append_timeout_s=1.0)
    )
    notes = Notes()
    topic.attach("", notes)
    append(topic, "before", {})
    with kafka.away():
        topic.post("posted", {"n": 1})
        with pytest.raises(RetriableError):
            topic.append("in doubt", {"n": 2})
        topic.post("posted", {"n": 3})
    topic.read_up_to(append(topic, "after", {}), DEADLINE_S)
    topic.close(5.0)
    assert [(key, (value or {}).get("n")) for key, value in notes.records] == [
        ("before", None),
        ("posted", 1),
        ("in doubt", 2),
        ("posted", 3),
        ("after", None),
    ]


def test_a_member_of_a_group_reads_on_and_commits(kafka: EndingKafka) -> None:
    member = Member(KafkaSource(member_settings(kafka, "members")))
    turn([member], lambda: member.values == [b"before"])
    with kafka.away():
        pass
    write(kafka, b"after")
    turn([member], lambda: member.values[-1] == b"after")
    commit = {PLACE: clean(2)}
    turn([member], lambda: member.source.commit_now(commit, 1.0))
    member.source.close()


def test_tasks_are_leased_again(kafka: EndingKafka) -> None:
    held = frozenset(range(PARTITIONS))
    first, second = (KafkaSlots(slots_settings(kafka)) for _ in range(2))
    eventually(lambda: bool(first.held() and second.held()))
    with kafka.away():
        pass
    first.close()
    eventually(lambda: second.held() == held)
    second.close()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_whoever_uses_a_client_has_it_told_of_its_servers(use: Use) -> None:
    with MockCluster() as mock:
        clock = FakeClock()
        client, call = use(Rebootstrap(mock.bootstrap_servers, clock=clock))
        call()
        assert not librdkafka().knows_brokers(client)
        clock.advance(3600.0)
        call()
        eventually(lambda: librdkafka().knows_brokers(client))


def test_a_closed_client_is_left_alone() -> None:
    clock = FakeClock()
    consumer, poll = polling(Rebootstrap("127.0.0.1:9", clock=clock))
    assert isinstance(consumer, LastingConsumer)
    consumer.close()
    clock.advance(3600.0)
    with pytest.raises(RuntimeError):
        poll()


def properties(kafka: EndingKafka) -> dict[str, Any]:
    return {"bootstrap.servers": kafka.bootstrap, **OFTEN, **QUIET}


def member_settings(kafka: EndingKafka, group: str) -> KafkaSourceSettings:
    common = properties(kafka)
    member = {**CLASSIC, **common, "group.id": group, "auto.offset.reset": "earliest"}
    return KafkaSourceSettings(member, common, Subscription((TOPIC,)), close_timeout_s=5.0)


def slots_settings(kafka: EndingKafka) -> KafkaSlotsSettings:
    common = properties(kafka)
    return KafkaSlotsSettings(
        TOPIC, PARTITIONS, {**CLASSIC, **common, "group.id": "slots"}, common, 6.0
    )


def write(kafka: EndingKafka, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap, **QUIET})
    producer.produce(TOPIC, value, partition=PLACE.partition)
    assert producer.flush(DEADLINE_S) == 0
