"""What an overview needs of Kafka: it reads beside the group, joins nothing and makes nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.model import Record, TopicPartition
    from worker.source.port import Span


class GroupState(StrEnum):
    """Of a consumer group."""

    RUNNING = "running"
    REBALANCING = "rebalancing"
    NOT_RUNNING = "not running"
    """It has no members, or was never there."""


@immutable
class Member:
    """A task, somewhere."""

    client_id: str
    host: str
    """As the broker sees it."""
    partitions: tuple[TopicPartition, ...]


@immutable
class Group:
    """Who works."""

    state: GroupState
    members: tuple[Member, ...] = ()


class Brokers(Protocol):
    """One thread owns it. Every method asks within seconds.

    Raises:
        RetriableError: the brokers do not answer.
        FatalError: they do not let us in.
    """

    def group(self) -> Group:
        """The connector's group."""
        ...

    def ahead(self) -> Mapping[TopicPartition, Span]:
        """What the group still has to read; empty if none of its topics exists."""
        ...

    def bounds(self, topic: str) -> Mapping[TopicPartition, Span]:
        """What a topic holds; empty if it does not exist."""
        ...

    def closed_to(self) -> Mapping[TopicPartition, int]:
        """Offsets of the dead-letter topic below which nothing was left to be done."""
        ...

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        """The records of these parts, in the order of each partition."""
        ...

    def close(self) -> None:
        """Drop connections."""
        ...
