"""The recording goes to the broker again, byte for byte, each record into its old partition."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Producer, TopicPartition

from worker.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confluent_kafka import KafkaError, Message

    from worker.model import Record

_log = logging.getLogger(__name__)
_ANSWER_S = 10.0


class Replay:
    """Writes recorded records; one after the other, as Kafka had them."""

    def __init__(self, brokers: str) -> None:
        self._client = {"bootstrap.servers": brokers, "log_level": 2}
        self._producer = Producer(
            {**self._client, "enable.idempotence": True, "linger.ms": 0, "logger": _log}
        )
        self._refused: KafkaError | None = None

    def send(self, records: Sequence[Record]) -> None:
        """Write and wait until the broker has them.

        Raises:
            RetriableError: it does not take them.
        """
        for record in records:
            self._producer.produce(
                record.topic,
                key=record.key,
                value=record.value,
                partition=record.partition,
                headers=list(record.headers),
                timestamp=record.timestamp_ms or 0,
                on_delivery=self._delivered,
            )
        if self._producer.flush(_ANSWER_S) or self._refused is not None:
            raise RetriableError(f"the embedded broker does not take records: {self._refused}")

    def committed(self, group: str, topic: str, partitions: int) -> int:
        """Sum of the offsets that the group has committed."""
        consumer = Consumer({**self._client, "group.id": group, "logger": _log})
        try:
            wanted = [TopicPartition(topic, partition) for partition in range(partitions)]
            return sum(max(0, one.offset) for one in consumer.committed(wanted, timeout=_ANSWER_S))
        finally:
            consumer.close()

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._refused = self._refused or error


def changes_of(records: Sequence[Record]) -> Iterator[list[Record]]:
    """One list per change: a delete comes with its tombstone."""
    change: list[Record] = []
    for record in records:
        if record.value is not None and change:
            yield change
            change = []
        change.append(record)
    if change:
        yield change
