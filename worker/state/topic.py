"""The state topic itself: looked for, and made if it is missing."""

from __future__ import annotations

import logging
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
    import threading

    from confluent_kafka.admin import AdminClient

_log = logging.getLogger(__name__)

PARTITION = 0
"""The only one that is used, whatever the topic has: the log has one order."""

_REQUEST_S = 5.0
_LOOK_S = 2.0
"""A look is repeated, and a close waits for the one under way."""
_PAUSE_S = 0.5
_LOOKS_FOR_CONTROLLER = 3
_POLICY = "cleanup.policy"
_SEGMENT_BYTES = 64 * 1024**2
"""The newest segment is never compacted, and every start of a pod reads it."""


@immutable
class StateTopicSpec:
    """What the topic is to be if it has to be made."""

    name: str
    replication_factor: int = -1
    """-1 is the broker's default."""


def prepare(admin: AdminClient, spec: StateTopicSpec, stop: threading.Event) -> bool:
    """Make sure that the topic exists and compacts. Waits for an outage to end.

    Returns:
        Whether it is there; false if ``stop`` was set before.

    Raises:
        FatalError: it cannot be made, or would forget.
    """
    looks = 0
    while not stop.is_set():
        try:
            found = admin.list_topics(timeout=_LOOK_S)  # by name it might be made
            looks += 1
            if found.controller_id in found.brokers:
                settle = _check if spec.name in found.topics else _make
                settle(admin, spec)
                return True
            if spec.name in found.topics or looks >= _LOOKS_FOR_CONTROLLER:
                return True  # librdkafka's mock cluster: topics appear by being written to
        except KafkaException as error:
            _judge(spec, error.args[0])
        finally:
            admin.poll(0)  # serves the client's log lines
        stop.wait(_PAUSE_S)
    return False


def _make(admin: AdminClient, spec: StateTopicSpec) -> None:
    config = {_POLICY: "compact", "segment.bytes": str(_SEGMENT_BYTES)}
    topic = NewTopic(spec.name, 1, spec.replication_factor, config=config)
    try:
        admin.create_topics([topic], request_timeout=_REQUEST_S)[spec.name].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        _check(admin, spec)
    else:
        _log.info("Made the state topic %s.", spec.name)


def _check(admin: AdminClient, spec: StateTopicSpec) -> None:
    """A topic that deletes by age forgets; who may not ask for its policy is trusted."""
    resource = ConfigResource(ResourceType.TOPIC, spec.name)
    try:
        config = admin.describe_configs([resource], request_timeout=_REQUEST_S)[resource].result()
    except KafkaException as error:
        _log.debug("The policy of %s is not known: %s.", spec.name, error.args[0])
        return
    policy = config[_POLICY].value if _POLICY in config else "compact"
    if policy != "compact":
        raise FatalError(
            f"the state topic {spec.name} has {_POLICY}={policy} and would forget: "
            f"set {_POLICY}=compact"
        )


def _judge(spec: StateTopicSpec, error: KafkaError) -> None:
    advice = {
        KafkaError.INVALID_REPLICATION_FACTOR: (
            f"its replication factor is {spec.replication_factor}, more than the cluster has "
            "brokers: lower it, or leave it out for the broker's default"
        ),
        KafkaError.TOPIC_AUTHORIZATION_FAILED: "make it, or allow the user CREATE and WRITE",
        KafkaError.CLUSTER_AUTHORIZATION_FAILED: "make it, or allow the user CREATE",
        KafkaError.POLICY_VIOLATION: "the cluster's policy forbids it: make it by yourself",
        KafkaError.TOPIC_EXCEPTION: "the name is not valid for a topic",
        KafkaError.INVALID_PARTITIONS: "make it by yourself",
    }.get(error.code())
    if advice is not None and not is_fenced(error):
        raise FatalError(
            f"cannot make the state topic {spec.name}: {error.str()}: {advice}"
        ) from KafkaException(error)
    _log.debug("The state topic is not ready: %s.", error)
