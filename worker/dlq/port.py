"""What the pipeline needs of a dead-letter topic: a place that confirms what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.errors import RecordError
    from worker.model import Record


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that failed, as it came, and why."""

    record: Record
    error: RecordError
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Letter:
    """What a record of a dead-letter topic says of itself."""

    partition: int
    """In the dead-letter topic, as ``offset``."""
    offset: int
    topic: str
    """Where the record came from, as the next three."""
    topic_id: str
    """Empty if the broker had none."""
    origin_partition: int
    origin_offset: int
    stage: str
    kind: str
    message: str
    attempts: int
    written_ms: int | None
    """Timestamp of the record when it failed."""
    sent_ms: int | None
    """When it came to the dead-letter topic; known where that topic stamps its records itself
    (``message.timestamp.type=LogAppendTime``)."""

    def is_of(self, record: Record) -> bool:
        """Whether this very record failed."""
        return (
            (self.topic, self.origin_partition, self.origin_offset)
            == (record.topic, record.partition, record.offset)
        ) and (not self.topic_id or not record.topic_id or self.topic_id == record.topic_id)


class DeadLetterQueue(Protocol):
    """A topic for what failed. One thread calls it: the one that polls."""

    def send(self, letter: DeadLetter) -> None:
        """Hand over without waiting; ``confirmed`` says when the broker has it."""
        ...

    def confirmed(self) -> Sequence[DeadLetter]:
        """Letters that the broker confirmed since the last call. Never blocks.

        Raises:
            FatalError: a letter cannot be delivered at all (too large even without its stack trace,
                no permission). An outage is waited for.
        """
        ...

    def close(self, timeout_s: float) -> None:
        """Wait up to ``timeout_s`` for what is under way."""
        ...
