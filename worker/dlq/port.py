"""What the pipeline needs of a dead-letter topic: a place that confirms what it took."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable
from worker.model import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.errors import RecordError
    from worker.model import Record


@immutable
class DeadLetter:
    """A record that failed, as it came, and why."""

    record: Record
    error: RecordError
    attempts: int = 1
    origin: Origin = field(default_factory=Origin)
    """What its source block said, if it could be read."""
    failed_ms: int | None = None
    """Unix time."""


@immutable
class Failure:
    """One time that a record failed, as the headers say it."""

    topic: str
    partition: int
    offset: int
    connector: str
    stage: str
    kind: str
    """Empty where another connector than ours failed."""
    message: str
    status: str
    """How the provider or the store refused it, such as ``400``; empty if they were not asked."""
    version: str
    """Of the worker."""
    trace: str
    """Empty if the letter was too large with it."""
    failed_ms: int | None = None
    """When, if it says so."""


@immutable
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
    status: str = ""
    """How the provider or the store refused it, such as ``400``; empty if they were not asked."""
    replays: int = 0
    """How often it was put back and failed again."""
    failed_ms: int | None = None
    """When it failed."""
    committed_ms: int | None = None
    """Commit time in the source database."""
    source_position: int | None = None
    """``Origin.position``."""
    table: str = ""
    """With its schema; empty where the record could not be read so far."""
    key_schema_id: int | None = None
    value_schema_id: int | None = None
    version: str = ""
    """Of the worker."""
    connector: str = ""
    """Whose task failed on it; empty if the headers do not say."""
    first: tuple[str, int, int] | None = None
    """Topic, partition and offset where it failed for the first time; differs from its origin only
    if somebody has produced it anew."""

    @property
    def name(self) -> str:
        """As people write it: partition and offset in the dead-letter topic."""
        return f"{self.partition}:{self.offset}"

    @property
    def came_ms(self) -> int | None:
        """When it came to the dead-letter topic, as far as anybody knows."""
        return next((ms for ms in (self.failed_ms, self.sent_ms, self.written_ms) if ms), None)

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
