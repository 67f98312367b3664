"""A topic that cannot be made yet, as the cluster is about to start, is made a moment later."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from worker.dlq.topic import TopicPreparation, TopicSpec
from worker.errors import FatalError
from worker.state.topic import StateTopicSpec, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

FENCED = (
    "Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all "
    "their log directories cordoned."
)
"""As Kafka 4.3 says it while it starts."""
TOO_FEW = (
    "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be "
    "reached because only 1 broker(s) are registered."
)


class FakeAdmin:
    """Of a cluster that gives these answers before it makes a topic."""

    def __init__(self, *refusals: str) -> None:
        self._refusals = list(refusals)
        self.made: list[str] = []

    def list_topics(self, timeout: float) -> Any:
        return SimpleNamespace(controller_id=1, brokers={1: "a broker"}, topics=self.made)

    def create_topics(
        self, topics: Sequence[NewTopic], request_timeout: float
    ) -> dict[str, Future[None]]:
        (topic,) = topics
        answer = Future[None]()
        if self._refusals:
            code = KafkaError.INVALID_REPLICATION_FACTOR
            answer.set_exception(KafkaException(KafkaError(code, self._refusals.pop(0))))
        else:
            self.made.append(topic.topic)
            answer.set_result(None)
        return {topic.topic: answer}

    def poll(self, timeout: float) -> int:
        return 0

    @property
    def client(self) -> AdminClient:
        return cast("AdminClient", self)


def test_the_state_topic_is_made_when_the_brokers_serve() -> None:
    admin = FakeAdmin(FENCED, FENCED)
    assert prepare(admin.client, StateTopicSpec("state"), threading.Event())
    assert admin.made == ["state"]


def test_the_dead_letter_topic_is_made_when_the_brokers_serve() -> None:
    admin = FakeAdmin(FENCED, FENCED)
    assert _is_made(admin)
    assert admin.made == ["dlq"]


def test_a_factor_that_is_too_high_is_a_mistake() -> None:
    with pytest.raises(FatalError, match="more than the cluster has brokers"):
        prepare(FakeAdmin(TOO_FEW).client, StateTopicSpec("state", 3), threading.Event())
    with pytest.raises(FatalError, match="more than the cluster has brokers"):
        _is_made(FakeAdmin(TOO_FEW))


def _is_made(admin: FakeAdmin) -> bool:
    topic = TopicPreparation(admin.client, TopicSpec("dlq", 3))
    until_s = time.monotonic() + 10.0
    try:
        while not topic.is_ready and time.monotonic() < until_s:
            time.sleep(0.01)
        return topic.is_ready
    finally:
        topic.close()
