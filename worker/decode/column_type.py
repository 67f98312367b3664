"""The type of a column as Kafka Connect means it, whichever format wrote it down."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

INTEGERS = frozenset({"int", "long", "int8", "int16", "int32", "int64"})
"""Base types whose values are integers, in Avro's and Connect's words."""

FLOAT32 = frozenset({"float", "float32"})
FLOATS = FLOAT32 | {"double", "float64"}
BYTES = frozenset({"bytes", "fixed"})
STRINGS = frozenset({"string", "enum"})
STRUCTS = frozenset({"record", "struct"})


@immutable
class ColumnType:
    """What the bytes are (``base``) and what they mean (``name``)."""

    base: str
    """Avro's or Connect's word for the physical type; ``union`` where several are possible."""
    name: str = ""
    """Connect's semantic name such as ``io.debezium.time.Date``; Avro's logical type if there is
    none."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Connect's schema parameters, such as the scale of a decimal."""
    element: ColumnType | None = None
    """Type of the elements of an array, or of the values of a map."""
    fields: tuple[tuple[str, ColumnType], ...] = ()
    """Fields of a struct, in order."""

    @property
    def field_names(self) -> frozenset[str]:
        """Names of a struct's fields; empty for all others."""
        return frozenset(name for name, _ in self.fields)

    def field(self, wanted: str) -> ColumnType | None:
        """The type of one field of a struct."""
        return next((kind for name, kind in self.fields if name == wanted), None)
