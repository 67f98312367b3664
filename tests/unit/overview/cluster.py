"""Kafka as an overview sees it, in memory."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.model import Record, TopicPartition
from worker.overview.look import Overview, Subject
from worker.overview.port import Group, GroupState
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.spend.amount import Limit
    from worker.state.memory import MemoryLog

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
STATE = "connect-shop-state"
LETTERS = "shop-dlq"


class MemoryBrokers:
    """Topics are lists of records; what was read is remembered."""

    def __init__(self) -> None:
        self.topics: dict[TopicPartition, list[Record]] = defaultdict(list)
        self.left: dict[TopicPartition, Span] = {}
        self.group_now = Group(GroupState.NOT_RUNNING)
        self.reads: list[Span] = []
        self.closed: dict[TopicPartition, int] = {}
        self.silent_after: int | None = None
        """So many records they still give away."""

    def group(self) -> Group:
        return self.group_now

    def ahead(self) -> Mapping[TopicPartition, Span]:
        return self.left

    def bounds(self, topic: str) -> Mapping[TopicPartition, Span]:
        return {
            place: Span(0, len(records))
            for place, records in self.topics.items()
            if place.topic == topic
        }

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        for place, span in spans.items():
            self.reads.append(span)
            for record in self.topics[place][span.start : span.end]:
                if self.silent_after == 0:
                    raise RetriableError("the brokers are silent")
                if self.silent_after is not None:
                    self.silent_after -= 1
                yield [record]

    def closed_to(self) -> Mapping[TopicPartition, int]:
        return self.closed

    def close(self) -> None:
        pass

    def keep(self, log: MemoryLog) -> None:
        """The state topic is this log."""
        self.topics[TopicPartition(STATE, 0)] = [
            Record(STATE, 0, offset, key.encode(), value) for offset, key, value in log.records
        ]

    def letter(
        self, partition: int, kind: str | None, at_ms: int = 0, connector: str = "shop"
    ) -> None:
        """``kind`` is None where a Kafka Connect wrote it."""
        place = TopicPartition(LETTERS, partition)
        held = self.topics[place]
        said = {
            "__connect.errors.topic": "products",
            "__connect.errors.partition": "0",
            "__connect.errors.offset": str(len(held)),
            "__connect.errors.connector.name": connector,
        }
        if kind is not None:
            said["__vecsink.errors.kind"] = kind
        headers = tuple((name, text.encode()) for name, text in said.items())
        held.append(Record(LETTERS, partition, len(held), None, None, headers, at_ms))


def overview(brokers: MemoryBrokers, limit: Limit | None = None) -> Overview:
    return Overview(Subject("shop", STATE, LETTERS, limit), brokers, lambda: NOON)
