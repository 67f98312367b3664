"""The two clients of a group member, and what they are made from."""

from __future__ import annotations

import logging
from dataclasses import field
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException

from worker.errors import ConfigError
from worker.immutable import immutable
from worker.lasting import LastingAdmin, LastingConsumer
from worker.source.departure import for_good

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Consumer, KafkaError
    from confluent_kafka import TopicPartition as KafkaPartition
    from confluent_kafka.admin import AdminClient

    from worker.source.subscription import Subscription

_OWNED = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
}
"""What this class relies on, whatever the properties say."""
_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.source.librdkafka")}
"""librdkafka logs every attempt to connect, 20 a second; ``error_cb`` tells us of them as well, and
we say it once in a while. ``log_level`` can be overridden."""


@immutable
class KafkaSourceSettings:
    """How to reach the cluster, and what to read."""

    consumer: Mapping[str, Any] = field(repr=False)
    """librdkafka's properties of the member; ``partition.assignment.strategy`` must be
    cooperative, or ``group.protocol`` be ``consumer``."""
    admin: Mapping[str, Any] = field(repr=False)
    """librdkafka's properties of a client that asks for topic ids and offsets."""
    subscription: Subscription
    close_timeout_s: float = 10.0
    """How long leaving the group may take, after ``on_revoked`` returned."""
    stays: Callable[[], bool] = for_good
    """Whether this process ends and is to come back: a static member then keeps its place."""


def clients(
    settings: KafkaSourceSettings,
    on_error: Callable[[KafkaError], None],
    on_commit: Callable[[KafkaError | None, list[KafkaPartition]], None],
) -> tuple[AdminClient, Consumer]:
    """Both, unconnected yet.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """
    callbacks = {"error_cb": on_error, "on_commit": on_commit}
    try:
        admin = LastingAdmin({**_CALM, **settings.admin})
        return admin, LastingConsumer({**_CALM, **settings.consumer, **_OWNED, **callbacks})
    except KafkaException as error:
        raise ConfigError(f"Kafka client: {error.args[0].str()}") from error
