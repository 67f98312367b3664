"""What the pipeline needs of a consumer group: records, and when partitions come and go.

One thread owns a source; none of its methods may be called from another
(confluent-kafka makes every other call wait for a running poll).
"""

from __future__ import annotations

import re
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from worker.model import Record, TopicPartition


class Standing(StrEnum):
    """What a commit says of who made it; the first word of its metadata in Kafka."""

    OPEN = "open"
    """It may still write what was read from here on."""
    CLEAN = "clean"
    """It has finished, and writes nothing any more."""


_KEY = "key="
_LETTERS = "letters="
_WORDS = re.compile(
    r"(?:open|(?P<clean>clean)(?: (?P<written>[0-9]+))?)(?: key=(?P<key>[0-9a-f]*))?"
    r"(?: letters=(?P<topic>[\w-]+):(?P<offsets>[0-9]+(?:,[0-9]+)*))?"
)


class Letters(NamedTuple):
    """Records of a partition whose dead letters are written, though not what came before them."""

    topic_id: str
    offsets: tuple[int, ...]
    """In growing order."""

    def __str__(self) -> str:
        return f"{self.topic_id}:{','.join(map(str, self.offsets))}"


class Commit(NamedTuple):
    """What a group has committed for a partition."""

    next_offset: int
    """Last finished + 1."""
    standing: Standing
    written_ms: int | None = None
    """Of a clean one: Unix time after the last write for the partition; None: nobody knows."""
    key_schema: str | None = None
    """Name of the schema of the last key that was taken in; empty if keys tell none. None: nobody
    knows."""
    letters: Letters | None = None
    """At or above ``next_offset``: whoever reads them again sends none."""

    @property
    def metadata(self) -> str:
        """As Kafka keeps it: ``open``, ``clean``, ``clean 1764175800123 key=7 letters=ID:3,5``."""
        words = [self.standing.value]
        if self.standing is Standing.CLEAN and self.written_ms is not None:
            words.append(str(self.written_ms))
        if self.key_schema is not None:
            words.append(f"{_KEY}{self.key_schema}")
        if self.letters is not None:
            words.append(f"{_LETTERS}{self.letters}")
        return " ".join(words)

    @classmethod
    def of(cls, next_offset: int, metadata: str | None) -> Self:
        """What somebody committed; whoever says anything else than we do counts as open."""
        said = _WORDS.fullmatch(metadata or "")
        if said is None:
            return cls(next_offset, Standing.OPEN)
        written = said["written"]
        return cls(
            next_offset,
            Standing.CLEAN if said["clean"] else Standing.OPEN,
            None if written is None else int(written),
            said["key"],
            _letters(said["topic"], said["offsets"]),
        )


def _letters(topic_id: str | None, offsets: str | None) -> Letters | None:
    if topic_id is None or offsets is None:
        return None
    return Letters(topic_id, tuple(map(int, offsets.split(","))))


UNKNOWN = Commit(-1, Standing.OPEN)
"""The brokers did not say in time what is committed: nobody can rule out the worst."""


class AssignmentListener(Protocol):
    """Told about partitions from inside ``poll`` and ``close``, in the thread that called them."""

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These came in addition to the ones held (cooperative rebalancing); may be empty.

        ``Source.committed`` tells with what the last owner left them.
        """
        ...

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These go after this call returns: finish or forget, and commit. May block briefly."""
        ...

    def on_lost(self, partitions: Collection[TopicPartition]) -> None:
        """These are already somebody else's: commit nothing, forget."""
        ...


@immutable
class Polled:
    """What one poll brought."""

    records: Sequence[Record] = ()
    ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Partitions whose end was reached after these records, and the offset of that end; more may
    come later."""


class Source(Protocol):
    """A member of a consumer group."""

    def start(self, listener: AssignmentListener) -> None:
        """Join the group and subscribe; the listener hears of partitions at later polls."""
        ...

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        """Up to ``max_records`` records of partitions that are not paused.

        The offsets of a partition grow. Where one is lower than before, everything from there on
        comes again: the topic was made anew, or the log was cut off.

        Blocks at most about ``timeout_s``; must be called at least every poll interval, also when
        everything is paused. An outage of the brokers is silence, not an error.

        Raises:
            FatalError: authentication or authorisation failed, the member was fenced, or no
                topic exists and none can appear.
        """
        ...

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Stop returning records of these; unknown partitions are ignored."""
        ...

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Return records of these again; unknown partitions are ignored."""
        ...

    def commit(self, commits: Mapping[TopicPartition, Commit]) -> None:
        """Send commits without waiting.

        Failures are retried by the next commit; ``committed()`` tells what got through.
        """
        ...

    def commit_now(self, commits: Mapping[TopicPartition, Commit], timeout_s: float) -> bool:
        """Commit and wait for the broker's word; true if it came in time.

        For revoke and shutdown.
        """
        ...

    def committed(self) -> Mapping[TopicPartition, Commit]:
        """What the broker has of the partitions held: found when they came, or confirmed since.

        A partition of which the group never committed anything is not in it; ``UNKNOWN`` where the
        broker did not say. What somebody else committed, without our metadata, counts as open.
        """
        ...

    def ends(self, timeout_s: float) -> Mapping[TopicPartition, tuple[int, int]]:
        """Where the group stands and where the topics end, for all partitions of the subscription.

        The value is (next offset of the group, or the log's start; present end).

        Raises:
            RetriableError: the brokers do not answer.
        """
        ...

    @property
    def partitions_in_all(self) -> int | None:
        """Partitions of the whole subscription, held by anybody; None: not known yet.

        May be late by half a minute. Never blocks.
        """
        ...

    def close(self) -> None:
        """Leave the group; calls ``on_revoked`` for what is held. Idempotent."""
        ...


class Span(NamedTuple):
    """A part of a partition: offsets from ``start``, below ``end``."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Offsets in it; some may have no record."""
        return max(0, self.end - self.start)


class Reach(NamedTuple):
    """What a partition holds, and where its group stands in it."""

    log: Span
    """From its first offset to its present end."""
    committed: int | None
    """Next offset of the group, even if the log has no such offset; None if it has none."""
    next_offset: int
    """Where the group would go on: an offset that the log does not have is reset."""


class SpanReader(Protocol):
    """Reads the topics beside their group: it joins nothing and commits nothing.

    One thread owns it.
    """

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        """All partitions of the subscription; none if no topic of it exists.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        ...

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        """What the group still has to read, of all partitions of the subscription.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        ...

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        """All records of these parts, in the order of each partition.

        Raises:
            RetriableError: the brokers fell silent.
            FatalError: they refuse.
        """
        ...

    def close(self) -> None:
        """Drop connections."""
        ...
