"""KafkaStateTopic keeps the promises of one on librdkafka's mock cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from tests.contract.kafka_cluster import QUIET
from tests.contract.kafka_state import KafkaGroup
from tests.contract.marks_contract import MarksContract
from tests.contract.source_contract import fresh
from tests.contract.spend_contract import SpendContract
from tests.contract.state_contract import DEADLINE_S, Notes, StateContract, append
from worker.errors import ConfigError, RetriableError
from worker.source.mock_cluster import MockCluster
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.topic import StateTopicSpec
from worker.state.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCluster]:
    with MockCluster() as mock:
        yield mock


@pytest.fixture
def group(mock: MockCluster) -> Iterator[KafkaGroup]:
    made = KafkaGroup(mock.bootstrap_servers, fresh("state"))
    yield made
    made.close()


class TestKafkaStateTopicOnMockCluster(StateContract):
    pass


class TestBudgetOnMockCluster(SpendContract):
    pass


class TestMarksOnMockCluster(MarksContract):
    pass


def test_brokers_that_are_away_are_told_of_with_their_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer = Writer("group-state", {"bootstrap.servers": "127.0.0.1:9", **QUIET}, 1.0)
    until_s = time.monotonic() + DEADLINE_S
    while not caplog.messages and time.monotonic() < until_s:
        time.sleep(0.05)
    writer.close(0.1)
    assert caplog.messages[0] == (
        "The group's state waits: Kafka at 127.0.0.1:9 does not answer: check bootstrap.servers, "
        "and whether the brokers run."
    )


def test_records_of_others_are_left_out(mock: MockCluster, group: KafkaGroup) -> None:
    topic, notes = group.pod(), Notes()
    topic.attach("", notes)
    append(topic, "a", {})
    foreign = Producer({"bootstrap.servers": mock.bootstrap_servers, **QUIET})
    for key, value in ((None, b"{}"), (b"k", b"not json"), (b"k", b"[1]"), (b"\xff", b"{}")):
        foreign.produce(group.name, key=key, value=value, partition=0)
    foreign.flush(DEADLINE_S)
    topic.read_up_to(append(topic, "b", {}), DEADLINE_S)
    assert notes.keys == ["a", "b"]


def test_without_a_broker_appending_is_retriable_and_everything_is_bounded() -> None:
    with MockCluster() as mock:
        nowhere = mock.bootstrap_servers
    topic = KafkaGroup(nowhere, "state", append_timeout_s=0.2).pod()
    began_s = time.monotonic()
    topic.attach("", Notes())
    with pytest.raises(RetriableError, match="takes no records"):
        topic.append("a", {})
    assert not topic.caught_up(0.1)
    topic.close(1.0)
    assert time.monotonic() - began_s < 15.0


def test_settings_that_librdkafka_does_not_know_are_the_users_mistake() -> None:
    good = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}
    bad = {**good, "no.such.setting": "1"}
    with pytest.raises(ConfigError, match=r"no\.such\.setting"):
        KafkaStateTopic(KafkaStateSettings(StateTopicSpec("state"), bad, good, good))
    with pytest.raises(ConfigError, match=r"no\.such\.setting"):
        KafkaStateTopic(KafkaStateSettings(StateTopicSpec("state"), good, bad, good))
