"""The columns of one row: what is unavailable is set apart, the rest is converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from worker.decode.part import Part
from worker.decode.shape import METADATA_PREFIX
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.decode.column_type import ColumnType
    from worker.errors import RecordError
    from worker.model import Value

NOTHING: frozenset[str] = frozenset()


class RowReader(Protocol):
    """Turns the raw columns of a row into values."""

    def unavailable(self, raw: Mapping[str, Any]) -> frozenset[str]:
        """Columns in whose place the placeholder stands."""
        ...

    def read(self, raw: Mapping[str, Any], unavailable: frozenset[str]) -> dict[str, Value]:
        """The values of the wanted columns.

        Raises:
            RecordError: a column's bytes are not of its type.
        """
        ...


@immutable
class TypedRow:
    """Reads rows whose types are known; all work is prepared per schema."""

    columns: tuple[str, ...]
    """Wanted columns that the schema has."""
    conversions: tuple[tuple[str, Callable[[Any], Value]], ...]
    """Only for columns that need one."""
    marks: tuple[tuple[str, tuple[Value, ...]], ...]
    """The placeholder's shapes, for columns that may have it."""
    missing: tuple[str, ...]
    """Wanted columns that the schema lacks: they are absent from the row, too."""

    def unavailable(self, raw: Mapping[str, Any]) -> frozenset[str]:
        """See the protocol."""
        found = [column for column, marks in self.marks if raw.get(column) in marks]
        return frozenset(found) if found else NOTHING

    def read(self, raw: Mapping[str, Any], unavailable: frozenset[str]) -> dict[str, Value]:
        """See the protocol."""
        row = {column: raw.get(column) for column in self.columns}
        for column in unavailable:
            del row[column]
        column = ""
        try:
            for column, convert in self.conversions:
                value = row.get(column)
                if value is not None:
                    row[column] = convert(value)
        except Exception as error:
            raise broken_column(Part.VALUE, column) from error
        return row


NO_ROW = TypedRow((), (), (), ())
"""For records that are no row."""


@immutable
class UntypedRow:
    """Reads rows of JSON without schema: values stay as they are."""

    wanted: frozenset[str] | None
    """None for all columns."""
    marks: tuple[Value, ...]

    def unavailable(self, raw: Mapping[str, Any]) -> frozenset[str]:
        """See the protocol."""
        names = raw if self.wanted is None else self.wanted & raw.keys()
        found = [name for name in names if raw[name] in self.marks]
        return frozenset(found) if found else NOTHING

    def read(self, raw: Mapping[str, Any], unavailable: frozenset[str]) -> dict[str, Value]:
        """See the protocol."""
        names = self.wanted
        if names is None:
            names = frozenset(name for name in raw if not name.startswith(METADATA_PREFIX))
        return {name: raw[name] for name in names if name in raw and name not in unavailable}


@immutable
class RowRules:
    """How columns are chosen and read in one format; makes a reader for each schema."""

    wanted: frozenset[str] | None
    conversion: Callable[[ColumnType], Callable[[Any], Value] | None]
    marks: Callable[[ColumnType], tuple[Value, ...]]

    def reader(self, row: ColumnType) -> TypedRow:
        """A reader for rows of this struct."""
        chosen = [(n, kind) for n, kind in row.fields if self.wanted is None or n in self.wanted]
        converts = ((name, self.conversion(kind)) for name, kind in chosen)
        marks = ((name, self.marks(kind)) for name, kind in chosen)
        return TypedRow(
            columns=tuple(name for name, _ in chosen),
            conversions=tuple((name, convert) for name, convert in converts if convert),
            marks=tuple((name, shapes) for name, shapes in marks if shapes),
            missing=tuple(sorted((self.wanted or NOTHING) - row.field_names)),
        )


def broken_column(part: Part, column: str) -> RecordError:
    """A value that no database writes for a column of this type."""
    return part.error(f"column {column} of the {part} is not of its type", kind="BrokenColumn")
