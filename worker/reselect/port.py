"""What the pipeline needs of the source database: the columns that a change came without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from worker.errors import RecordError, Stage
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from worker.model import Change, Key, Origin, Value

Answer: TypeAlias = "Mapping[str, Value] | RecordError | None"
"""The missing columns by name; why they cannot be read; or None: the row is not there."""


@immutable
class Missing:
    """A row, and the columns of it that are wanted."""

    key: Key
    """Its columns are looked up by name; they have to be unique in the table."""
    origin: Origin
    columns: frozenset[str]
    added: frozenset[str] = frozenset()
    """Columns of the key that the record's row has not: a transform put them there, such as
    ``ByLogicalTableRouter``, or ``column.exclude.list`` keeps them out of the row."""

    @classmethod
    def of(cls, change: Change, columns: frozenset[str]) -> Missing:
        """These columns of a change's row."""
        names = {name for name, _ in change.key.columns}
        return cls(
            change.key,
            change.origin,
            columns,
            frozenset(names - change.after.keys() - change.unavailable),
        )

    def found_by(self, table: Container[str]) -> tuple[str, ...]:
        """The columns of the key that rows of a table with these columns are found by.

        Raises:
            RecordError: there are none.
        """
        names = [name for name, _ in self.key.columns]
        found = tuple(name for name in names if name in table or name not in self.added)
        if not found:
            raise unreadable(f"the key ({', '.join(names)}) has no column of the table")
        return found


class Reselector(Protocol):
    """Reads rows as they are now, which may be newer than the change that lacks the columns.

    Values have exactly the form that the decode step gives to the same column from a connector
    with Debezium's default handling modes, so that the text is the same by every road.
    """

    def read(self, wanted: Sequence[Missing]) -> Sequence[Answer]:
        """An answer for each row, in their order. Blocks; safe from several threads.

        Rows of one table and one set of columns are read by one query. What is wrong with one row,
        or with the type of a column, is its answer and disturbs no other row.

        Raises:
            RetriableError: the database is away, overloaded, or slower than the time-out.
            FatalError: it refuses the login or the reading, it is not the database that the rows
                come from, or it has no such table.
        """
        ...

    def close(self) -> None:
        """Drop connections."""
        ...


def unreadable(what: str) -> RecordError:
    """A column that stays unavailable; ``what`` names columns and types, never values."""
    return RecordError(what, stage=Stage.DOCUMENT, kind="UnavailableColumn")
