"""What the worker's and a connector's settings mean for librdkafka. Pure functions.

The order in which settings win, as in Kafka Connect: our defaults, the worker's settings for all
clients, the worker's for this kind, the connector's overrides; what we own comes last.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from worker.config.client import ClientProperties

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig

_CONSUMER_DEFAULTS = ClientProperties(
    {
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 3_000,
        "max.poll.interval.ms": 300_000,
        "queued.max.messages.kbytes": 16_384,
        "isolation.level": "read_committed",
    }
)
_CONSUMER_OWNED = ClientProperties(
    {
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "partition.assignment.strategy": "cooperative-sticky",
    }
)
_CLASSIC_ONLY = ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms")
"""librdkafka refuses these with ``group.protocol=consumer``: the broker decides (KIP-848)."""

_OF_MEMBERS = (
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "partition.assignment.strategy",
)
"""A consumer that assigns by itself is no member of its group."""

_PRODUCER_DEFAULTS = ClientProperties({"compression.type": "lz4"})
_PRODUCER_OWNED = ClientProperties(
    {
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # the same partition for a key as Java's producers
    }
)
_STATE_CONSUMER_OWNED = ClientProperties(
    {
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.min.bytes": 1,  # somebody waits for each record
        "queued.max.messages.kbytes": 16_384,
    }
)


def consumer_properties(
    worker: WorkerConfig, connector: ConnectorConfig, task: int
) -> ClientProperties:
    """Properties of the consumer of one task, counted from 0."""
    merged = ClientProperties(
        {
            **_common(worker, f"connector-consumer-{connector.name}-{task}"),
            **_CONSUMER_DEFAULTS,
            **worker.common,
            **worker.consumer,
            **_membership(worker, connector, task),
            **connector.consumer,
            **_CONSUMER_OWNED,
        }
    )
    if merged.get("group.protocol") == "consumer":
        for name in _CLASSIC_ONLY:
            merged.pop(name, None)
    _keep_heartbeat_below_session(merged)
    return merged


def reader_properties(worker: WorkerConfig, connector: ConnectorConfig) -> ClientProperties:
    """Properties of a client that reads beside the group: it names the group and never joins."""
    merged = ClientProperties(
        {
            **_common(worker, f"connector-reader-{connector.name}"),
            **_CONSUMER_DEFAULTS,
            "group.id": connector.group_id,
            **worker.common,
            **worker.consumer,
            **connector.consumer,
            **_CONSUMER_OWNED,
        }
    )
    for name in _OF_MEMBERS:
        merged.pop(name, None)
    _keep_heartbeat_below_session(merged)
    return merged


def producer_properties(
    worker: WorkerConfig, connector: ConnectorConfig, task: int
) -> ClientProperties:
    """Properties of the producer of one task's dead letters."""
    return ClientProperties(
        {
            **_common(worker, f"connector-dlq-producer-{connector.name}-{task}"),
            **_PRODUCER_DEFAULTS,
            **worker.common,
            **worker.producer,
            **connector.producer,
            **_PRODUCER_OWNED,
        }
    )


def state_consumer_properties(worker: WorkerConfig, connector: ConnectorConfig) -> ClientProperties:
    """Properties of the client that reads the state topic: it names the group and never joins."""
    return ClientProperties(
        {
            **_common(worker, f"connector-state-consumer-{connector.name}"),
            "group.id": connector.group_id,
            **worker.common,
            **worker.consumer,
            **connector.consumer,
            **_STATE_CONSUMER_OWNED,
        }
    )


def state_producer_properties(worker: WorkerConfig, connector: ConnectorConfig) -> ClientProperties:
    """Properties of the client that writes the state topic."""
    return ClientProperties(
        {
            **_common(worker, f"connector-state-producer-{connector.name}"),
            **worker.common,
            **worker.producer,
            **connector.producer,
            **_PRODUCER_OWNED,
        }
    )


def admin_properties(worker: WorkerConfig, connector: ConnectorConfig) -> ClientProperties:
    """Properties of a connector's admin client."""
    return ClientProperties(
        {
            **_common(worker, f"connector-adminclient-{connector.name}"),
            **worker.common,
            **worker.admin,
            **connector.admin,
        }
    )


def slot_consumer_properties(worker: WorkerConfig, connector: ConnectorConfig) -> ClientProperties:
    """Properties of the client that leases task slots: a group beside the connector's own."""
    merged = consumer_properties(worker, connector, 0)
    merged["client.id"] = f"connector-slots-{connector.name}"
    merged["group.id"] = f"{connector.group_id}-slots"
    merged["topic.metadata.refresh.interval.ms"] = 10_000
    merged.pop("group.instance.id", None)
    if worker.worker_id is not None:
        merged["group.instance.id"] = _scattered(worker.worker_id, connector.name)
    return merged


def _scattered(worker_id: str, connector: str) -> str:
    """A static member's name, in another order for each connector.

    The members that are first in order get the odd partitions: not always the same workers.
    """
    salt = hashlib.sha256(f"{connector}/{worker_id}".encode()).hexdigest()[:8]
    return f"{salt}-{worker_id}-{connector}"


def storage_consumer_properties(worker: WorkerConfig) -> ClientProperties:
    """Properties of the client that reads what all workers share; it names a group, never joins."""
    return ClientProperties(
        {
            **_common(worker, "worker-storage-consumer"),
            "group.id": f"{worker.settings.storage_topic}-readers",
            **worker.common,
            **worker.consumer,
            **_STATE_CONSUMER_OWNED,
        }
    )


def storage_producer_properties(worker: WorkerConfig) -> ClientProperties:
    """Properties of the client that writes what all workers share."""
    return ClientProperties(
        {
            **_common(worker, "worker-storage-producer"),
            **worker.common,
            **worker.producer,
            **_PRODUCER_OWNED,
        }
    )


def storage_admin_properties(worker: WorkerConfig) -> ClientProperties:
    """Properties of the worker's own admin client."""
    return ClientProperties(
        {**_common(worker, "worker-adminclient"), **worker.common, **worker.admin}
    )


def _common(worker: WorkerConfig, client_id: str) -> ClientProperties:
    return ClientProperties({"bootstrap.servers": worker.bootstrap_servers, "client.id": client_id})


def _membership(worker: WorkerConfig, connector: ConnectorConfig, task: int) -> ClientProperties:
    """The group, and with a worker id a static membership, so that a restart moves nothing."""
    group = ClientProperties({"group.id": connector.group_id})
    if worker.worker_id is not None:
        group["group.instance.id"] = f"{worker.worker_id}-{connector.name}-{task}"
    return group


def _keep_heartbeat_below_session(merged: ClientProperties) -> None:
    """A shorter session needs more heartbeats; at most a third of it, as Kafka advises."""
    session, heartbeat = merged.get("session.timeout.ms"), merged.get("heartbeat.interval.ms")
    if isinstance(session, str) and session.isdigit() and isinstance(heartbeat, int):
        merged["heartbeat.interval.ms"] = min(heartbeat, max(1, int(session) // 3))
