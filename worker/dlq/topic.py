"""The dead-letter topic: looked for, and made if it is missing, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported
    ConfigResource,
    NewTopic,
    ResourceType,
)

from worker.brokers import is_fenced
from worker.errors import FatalError
from worker.immutable import immutable

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

_log = logging.getLogger(__name__)

_REQUEST_S = 5.0
_PAUSE_S = 0.5
_LOOKS_FOR_CONTROLLER = 3
_RETENTION, _FOR_EVER = "retention.ms", "-1"
_SETTINGS = {
    "cleanup.policy": "delete",  # a compacting topic refuses letters without key
    _RETENTION: _FOR_EVER,  # letters have their records' timestamps: old ones would be gone at once
}
_FACTOR = "errors.deadletterqueue.topic.replication.factor"


@immutable
class TopicSpec:
    """What the topic is to be if it has to be made."""

    name: str
    replication_factor: int = -1
    """-1 is the broker's default. Connect's 3 fails on clusters of fewer brokers."""
    partitions: int = 1
    """One, as Connect makes it: letters are few, and stay in the order in which they came."""


class TopicPreparation:
    """Makes sure that a topic exists. An outage is waited for."""

    def __init__(self, admin: AdminClient, spec: TopicSpec) -> None:
        self._admin = admin
        self._spec = spec
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dlq-topic")
        self._prepared: Future[None] = self._thread.submit(self._prepare)

    @property
    def is_ready(self) -> bool:
        """Whether it may be written to. Never blocks.

        Raises:
            FatalError: it cannot be made.
        """
        if not self._prepared.done():
            return False
        self._prepared.result()
        return True

    def again(self) -> None:
        """It was deleted."""
        if self._prepared.done():
            self._prepared = self._thread.submit(self._prepare)

    def close(self) -> None:
        """Wait for it no longer."""
        self._stop.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _prepare(self) -> None:
        looks = 0
        while not self._stop.is_set():
            try:
                found = self._admin.list_topics(timeout=_REQUEST_S)  # by name it might be made
                looks += 1
                if self._spec.name in found.topics:
                    if found.controller_id in found.brokers:
                        self._look_at_retention()
                    return
                if found.controller_id in found.brokers:
                    self._make()
                    return
                if looks >= _LOOKS_FOR_CONTROLLER:
                    return  # librdkafka's mock cluster: topics appear by being written to
            except KafkaException as error:
                self._judge(error.args[0])
            finally:
                self._admin.poll(0)  # serves the client's log lines
            self._stop.wait(_PAUSE_S)

    def _look_at_retention(self) -> None:
        """Of a topic that somebody else made; who may not ask for it is not told."""
        name = self._spec.name
        resource = ConfigResource(ResourceType.TOPIC, name)
        try:
            asked = self._admin.describe_configs([resource], request_timeout=_REQUEST_S)
            found = asked[resource].result().get(_RETENTION)
        except KafkaException as error:
            _log.debug("The retention of %s is not known: %s.", name, error.args[0])
            return
        if found is not None and found.value != _FOR_EVER:
            _log.warning(
                "%s has %s=%s: letters have the timestamps of their records, so that those of old "
                "records are gone at once; set it to %s.",
                name, _RETENTION, found.value, _FOR_EVER,
            )  # fmt: skip

    def _make(self) -> None:
        spec = self._spec
        topic = NewTopic(
            spec.name,
            spec.partitions,
            spec.replication_factor,
            config=_SETTINGS,
        )
        made = self._admin.create_topics([topic], request_timeout=_REQUEST_S)
        try:
            made[spec.name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            _log.info("Made the dead-letter topic %s.", spec.name)

    def _judge(self, error: KafkaError) -> None:
        advice = {
            KafkaError.INVALID_REPLICATION_FACTOR: (
                f"{_FACTOR} is {self._spec.replication_factor}, more than the cluster has brokers: "
                "lower it, or leave it out for the broker's default"
            ),
            KafkaError.TOPIC_AUTHORIZATION_FAILED: "make it, or allow the user CREATE and WRITE",
            KafkaError.CLUSTER_AUTHORIZATION_FAILED: "make it, or allow the user CREATE",
            KafkaError.POLICY_VIOLATION: "the cluster's policy forbids it: make it by yourself",
            KafkaError.TOPIC_EXCEPTION: "the name is not valid for a topic",
            KafkaError.INVALID_PARTITIONS: "make it by yourself",
        }.get(error.code())
        if advice is not None and not is_fenced(error):
            raise FatalError(
                f"cannot make the dead-letter topic {self._spec.name}: {error.str()}: {advice}"
            ) from KafkaException(error)
        _log.debug("The dead-letter topic is not ready: %s.", error)
