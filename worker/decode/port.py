"""What the pipeline needs of a decoder: a record's bytes to the change of a row."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable
from worker.model import Origin

if TYPE_CHECKING:
    from worker.model import Change, Key, Record

NEW_KEY = "__debezium.newkey"
"""Header of the delete half of a key change."""
OLD_KEY = "__debezium.oldkey"
"""Header of the create half."""


@immutable
class NotARow:
    """A record that is no row change: heartbeat, schema change, truncate and the like."""

    kind: str
    """Short stable name, for counters and logs: ``heartbeat``, ``schema-change``, ``truncate`` …"""
    origin: Origin = field(default_factory=Origin)
    """Of a truncate: which table, and when."""


class SchemaNeeded(Exception):  # noqa: N818 - control flow between decoder and pipeline, no failure
    """The schema of this record is not in memory; ``Decoder.load`` gets it, off the poll thread."""

    def __init__(self, schema_id: int, topic: str) -> None:
        super().__init__(f"schema {schema_id} of {topic} is not loaded")
        self.schema_id = schema_id
        self.topic = topic


class Decoder(Protocol):
    """Bytes to changes."""

    def decode(self, record: Record) -> Change | NotARow:
        """Decode key and value. Never does I/O; called in the poll thread for every record.

        Raises:
            SchemaNeeded: call ``load`` with it (in another thread), then decode again.
            RecordError: broken bytes, or a schema that the registry does not know.
            FatalError: every record is at fault, such as a topic without keys.
        """
        ...

    def key(self, record: Record) -> Key | None:
        """The row of a record that cannot be decoded, as far as its key can be. Never does I/O."""
        ...

    def load(self, needed: SchemaNeeded) -> None:
        """Fetch a schema into memory. Blocks on the network; safe from several threads.

        A schema id that does not exist (404 with code 40403) is remembered: the next ``decode``
        raises RecordError for it.

        Raises:
            RetriableError: the registry is away or overloaded.
            FatalError: it refuses us (401, 403), or the schema cannot be used at all.
        """
        ...

    def close(self) -> None:
        """Drop connections."""
        ...
