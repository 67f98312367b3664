"""What a herder needs of Kafka to move a connector's consumer group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from worker.runtime.refusals import BadRequestError

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


def check_offsets(
    wanted: Mapping[TopicPartition, int | None],
    bounds: Mapping[TopicPartition, tuple[int, int]],
) -> None:
    """Do nothing if all of them exist.

    Raises:
        BadRequestError: one does not; it would be reset to another one.
    """
    for place, offset in wanted.items():
        if place not in bounds:
            raise BadRequestError(f"There is no partition {place.partition} of topic {place.topic}")
        first, end = bounds[place]
        if offset is not None and not first <= offset <= end:
            raise BadRequestError(
                f"Partition {place.partition} of topic {place.topic} has the offsets {first} to "
                f"{end}, not {offset}"
            )
