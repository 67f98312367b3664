"""KafkaDeadLetterQueue keeps the promises of one on librdkafka's mock cluster.

The mock cluster knows no limit of size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.dlq_contract import DeadLetterContract, letter
from tests.contract.kafka_dead_letters import KafkaDeadLetterTopic
from tests.contract.source_contract import fresh
from worker.dlq.headers import Sender
from worker.dlq.kafka import KafkaDeadLetterQueue, KafkaDeadLetterSettings
from worker.dlq.topic import TopicSpec
from worker.errors import ConfigError
from worker.source.mock_cluster import MockCluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCluster]:
    with MockCluster() as mock:
        yield mock


class TestKafkaDeadLettersOnMockCluster(DeadLetterContract):
    @pytest.fixture
    def topic(self, mock: MockCluster) -> KafkaDeadLetterTopic:
        return KafkaDeadLetterTopic(mock.bootstrap_servers, fresh("dlq"))


def test_without_a_broker_letters_wait_and_closing_is_bounded() -> None:
    with MockCluster() as mock:
        nowhere = mock.bootstrap_servers
    queue = KafkaDeadLetterTopic(nowhere, "dlq").queue()
    queue.send(letter())
    assert list(queue.confirmed()) == []
    queue.close(0.5)
    assert list(queue.confirmed()) == []


def test_settings_that_librdkafka_does_not_know_are_the_users_mistake() -> None:
    properties = {"bootstrap.servers": "127.0.0.1:1", "no.such.setting": "1"}
    settings = KafkaDeadLetterSettings(TopicSpec("dlq"), Sender("c", 0, "1"), properties, {})
    with pytest.raises(ConfigError, match=r"no\.such\.setting"):
        KafkaDeadLetterQueue(settings)
