"""What kind of record a struct is, told by its fields and never by the topic's name.

Sources: Debezium's ``Envelope``, ``SchemaFactory`` and the documentation of heartbeats, transaction
metadata, schema changes and notifications.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.decode.column_type import STRUCTS
from worker.decode.origin import SOURCE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from worker.decode.column_type import ColumnType
    from worker.decode.projection import Wanted

METADATA_PREFIX = "__"
"""Begins the fields that ``ExtractNewRecordState`` adds (``add.fields.prefix``)."""


class Kind(StrEnum):
    """Kinds of record values; for what is no row, the value is ``NotARow.kind``."""

    ENVELOPE = "envelope"
    """Debezium's envelope of a row change (or of a truncate or message, as ``op`` says)."""
    FLAT = "flat"
    """A plain row, as ``ExtractNewRecordState`` makes it."""
    MESSAGE = "message"
    """PostgreSQL's logical decoding message."""
    HEARTBEAT = "heartbeat"
    TRANSACTION = "transaction"
    SCHEMA_CHANGE = "schema-change"
    NOTIFICATION = "notification"

    def __init__(self, value: str) -> None:
        self.is_row = value in {"envelope", "flat"}
        """Whether it may carry a row."""


_ROW = ".Value"
"""Ends the names of the structs that are made from a table, whose columns may have any names."""
_INTERNAL = "io.debezium."
"""Begins the names of all structs that are not made from a table."""


def kind_of(fields: AbstractSet[str], struct_name: str = "") -> Kind:
    """The kind of a struct with these fields; ``struct_name`` is empty where there is no schema."""
    if {"op", "source"} <= fields and not struct_name.endswith(_ROW):
        if fields & {"before", "after"}:
            return Kind.ENVELOPE
        if "message" in fields:
            return Kind.MESSAGE
    if struct_name and not struct_name.startswith(_INTERNAL):
        return Kind.FLAT  # a table may have any columns
    return _internal_kind(fields)


def row_type(value: ColumnType) -> ColumnType | None:
    """The struct of the row within a value of this type; None if it holds no row."""
    if value.base not in STRUCTS:
        return None
    kind = kind_of(value.field_names, value.name)
    if kind is Kind.ENVELOPE:
        return value.field("after")
    if kind is Kind.FLAT:
        columns = tuple(f for f in value.fields if not f[0].startswith(METADATA_PREFIX))
        return replace(value, fields=columns)
    return None


def wanted_fields(kind: Kind, value: ColumnType, columns: frozenset[str] | None) -> Wanted:
    """What has to be read of a value of this kind for these columns of its row; None for all."""
    if kind is Kind.ENVELOPE:
        row = None if columns is None else dict.fromkeys(columns)
        return {"op": None, "source": dict.fromkeys(SOURCE_FIELDS), "after": row}
    if columns is None:
        return None
    about = (name for name in value.field_names if name.startswith(METADATA_PREFIX))
    return dict.fromkeys((*columns, *about))


def _internal_kind(fields: AbstractSet[str]) -> Kind:
    if fields == {"ts_ms"}:
        return Kind.HEARTBEAT
    if {"status", "id", "data_collections"} <= fields:
        return Kind.TRANSACTION
    if {"ddl", "databaseName"} <= fields:
        return Kind.SCHEMA_CHANGE
    if {"aggregate_type", "additional_data"} <= fields:
        return Kind.NOTIFICATION
    return Kind.FLAT
