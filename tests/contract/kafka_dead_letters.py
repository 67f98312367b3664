"""The contract's dead-letter topic over anything that speaks Kafka."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer
from confluent_kafka import TopicPartition as KafkaPartition

from tests.contract.dlq_contract import DEADLINE_S, SENDER
from tests.contract.kafka_cluster import QUIET
from worker.dlq.kafka import KafkaDeadLetterQueue, KafkaDeadLetterSettings
from worker.dlq.topic import TopicSpec
from worker.model import TopicPartition
from worker.source.records import record_of

if TYPE_CHECKING:
    from worker.model import Record


class KafkaDeadLetterTopic:
    """``name`` need not exist; ``limited_name`` is a topic that takes 100 kB, or empty."""

    def __init__(self, bootstrap: str, name: str, limited_name: str = "") -> None:
        self.bootstrap = bootstrap
        self.name = name
        self._limited_name = limited_name

    def queue(self) -> KafkaDeadLetterQueue:
        common = {"bootstrap.servers": self.bootstrap, **QUIET}
        return KafkaDeadLetterQueue(
            KafkaDeadLetterSettings(TopicSpec(self.name), SENDER, common, common)
        )

    def limited(self) -> KafkaDeadLetterQueue:
        self.name = self._limited_name
        return self.queue()

    def read(self, count: int) -> list[Record]:
        identity = {"group.id": "reader", "enable.auto.commit": False}
        consumer = Consumer({"bootstrap.servers": self.bootstrap, **identity, **QUIET})
        partitions = consumer.list_topics(self.name, timeout=10.0).topics[self.name].partitions
        consumer.assign([KafkaPartition(self.name, one, OFFSET_BEGINNING) for one in partitions])
        found: list[Record] = []
        deadline_s = time.monotonic() + DEADLINE_S
        while len(found) < count and time.monotonic() < deadline_s:
            for message in consumer.consume(count, 0.2):
                assert message.error() is None, message.error()
                place = TopicPartition(self.name, message.partition() or 0)
                found.append(record_of(message, place, message.offset() or 0, ""))
        assert consumer.consume(1, 0.3) == []
        consumer.close()
        assert len(found) == count
        return found
