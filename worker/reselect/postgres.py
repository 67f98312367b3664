"""Missing columns from PostgreSQL: many rows of a table in one query, by their keys."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import psycopg

from worker.errors import FatalError, RecordError
from worker.immutable import immutable
from worker.reselect.port import unreadable
from worker.reselect.postgres_errors import failed_query, is_about_data
from worker.reselect.postgres_pool import PostgresPool
from worker.reselect.postgres_rows import Rows
from worker.reselect.postgres_table import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.config.reselect import ReselectSettings
    from worker.reselect.port import Answer, Missing
    from worker.reselect.postgres_pool import Connection

CONNECTOR = "postgresql"


@immutable
class _Group:
    """What rows have in common that one query reads."""

    connector: str
    db: str | None
    schema: str
    table: str
    keys: tuple[str, ...]
    added: frozenset[str]
    columns: frozenset[str]

    @classmethod
    def of(cls, missing: Missing) -> _Group:
        """The group of a row.

        Raises:
            RecordError: its record does not say where it comes from.
        """
        origin = missing.origin
        if origin.schema is None or origin.table is None:
            raise unreadable(
                "the record does not say which table its row is of; records that "
                "ExtractNewRecordState flattened need add.fields=db,schema,table"
            )
        keys = tuple(name for name, _ in missing.key.columns)
        place = (origin.connector, origin.db, origin.schema, origin.table)
        return cls(*place, keys, missing.added, missing.columns)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


class PostgresReselector:
    """Reads in read-only transactions; see the protocol."""

    def __init__(self, settings: ReselectSettings) -> None:
        """Nothing is opened yet.

        Raises:
            ConfigError: ``reselect.url`` cannot be used.
        """
        self._pool = PostgresPool(settings)

    def read(self, wanted: Sequence[Missing]) -> Sequence[Answer]:
        """See the protocol."""
        answers: list[Answer] = [None] * len(wanted)
        groups: defaultdict[_Group, list[int]] = defaultdict(list)
        for index, missing in enumerate(wanted):
            try:
                groups[_Group.of(missing)].append(index)
            except RecordError as error:
                answers[index] = error
        for group, indexes in groups.items():
            found = self._read(group, [wanted[index] for index in indexes])
            for index, answer in zip(indexes, found, strict=True):
                answers[index] = answer
        return answers

    def close(self) -> None:
        """See the protocol."""
        self._pool.close()

    def _read(self, group: _Group, wanted: Sequence[Missing]) -> Sequence[Answer]:
        """Halve what fails by its data until the row at fault stands alone."""
        try:
            with self._pool.transaction() as connection:
                return _answers(connection, group, wanted)
        except psycopg.Error as error:
            if not is_about_data(error):
                raise failed_query(error, str(group)) from error
        except UnicodeError:
            pass  # a text that is not of the database's encoding
        if len(wanted) == 1:
            return [unreadable(f"PostgreSQL cannot read this row of {group}, or its key")]
        middle = len(wanted) // 2
        return [*self._read(group, wanted[:middle]), *self._read(group, wanted[middle:])]


def _answers(connection: Connection, group: _Group, wanted: Sequence[Missing]) -> list[Answer]:
    _expect_source(connection, group)
    table = table_of(connection, group.schema, group.table)
    try:
        keys = wanted[0].found_by(table.columns)
        rows = Rows(table, keys, sorted(group.columns))
    except RecordError as error:
        return [error] * len(wanted)
    return rows.read(connection, [missing.key for missing in wanted])


def _expect_source(connection: Connection, group: _Group) -> None:
    """What has the same name in another database is another row."""
    if group.connector not in {"", CONNECTOR}:
        raise FatalError(
            f"reselect.url is a PostgreSQL database, and rows of {group} come from "
            f"{group.connector}"
        )
    connected = connection.info.dbname
    if group.db not in {None, connected}:
        raise FatalError(
            f"reselect.url is the database {connected}, and rows of {group} come from {group.db}"
        )
