"""Task slots on librdkafka's mock cluster: shared out, taken over, and never held unpolled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from tests.contract.kafka_cluster import CLASSIC, QUIET
from tests.contract.source_contract import fresh
from tests.contract.state_contract import eventually
from worker.clock import SystemClock
from worker.errors import ConfigError
from worker.source.kafka_slots import KafkaSlots, KafkaSlotsSettings
from worker.source.mock_cluster import PARTITIONS, MockCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = PARTITIONS - 1
ALL = frozenset(range(TASKS))
SESSION_S = 6.0


class OwnTime(SystemClock):
    """For other threads than the one that polls it is later."""

    later_s = 0.0

    def now_s(self) -> float:
        is_polling = threading.current_thread().name == "slots"
        return super().now_s() + (0.0 if is_polling else self.later_s)


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCluster]:
    with MockCluster() as mock:
        yield mock


@pytest.fixture
def topic(mock: MockCluster) -> str:
    name = fresh("tasks")
    producer = Producer({"bootstrap.servers": mock.bootstrap_servers, **QUIET})
    producer.produce(name, b"makes the topic")
    assert producer.flush(30.0) == 0
    return name


def member(mock: MockCluster, topic: str, clock: SystemClock | None = None) -> KafkaSlots:
    common = {"bootstrap.servers": mock.bootstrap_servers, **QUIET}
    consumer = {**common, **CLASSIC, "group.id": f"{topic}-slots"}
    return KafkaSlots(KafkaSlotsSettings(topic, TASKS, consumer, common, SESSION_S), clock)


def test_each_number_is_held_by_one_and_taken_over_when_it_leaves(
    mock: MockCluster, topic: str
) -> None:
    clock = OwnTime()
    first = member(mock, topic, clock)
    assert first.held() == frozenset()
    eventually(lambda: first.held() == ALL)

    clock.later_s = SESSION_S + 1.0
    assert first.held() == frozenset(), "others may have them by now"
    clock.later_s = 0.0
    assert first.held() == ALL

    second = member(mock, topic)
    eventually(lambda: bool(second.held()) and first.held() | second.held() == ALL)
    assert first.held()
    assert not first.held() & second.held()

    first.close()
    eventually(lambda: first.has_left)
    assert first.held() == frozenset()
    eventually(lambda: second.held() == ALL)
    second.close()
    eventually(lambda: second.has_left)


def test_one_that_is_closed_before_there_is_a_topic_ends(mock: MockCluster) -> None:
    waiting = member(mock, fresh("never"))
    waiting.close()
    eventually(lambda: waiting.has_left)
    assert waiting.held() == frozenset()


def test_settings_that_librdkafka_does_not_know_are_the_users_mistake() -> None:
    bad = {"group.id": "g", "no.such.setting": "1"}
    with pytest.raises(ConfigError, match=r"no\.such\.setting"):
        KafkaSlots(KafkaSlotsSettings("tasks", 1, bad, {}, SESSION_S))
