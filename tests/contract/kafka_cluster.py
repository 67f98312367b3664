"""The contract's cluster over anything that speaks Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from worker.source.clients import KafkaSourceSettings
from worker.source.kafka import KafkaSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.model import Headers
    from worker.source.subscription import Subscription

REFRESH_MS = 770
"""Not a divisor of the 3 s of a group's first join: where an answer about topics crosses that of a
join, librdkafka joins anew, and with a refresh each second it met the next one again, and again."""
CLASSIC = {
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 500,
    "topic.metadata.refresh.interval.ms": REFRESH_MS,
}
CONSUMER = {"group.protocol": "consumer", "topic.metadata.refresh.interval.ms": REFRESH_MS}
QUIET = {"log_level": 2}


class KafkaCluster:
    """Makes topics with ``create_topic``, writes and reads through the real client."""

    def __init__(
        self,
        bootstrap: str,
        create_topic: Callable[[str], None],
        group_properties: dict[str, Any] | None = None,
    ) -> None:
        self.bootstrap = bootstrap
        self.create = create_topic
        self._group_properties = group_properties or CLASSIC
        self._producer = Producer({"bootstrap.servers": bootstrap, **QUIET})

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        *,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> None:
        self._producer.produce(
            topic,
            value=value,
            key=key,
            partition=partition,
            headers=list(headers),
            timestamp=timestamp_ms or 0,
        )
        assert self._producer.flush(30.0) == 0

    def source(self, group: str, subscription: Subscription) -> KafkaSource:
        common = {"bootstrap.servers": self.bootstrap, **QUIET}
        member = {"group.id": group, "auto.offset.reset": "earliest", **self._group_properties}
        return KafkaSource(
            KafkaSourceSettings({**common, **member}, common, subscription, close_timeout_s=5.0)
        )
