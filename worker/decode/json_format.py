"""Keys and values in JSON: typed by the schema in the message, or taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.decode.column_type import STRUCTS
from worker.decode.conversion import json_conversion
from worker.decode.formats import RawValue, not_a_row
from worker.decode.json_message import WithSchema, without_schema
from worker.decode.key import TypedKey, UntypedKey, key_reader
from worker.decode.part import Part
from worker.decode.row import NO_ROW, RowRules, TypedRow, UntypedRow
from worker.decode.shape import Kind, kind_of, row_type

if TYPE_CHECKING:
    from worker.decode.column_type import ColumnType
    from worker.decode.columns import WantedColumns
    from worker.decode.key import KeyReader
    from worker.decode.placeholder import Placeholder
    from worker.decode.port import SchemaNeeded
    from worker.model import Record

_UNTYPED_KEY = UntypedKey()


class JsonKeys:
    """Reads keys of ``{"schema":…,"payload":…}``."""

    def __init__(self) -> None:
        self._messages: WithSchema[TypedKey] = WithSchema(
            Part.KEY, lambda kind: key_reader(kind, json_conversion)
        )

    def read(self, data: bytes, _record: Record) -> tuple[KeyReader, Any] | None:
        """See the protocol."""
        return self._messages.read(data)

    def load(self, needed: SchemaNeeded) -> None:
        """Nothing: the schemas are in the messages."""


class UntypedJsonKeys:
    """Reads keys without schema."""

    def read(self, data: bytes, _record: Record) -> tuple[KeyReader, Any] | None:
        """See the protocol."""
        content = without_schema(data, Part.KEY)
        return None if content is None else (_UNTYPED_KEY, content)

    def load(self, needed: SchemaNeeded) -> None:
        """Nothing: there are no schemas."""


class JsonValues:
    """Reads values of ``{"schema":…,"payload":…}``; ``columns`` None for all."""

    def __init__(
        self, columns: frozenset[str] | None, wanted: WantedColumns, placeholder: Placeholder
    ) -> None:
        self._wanted = wanted
        self._rules = RowRules(columns, json_conversion, placeholder.json_marks)
        self._messages: WithSchema[tuple[Kind, TypedRow]] = WithSchema(Part.VALUE, self._prepare)

    def read(self, data: bytes, record: Record) -> RawValue | None:
        """See the protocol."""
        read = self._messages.read(data)
        if read is None:
            return None
        (kind, row), payload = read
        if not isinstance(payload, dict):
            raise not_a_row(type(payload).__name__)
        if row.missing:
            self._wanted.warn(record.topic, row.missing)
        return RawValue(kind, payload, row)

    def load(self, needed: SchemaNeeded) -> None:
        """Nothing: the schemas are in the messages."""

    def _prepare(self, value: ColumnType) -> tuple[Kind, TypedRow]:
        if value.base not in STRUCTS:
            raise not_a_row(value.base)
        kind = kind_of(value.field_names, value.name)
        row = row_type(value)
        return kind, self._rules.reader(row) if row else NO_ROW


class UntypedJsonValues:
    """Reads values without schema; ``columns`` None for all."""

    def __init__(
        self, columns: frozenset[str] | None, wanted: WantedColumns, placeholder: Placeholder
    ) -> None:
        self._wanted = wanted
        self._row = UntypedRow(columns, placeholder.untyped_marks)

    def read(self, data: bytes, record: Record) -> RawValue | None:
        """See the protocol."""
        content = without_schema(data, Part.VALUE)
        if content is None:
            return None
        if not isinstance(content, dict):
            raise not_a_row(type(content).__name__)
        kind = kind_of(content.keys())
        row = content.get("after") if kind is Kind.ENVELOPE else content
        if kind.is_row and isinstance(row, dict):
            self._wanted.warn(record.topic, self._wanted.missing(row.keys()))
        return RawValue(kind, content, self._row)

    def load(self, needed: SchemaNeeded) -> None:
        """Nothing: there are no schemas."""
