"""What the pipeline needs of the source database: the columns that a change came without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from worker.errors import RecordError, Stage
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.model import Key, Origin, Value

Answer: TypeAlias = "Mapping[str, Value] | RecordError | None"
"""The missing columns by name; why they cannot be read; or None: the row is not there."""


@immutable()
class Missing:
    """A row, and the columns of it that are wanted."""

    key: Key
    """Its columns are looked up by name; they have to be unique in the table."""
    origin: Origin
    columns: frozenset[str]


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
