"""A Kafka cluster in memory, for tests and trials: topics, groups, outages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from worker.source.memory_group import MemoryGroup
from worker.source.memory_log import MemoryTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.model import Headers, Record, TopicPartition
    from worker.source.memory_log import PartitionLog
    from worker.source.port import Commit
    from worker.source.subscription import Subscription


class MemoryBroker:
    """Behaves as Kafka does where a consumer can see it. Safe to use from several threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._topics: dict[str, MemoryTopic] = {}
        self._groups: dict[str, MemoryGroup] = {}
        self._listeners: list[Callable[[], None]] = []
        self._is_up = True

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self._is_up

    def down(self) -> None:
        """An outage: clients hear nothing. What is written meanwhile is there afterwards."""
        self._is_up = False

    def up(self) -> None:
        """The outage is over."""
        self._is_up = True
        self.tell()

    def create_topic(self, name: str, partitions: int = 1) -> str:
        """Make a topic; returns its id."""
        with self.lock:
            topic = self._topics[name] = MemoryTopic(name, partitions)
        self.tell()
        return topic.id

    def delete_topic(self, name: str) -> None:
        """Delete a topic and, as Kafka does, every group's offsets of it."""
        with self.lock:
            topic = self._topics.pop(name)
            for group in self._groups.values():
                for place in topic.places:
                    group.committed.pop(place, None)
        self.tell()

    def produce(  # noqa: PLR0913 - a record has that many parts
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> Record:
        """Append a record; a topic that does not exist is made with one partition."""
        with self.lock:
            if topic not in self._topics:
                self.create_topic(topic)
            record = self._topics[topic].append(
                key, value, partition=partition, headers=headers, timestamp_ms=timestamp_ms
            )
        self.tell()
        return record

    def log(self, place: TopicPartition) -> PartitionLog | None:
        """The log of a partition, to read, cut or compact; None if it does not exist."""
        topic = self._topics.get(place.topic)
        if topic is None or place.partition >= len(topic.logs):
            return None
        return topic.logs[place.partition]

    def topic_id(self, name: str) -> str:
        """The id that the topic has now; empty if it does not exist."""
        topic = self._topics.get(name)
        return "" if topic is None else topic.id

    def places(self, subscription: Subscription) -> list[TopicPartition]:
        """All partitions of the topics that a subscription covers."""
        with self.lock:
            covered = subscription.select(self._topics)
            return [place for name in covered for place in self._topics[name].places]

    def group(self, name: str) -> MemoryGroup:
        """The group of this name."""
        with self.lock:
            return self._groups.setdefault(name, MemoryGroup())

    def commits(self, group: str) -> Mapping[TopicPartition, Commit]:
        """What a group has committed."""
        with self.lock:
            return dict(self.group(group).committed)

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """The next offsets of a group."""
        return {place: commit.next_offset for place, commit in self.commits(group).items()}

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have a member told whenever something may have changed for it."""
        self._listeners.append(tell)

    def tell(self) -> None:
        """Something may have changed for the members."""
        for tell in self._listeners:
            tell()
