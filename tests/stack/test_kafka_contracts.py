"""Source, dead letters and state on a real broker: contracts, and what only a real one can show."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from tests.contract.dlq_contract import (
    LIMIT_BYTES,
    SENDER,
    DeadLetterContract,
    LimitedTopicContract,
    confirm,
    letter,
)
from tests.contract.kafka_cluster import CLASSIC, CONSUMER, QUIET, KafkaCluster
from tests.contract.kafka_dead_letters import KafkaDeadLetterTopic
from tests.contract.kafka_state import KafkaGroup
from tests.contract.source_contract import Member, SourceContract, clean, fresh, places, turn, turns
from tests.contract.spend_contract import SpendContract, purse_of, reserve
from tests.contract.state_contract import DEADLINE_S, Notes, StateContract, append
from tests.unit.spend.pods import spend_greedily
from worker.dlq.kafka import KafkaDeadLetterQueue, KafkaDeadLetterSettings
from worker.dlq.topic import TopicSpec
from worker.errors import FatalError, RetriableError
from worker.model import TopicPartition
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.stack import Stack

AWAY_S = 11.0
"""Longer than the members' session of 6 s."""
OFTEN = {"topic.metadata.refresh.interval.ms": 20}


def classic(stack: Stack) -> KafkaCluster:
    return KafkaCluster(
        stack.kafka.bootstrap, lambda topic: stack.kafka.topics.create(topic, partitions=4)
    )


class TestKafkaSource(SourceContract):
    @pytest.fixture
    def cluster(self, stack: Stack) -> KafkaCluster:
        return classic(stack)


class TestKafkaSourceWithTheNewGroupProtocol(SourceContract):
    @pytest.fixture
    def cluster(self, stack: Stack) -> KafkaCluster:
        return KafkaCluster(stack.kafka.bootstrap, classic(stack).create, CONSUMER)


class TestKafkaDeadLetters(DeadLetterContract, LimitedTopicContract):
    @pytest.fixture
    def topic(self, stack: Stack) -> KafkaDeadLetterTopic:
        limited = fresh("dlq-limited")
        stack.kafka.topics.create(limited, partitions=1, max_message_bytes=str(LIMIT_BYTES))
        return KafkaDeadLetterTopic(stack.kafka.bootstrap, fresh("dlq"), limited)


@pytest.fixture
def group(stack: Stack) -> Iterator[KafkaGroup]:
    made = KafkaGroup(stack.kafka.bootstrap, fresh("state"))
    yield made
    made.close()


class TestKafkaStateTopic(StateContract):
    pass


class TestBudgetOnKafka(SpendContract):
    pass


def test_records_carry_the_id_that_kafka_gave_the_topic(stack: Stack) -> None:
    cluster, topic = classic(stack), fresh("named")
    cluster.create(topic)
    cluster.write(topic, b"k", b"v", 0)
    member = Member(cluster.source(fresh("group"), Subscription((topic,))))
    turn([member], lambda: len(member.records) == 1)
    member.source.close()
    assert member.records[0].topic_id == as_java_writes(stack.kafka.topics.topic_id(topic))


@pytest.mark.parametrize("count", [3, 40], ids=["shorter than before", "longer than before"])
def test_a_topic_made_anew_is_read_whole_under_its_new_id(stack: Stack, count: int) -> None:
    cluster, topic = classic(stack), fresh("anew")
    place = TopicPartition(topic, 0)
    cluster.create(topic)
    for number in range(20):
        cluster.write(topic, b"k", b"old %d" % number, 0)
    member = Member(cluster.source(fresh("group"), Subscription((topic,))))
    turn([member], lambda: len(member.records) == 20)
    assert member.source.commit_now({place: clean(20)}, 10.0)

    stack.kafka.topics.delete(topic)
    cluster.create(topic)
    for number in range(count):
        cluster.write(topic, b"k", b"new %d" % number, 0)
    new_id = as_java_writes(stack.kafka.topics.topic_id(topic))

    def has_all() -> bool:
        named = [one.value for one in member.records if one.topic_id == new_id]
        return named == [b"new %d" % number for number in range(count)]

    turn([member], has_all)
    assert member.source.commit_now({place: clean(count)}, 10.0)
    member.source.close()


def test_a_broker_that_restarts_is_waited_for_and_commits_get_through(stack: Stack) -> None:
    cluster, topic = classic(stack), fresh("restart")
    place = TopicPartition(topic, 0)
    cluster.create(topic)
    cluster.write(topic, b"k", b"before", 0)
    member = Member(cluster.source(fresh("group"), Subscription((topic,))))
    turn([member], lambda: len(member.records) == 1 and member.held == places(topic))

    with ThreadPoolExecutor(1) as side:
        stack.kafka.stop()
        back = side.submit(come_back, stack)
        member.source.commit({place: clean(1)})
        assert not member.source.commit_now({place: clean(1)}, 1.0)
        turns([member], 20)
        assert member.values == [b"before"]
        turn([member], back.done)
        back.result()

    cluster.write(topic, b"k", b"after", 0)
    turn([member], lambda: b"after" in member.values)
    turn([member], lambda: commits(member, place, 2))
    assert member.source.ends(20.0)[place] == (2, 2)
    member.source.close()


def test_closing_while_the_broker_is_away_is_bounded(stack: Stack) -> None:
    cluster, topic = classic(stack), fresh("away")
    cluster.create(topic)
    cluster.write(topic, b"k", b"v", 0)
    member = Member(cluster.source(fresh("group"), Subscription((topic,))))
    turn([member], lambda: len(member.records) == 1)
    stack.kafka.stop()
    try:
        turns([member], 5)
        began_s = time.monotonic()
        member.source.close()
        took_s = time.monotonic() - began_s
    finally:
        stack.kafka.start()
    assert member.held == set()
    assert took_s < AWAY_S


def test_dead_letters_wait_for_a_broker_that_is_away(stack: Stack) -> None:
    topic = KafkaDeadLetterTopic(stack.kafka.bootstrap, fresh("dlq-away"))
    queue = topic.queue()
    queue.send(letter(0))
    confirm(queue, 1)
    with ThreadPoolExecutor(1) as side:
        stack.kafka.stop()
        back = side.submit(come_back, stack)
        for number in range(1, 6):
            queue.send(letter(number))
        assert list(queue.confirmed()) == []
        back.result()
    confirm(queue, 5)
    queue.close(10.0)
    assert len(topic.read(6)) == 6


def test_the_dead_letter_topic_is_made_with_one_partition(stack: Stack) -> None:
    topic = KafkaDeadLetterTopic(stack.kafka.bootstrap, fresh("dlq-made"))
    queue = topic.queue()
    queue.send(letter())
    confirm(queue, 1)
    queue.close(10.0)
    assert stack.kafka.topics.partitions(topic.name) == 1


def test_more_replicas_than_brokers_is_fatal_and_says_what_to_do(stack: Stack) -> None:
    common = {"bootstrap.servers": stack.kafka.bootstrap, **QUIET}
    spec = TopicSpec(fresh("dlq-three"), replication_factor=3)
    queue = KafkaDeadLetterQueue(KafkaDeadLetterSettings(spec, SENDER, common, common))
    queue.send(letter())
    with pytest.raises(FatalError, match=r"replication\.factor is 3"):
        confirm(queue, 1)
    queue.close(1.0)


def test_a_letter_goes_to_the_partition_where_java_would_put_its_key(stack: Stack) -> None:
    topic = KafkaDeadLetterTopic(stack.kafka.bootstrap, fresh("dlq-java"))
    stack.kafka.topics.create(topic.name, partitions=4)
    queue, keys = topic.queue(), [b"k%d" % number for number in range(12)]
    for key in keys:
        queue.send(letter(key=key))
    confirm(queue, len(keys))
    queue.close(10.0)
    java = Producer({"bootstrap.servers": topic.bootstrap, "partitioner": "murmur2_random"})
    expected: dict[bytes, int] = {}
    for key in keys:
        java.produce(topic.name, key=key, on_delivery=lambda _, sent: note(expected, sent))
    java.flush(10.0)
    found = {one.key: one.partition for one in topic.read(2 * len(keys))}
    assert found == expected
    assert len(set(expected.values())) > 1


def test_a_letter_from_the_future_is_sent_without_its_timestamp(stack: Stack) -> None:
    topic = KafkaDeadLetterTopic(stack.kafka.bootstrap, fresh("dlq-strict"))
    stack.kafka.topics.create(topic.name, 1, message_timestamp_before_max_ms="60000")
    queue = topic.queue()
    queue.send(letter())
    confirm(queue, 1)
    queue.close(10.0)
    (found,) = topic.read(1)
    assert found.timestamp_ms != 1_700_000_000_123
    assert dict(found.headers)["__vecsink.errors.timestamp"] == b"1700000000123"


def test_the_state_topic_is_made_with_one_partition_and_compacts(stack: Stack) -> None:
    group = KafkaGroup(stack.kafka.bootstrap, fresh("state-made"))
    append(group.pod(), "a", {})
    group.close()
    assert stack.kafka.topics.partitions(group.name) == 1
    assert stack.kafka.topics.setting(group.name, "cleanup.policy") == "compact"


def test_a_state_topic_that_would_forget_is_fatal(stack: Stack) -> None:
    group = KafkaGroup(stack.kafka.bootstrap, fresh("state-forgets"))
    stack.kafka.topics.create(group.name, partitions=1, cleanup_policy="delete")
    topic = group.pod()
    with pytest.raises(FatalError, match=r"would forget: set cleanup\.policy=compact"):
        append(topic, "a", {})
    group.close()


def test_more_replicas_than_brokers_is_fatal_for_the_state_too(stack: Stack) -> None:
    group = KafkaGroup(stack.kafka.bootstrap, fresh("state-three"))
    topic = group.pod(replication_factor=3)
    with pytest.raises(FatalError, match="replication factor is 3"):
        append(topic, "a", {})
    group.close()


def test_state_that_was_posted_outlives_an_outage_and_keeps_its_order(stack: Stack) -> None:
    group = KafkaGroup(stack.kafka.bootstrap, fresh("state-away"), append_timeout_s=1.0)
    topic, notes = group.pod(), Notes()
    topic.attach("", notes)
    append(topic, "before", {})
    with ThreadPoolExecutor(1) as side:
        stack.kafka.stop()
        back = side.submit(come_back, stack)
        topic.post("posted", {"n": 1})
        with pytest.raises(RetriableError):
            topic.append("in doubt", {"n": 2})
        topic.post("posted", {"n": 3})
        back.result()
    topic.read_up_to(append(topic, "after", {}), DEADLINE_S)
    group.close()
    during = [("posted", {"n": 1}), ("in doubt", {"n": 2}), ("posted", {"n": 3})]
    assert [one for one in notes.records if one in during] == during
    assert notes.keys[-1] == "after"


def test_a_budget_holds_and_can_be_used_through_an_outage(stack: Stack) -> None:
    group = KafkaGroup(stack.kafka.bootstrap, fresh("budget-away"), append_timeout_s=1.0)
    purses = [purse_of(group) for _ in range(2)]
    reserve(purses[0], 1).cancel()
    with ThreadPoolExecutor(5) as side:
        spending = [
            side.submit(spend_greedily, purse, call=2_000, text=1_000, overestimate=4, call_s=0.05)
            for purse in purses
            for _ in range(2)
        ]
        time.sleep(0.5)
        stack.kafka.stop()
        come_back(stack)
        billed = sum(one.result(120.0) for one in spending)
    assert 90_000 <= billed <= 100_000
    assert purses[0].report().spent.tokens == billed
    group.close()


def test_of_twenty_groups_none_stays_behind_when_all_of_kafka_was_stopped_in_order(
    stack: Stack,
) -> None:
    """A member that asks often may be told, at the end, that there are no brokers."""
    cluster = KafkaCluster(stack.kafka.bootstrap, classic(stack).create, {**CLASSIC, **OFTEN})
    topic = fresh("left-behind")
    cluster.create(topic)
    members = [Member(cluster.source(fresh("group"), Subscription((topic,)))) for _ in range(20)]
    with ThreadPoolExecutor(len(members)) as side:
        for value in (b"before", b"after one", b"after two"):
            reading = [side.submit(read_until, member, value) for member in members]
            if value != b"before":
                stack.kafka.stop()
                time.sleep(3.0)
                stack.kafka.start()
            cluster.write(topic, b"k", value, 0)
            for one in reading:
                one.result()
    for member in members:
        member.source.close()


def read_until(member: Member, value: bytes) -> None:
    turn([member], lambda: value in member.values)


def as_java_writes(topic_id: str) -> str:
    return topic_id.replace("+", "-").replace("/", "_")


def come_back(stack: Stack) -> None:
    time.sleep(AWAY_S)
    stack.kafka.start()


def commits(member: Member, place: TopicPartition, next_offset: int) -> bool:
    member.source.commit({place: clean(next_offset)})
    return member.source.committed().get(place) == clean(next_offset)


def note(partitions: dict[bytes, int], sent: object) -> None:
    partitions[sent.key()] = sent.partition()  # type: ignore[attr-defined]  # a delivered message
