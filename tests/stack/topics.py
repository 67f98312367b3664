"""What tests ask of a broker: make topics, count records, read them, wait for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicCollection
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported
    AdminClient,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka import Message

    from worker.model import Headers

TIMEOUT_S = 30.0


class Topics:
    """The topics of one broker. Every call makes its own client, so broker restarts do no harm."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def broker_answers(self) -> bool:
        """Whether metadata can be had within a second."""
        try:
            self._admin().list_topics(timeout=1.0)
        except KafkaException:
            return False
        return True

    def names(self) -> list[str]:
        """All topics, without Kafka's own."""
        found = self._admin().list_topics(timeout=TIMEOUT_S).topics
        return sorted(name for name in found if not name.startswith("__consumer"))

    def create(self, name: str, partitions: int = 3, **config: str) -> None:
        """Make a topic and wait until the broker has it; config keys with ``_`` for ``.``."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
        admin = self._admin()  # its futures fail when it is gone
        admin.create_topics([topic])[name].result(TIMEOUT_S)

    def delete(self, *names: str) -> None:
        """Delete topics and wait for it."""
        admin = self._admin()
        for future in admin.delete_topics(list(names)).values():
            future.result(TIMEOUT_S)

    def topic_id(self, name: str) -> str:
        """The UUID that Kafka gave the topic."""
        wanted = TopicCollection([name])
        admin = self._admin()
        described = admin.describe_topics(wanted)[name].result(TIMEOUT_S)
        return str(described.topic_id).replace("+", "-").replace("/", "_")  # as Java writes it

    def partitions(self, name: str) -> int:
        """How many partitions it has; 0 if it does not exist."""
        found = self._admin().list_topics(timeout=TIMEOUT_S).topics.get(name)
        return len(found.partitions) if found else 0

    def setting(self, name: str, key: str) -> str:
        """One of its settings."""
        admin, resource = self._admin(), ConfigResource(ResourceType.TOPIC, name)
        found = admin.describe_configs([resource])[resource].result(TIMEOUT_S)
        return str(found[key].value)

    def count(self, name: str) -> int:
        """How many records are in it now; 0 if it does not exist."""
        return sum(high - low for low, high in self._watermarks(name).values())

    def wait_for(self, name: str, records: int, timeout_s: float = 60.0) -> None:
        """Wait until at least so many records are in it.

        Raises:
            TimeoutError: they did not come; the message says how many there are.
        """
        deadline = time.monotonic() + timeout_s
        while (found := self.count(name)) < records:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} has {found} of {records} records")
            time.sleep(0.2)

    def read(self, name: str) -> list[Record]:
        """Everything that is in it now: partition by partition, in order of offset."""
        ends = {p: high for p, (low, high) in self._watermarks(name).items() if high > low}
        topic_id = self.topic_id(name)
        messages = self._read_until(name, ends)
        records = [_record(message, topic_id) for message in messages]
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def send(self, records: Iterable[Record]) -> None:
        """Append records as they are, each to its partition, and wait until all are there."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "linger.ms": 5, **QUIET})
        for record in records:
            producer.produce(
                record.topic,
                key=record.key,
                value=record.value,
                partition=record.partition,
                headers=list(record.headers),
                timestamp=record.timestamp_ms or 0,
            )
        if producer.flush(TIMEOUT_S):
            raise TimeoutError("the broker did not take all records")

    def _read_until(self, name: str, ends: dict[int, int]) -> list[Message]:
        consumer = self._consumer()
        consumer.assign([KafkaPartition(name, partition, OFFSET_BEGINNING) for partition in ends])
        messages: list[Message] = []
        left, deadline = dict(ends), time.monotonic() + TIMEOUT_S
        while left and time.monotonic() < deadline:
            for message in consumer.consume(500, timeout=0.2):
                if message.error() is not None:
                    continue
                partition, offset = _place(message)
                if offset < ends[partition]:
                    messages.append(message)
                if offset + 1 >= ends[partition]:
                    left.pop(partition, None)
        consumer.close()
        if left:
            raise TimeoutError(f"could not read {name} to its end")
        return messages

    def _watermarks(self, name: str) -> dict[int, tuple[int, int]]:
        """Lowest and next offset of each partition."""
        consumer = self._consumer()
        try:
            found = consumer.list_topics(timeout=TIMEOUT_S).topics.get(name)
            partitions = list(found.partitions) if found else []
            return {p: self._watermark(consumer, name, p) for p in partitions}
        finally:
            consumer.close()

    def _watermark(self, consumer: Consumer, name: str, partition: int) -> tuple[int, int]:
        """Ask again while a new partition has no leader yet."""
        place, deadline = KafkaPartition(name, partition), time.monotonic() + TIMEOUT_S
        while True:
            try:
                low, high = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S) or (0, 0)
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return low, high

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._bootstrap, **QUIET})

    def _consumer(self) -> Consumer:
        identity = {"group.id": "stack-reader", "enable.auto.commit": False}
        return Consumer({"bootstrap.servers": self._bootstrap, **identity, **QUIET})


QUIET = {"log_level": 2, "socket.timeout.ms": 10_000}


def _place(message: Message) -> tuple[int, int]:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return partition, offset


def _record(message: Message, topic_id: str) -> Record:
    partition, offset = _place(message)
    headers = cast("Headers", tuple(message.headers() or ()))  # values of a consumer are bytes
    kind, timestamp = message.timestamp()
    return Record(
        topic=str(message.topic()),
        partition=partition,
        offset=offset,
        key=message.key(),
        value=message.value(),
        headers=headers,
        timestamp_ms=timestamp if kind else None,
        topic_id=topic_id,
    )
