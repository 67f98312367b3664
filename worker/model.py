"""The nouns of the pipeline: what a record becomes on its way to the index.

``Record`` → ``Change`` → ``Document`` → ``Point``, and ``Outcome`` for how it ended.
All are immutable; several threads may hold the same one. What serves as a dictionary key for
every record is a NamedTuple, as those hash in C.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float32]

Value: TypeAlias = Any
"""A decoded column: None, bool, int, float, Decimal, str, bytes, date, time, datetime, timedelta,
list (arrays) or dict (structs). A json column is a str in one normal form."""

MetadataValue: TypeAlias = str | int | float | bool | list[str]
"""What every store can keep as metadata. Never None, never NaN."""

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
"""Kafka headers: ordered, names may repeat, values may be null."""


_HEADER_BYTES = 64


@immutable
class Record:
    """One Kafka message, as bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int | None = None
    """Create or append time; None where the broker has none (NO_TIMESTAMP)."""
    topic_id: str = ""
    """The UUID that Kafka gave the topic, as text; empty if the broker has none."""

    @property
    def position(self) -> Position:
        """Where it stood."""
        return Position(self.topic_id, self.partition, self.offset)

    @property
    def size(self) -> int:
        """About the bytes that it takes to hold it; headers are counted, not measured."""
        return len(self.key or b"") + len(self.value or b"") + _HEADER_BYTES * len(self.headers)


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@immutable
class Position:
    """Where a record stood. Two positions compare only within one topic id and partition."""

    topic_id: str
    partition: int
    offset: int

    def comparable(self, other: Position) -> bool:
        """Whether the offsets of both say which came first; an empty topic id never compares."""
        return (
            self.topic_id != ""
            and self.topic_id == other.topic_id
            and self.partition == other.partition
        )

    def is_before(self, other: Position) -> bool:
        """Whether this is provably older; false where the two do not compare."""
        return self.comparable(other) and self.offset < other.offset


class Key(NamedTuple):
    """Identity of a row: the decoded key columns in key order, never the key's bytes."""

    topic: str
    columns: tuple[tuple[str, Value], ...]
    """(column, value) pairs; the values are hashable scalars."""


class Op(StrEnum):
    """What happened to the row, as Debezium says it in ``op``."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    READ = "r"
    """A row read by a snapshot."""
    TOMBSTONE = "tombstone"
    """A null value under the row's key: the row is gone."""

    def __init__(self, value: str) -> None:
        self.removes = value in {"d", "tombstone"}
        """Whether the row is gone afterwards."""


@immutable
class Origin:
    """Where in the source database a change came from."""

    connector: str = ""
    """``postgresql``, ``mysql`` or ``mariadb``."""
    db: str | None = None
    schema: str | None = None
    table: str | None = None
    committed_ms: int | None = None
    """``source.ts_ms``: the commit time; for snapshots the time of reading."""
    position: int | None = None
    """Grows with the source's log: the LSN for Postgres, file number · 2³² + pos for MySQL.
    Comparable only while the source stays the same server."""


@immutable
class Change:
    """A decoded record: what happened to one row."""

    record: Record
    """As it came, for the DLQ; its bytes also count against the memory bound."""
    key: Key
    op: Op
    after: Mapping[str, Value]
    """The row after the change, decoded; empty for deletes."""
    origin: Origin = field(default_factory=Origin)
    unavailable: frozenset[str] = frozenset()
    """Columns in whose place Debezium sent its TOAST placeholder; they are absent from
    ``after``."""
    moved_from: Key | None = None
    """The row's old key, for the create half of a key change."""
    moves_away: bool = False
    """The delete half of a key change (``__debezium.newkey``)."""
    is_left_by_tombstone: bool = False
    """Whether deletes of its topic are tombstones, which tell no position (flattened records)."""
    linked_at: int | None = None
    """Source position of the change that ``moved_from`` was taken over from."""
    moved_to: Key | None = None
    """The row's new key, if this is the delete half of a key change."""

    @property
    def key_changed_at(self) -> int | None:
        """Source position of the key change, which both of its halves have."""
        return self.origin.position if self.linked_at is None else self.linked_at

    @property
    def departed_at(self) -> int | None:
        """The same as far as the delete half tells it."""
        return None if self.is_left_by_tombstone else self.key_changed_at

    @property
    def departed_to(self) -> Key | None:
        """The new key, by which both halves know each other where one tells no position."""
        if self.departed_at is not None:
            return None
        return self.moved_to if self.op.removes else self.key

    @property
    def position(self) -> Position:
        """Where its record stood."""
        return self.record.position

    @property
    def latest_ms(self) -> int | None:
        """When it happened at the latest: its commit time, else its record's timestamp.

        Tombstones carry no commit time, but nothing reaches Kafka before it was committed.
        """
        committed_ms = self.origin.committed_ms
        return self.record.timestamp_ms if committed_ms is None else committed_ms


@immutable
class ModelId:
    """What makes two vectors comparable."""

    provider: str
    name: str
    dimensions: int
    document_mode: str = ""
    """The provider's input type for rows, such as ``search_document``; empty if it has none."""

    def __str__(self) -> str:
        """One short line, also the form in which it is stored with a point."""
        mode = f"/{self.document_mode}" if self.document_mode else ""
        return f"{self.provider}/{self.name}/{self.dimensions}{mode}"


REWRITTEN = "~"
"""Before the fingerprint of a row's text while its chunks get other metadata. Fingerprints hold no
such character."""


@immutable
class Stamp:
    """What we keep with every point, beside the user's metadata."""

    fingerprint: str
    """Hash over text, model, dimensions and input type; equal fingerprint = the vector can stay."""
    position: Position
    model: str
    """``str(ModelId)``."""
    source_position: int | None = None
    """``Origin.position`` of the change."""
    columns: tuple[str, ...] = ()
    """Digests of the columns that the text was made of (``worker.document.digests``), by which a
    change that lacks some of them is recognised as one that left the text alone."""
    document: str = ""
    """Of a row's first chunk: the fingerprint of its whole text and of how it was cut. Empty while
    chunks of another text may stand beside it, begun with ``REWRITTEN`` while only the metadata of
    its other chunks may be another."""
    chunks: int = 0
    """Of a row's first chunk: how many the row has; at most so many while they are written."""

    @property
    def whole(self) -> str:
        """Fingerprint of the row's whole text; equal only to that of a row that is complete."""
        return self.document if self.chunks else self.fingerprint

    @property
    def is_unfinished(self) -> bool:
        """Whether the chunks of the row may not fit together."""
        return self.chunks > 0 and (not self.document or self.document.startswith(REWRITTEN))

    @property
    def text(self) -> str:
        """Fingerprint of the text that all points of the row are of; empty if nobody knows."""
        return self.whole.removeprefix(REWRITTEN)


@immutable
class Document:
    """What should be in the index for one row."""

    namespace: str
    id: str
    """Of its point; if the text is cut, its chunks are the points and add their numbers to it."""
    text: str
    metadata: Mapping[str, MetadataValue]
    stamp: Stamp
    """Its fingerprint is that of the whole text."""
    dropped: tuple[str, ...] = ()
    """Metadata that was left out, as the store takes no more."""


@immutable
class Chunk:
    """A piece of a document's text, which is a point of its own."""

    id: str
    text: str
    metadata: Mapping[str, MetadataValue]
    stamp: Stamp
    """Its fingerprint is that of this piece, wherever it stands in a text."""


@immutable(eq=False)
class Point:
    """An entry of the index, as a store keeps it."""

    id: str
    vector: Vector
    metadata: Mapping[str, MetadataValue]
    """The user's keys alone; ``stamp`` holds ours."""
    stamp: Stamp | None
    """None for a point that vecsink did not write."""


class Outcome(StrEnum):
    """How one change ended. Each change gets exactly one."""

    WRITTEN = "written"
    """Embedded and upserted."""
    REUSED = "reused"
    """Upserted with the vector that the index already had for this text."""
    UNCHANGED = "unchanged"
    """The index provably has exactly this already."""
    DELETED = "deleted"
    SUPERSEDED = "superseded"
    """A newer change of the same row was written in its place."""
    STALE = "stale"
    """The index, or a newer change, is ahead of it."""
    FILTERED = "filtered"
    """Not a row (heartbeat, schema change …), or excluded on purpose."""
    DEAD_LETTERED = "dead-lettered"

    __hash__ = str.__hash__  # that of enumerations is written in Python, and each row is counted
