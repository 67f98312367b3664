"""Connect's schemas, as its JsonConverter writes them into messages, as column types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.decode.column_type import ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping


def connect_type(schema: Mapping[str, Any]) -> ColumnType:
    """The type that a schema describes.

    Raises:
        LookupError, TypeError, AttributeError: it is no such schema.
    """
    inner = schema.get("items", schema.get("values"))
    return ColumnType(
        schema["type"],
        schema.get("name") or "",
        schema.get("parameters") or {},
        None if inner is None else connect_type(inner),
        tuple((field["field"], connect_type(field)) for field in schema.get("fields") or ()),
    )
