"""What the decoder needs of a format: structs, and readers for their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from worker.decode.part import Part

if TYPE_CHECKING:
    from worker.decode.key import KeyReader
    from worker.decode.port import SchemaNeeded
    from worker.decode.row import RowReader
    from worker.decode.shape import Kind
    from worker.errors import RecordError
    from worker.model import Record


class RawValue(NamedTuple):
    """A value whose bytes are read, and the way to its row."""

    kind: Kind
    fields: dict[str, Any]
    """The struct; empty where ``kind`` is no row."""
    row: RowReader


class KeyFormat(Protocol):
    """Reads keys of one format. All methods but ``load`` never block."""

    def read(self, data: bytes, record: Record) -> tuple[KeyReader, Any] | None:
        """A key's struct or scalar, and how to make an identity of it; None for a null in JSON.

        Raises:
            SchemaNeeded, RecordError: as in ``Decoder.decode``.
        """
        ...

    def load(self, needed: SchemaNeeded) -> None:
        """Fetch a schema, as in ``Decoder.load``."""
        ...


class ValueFormat(Protocol):
    """Reads values of one format. All methods but ``load`` never block."""

    def read(self, data: bytes, record: Record) -> RawValue | None:
        """A value's struct; None for a null, which is a tombstone.

        Raises:
            SchemaNeeded, RecordError: as in ``Decoder.decode``.
        """
        ...

    def load(self, needed: SchemaNeeded) -> None:
        """Fetch a schema, as in ``Decoder.load``."""
        ...


def not_a_row(found: str) -> RecordError:
    """A value that is a plain value and no struct."""
    return Part.VALUE.error(
        f"the value is a {found}, neither Debezium's envelope nor a row: take the topic out of "
        "topics, or the transform that unpacks the value out of the source connector",
        kind="NotAnEnvelope",
    )
