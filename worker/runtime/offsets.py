"""What a herder needs of Kafka to move a connector's consumer group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from worker.model import TopicPartition


class GroupOffsets(Protocol):
    """Of one group. Methods ask the brokers and take seconds at most.

    Raises:
        RetriableError: the brokers do not answer, or the group still has members.
        FatalError: they do not let us.
    """

    def committed(self) -> Mapping[TopicPartition, int]:
        """The next offset of each partition that something was committed for."""
        ...

    def bounds(self, places: frozenset[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """The first offset and the end of those that exist."""
        ...

    def alter(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        """Commit these; None forgets what was committed."""
        ...

    def reset(self) -> None:
        """Forget all."""
        ...


OpenOffsets: TypeAlias = Callable[[Mapping[str, str], str], GroupOffsets]
"""Of the connector with this config, which came from there; raises ConfigError."""
