"""What a table looks like, and the query that reads rows of it by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from worker.errors import FatalError
from worker.immutable import immutable
from worker.reselect.port import unreadable
from worker.reselect.postgres_keys import can_be_key, key_text
from worker.reselect.postgres_values import array_reader, scalar_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.model import Key, Value
    from worker.reselect.postgres_pool import Connection

COLUMNS = """
WITH RECURSIVE resolved AS (
    SELECT a.attname AS name, a.atttypid AS type, a.atttypmod AS modifier
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT r.name, t.typbasetype, t.typtypmod
      FROM resolved r
      JOIN pg_catalog.pg_type t ON t.oid = r.type AND t.typtype = 'd'
)
SELECT r.name, n.nspname, t.typname,
       CASE WHEN t.typtype = 'e' THEN 'enum' ELSE t.typname || numeric.kind END,
       CASE WHEN e.typtype = 'e' THEN 'enum' ELSE e.typname || numeric.kind END
  FROM resolved r
  JOIN pg_catalog.pg_type t ON t.oid = r.type AND t.typtype <> 'd'
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
 CROSS JOIN LATERAL (
    SELECT CASE WHEN 'numeric' NOT IN (t.typname, coalesce(e.typname, '')) THEN ''
                WHEN r.modifier = -1 THEN ' of any scale'
                WHEN (r.modifier - 4) & 1024 <> 0 THEN ' of negative scale'
                ELSE '' END
 ) AS numeric (kind)
"""
"""Columns and their types, domains resolved; types of extensions differ in oid, so by name."""

_ROWS = sql.SQL(
    "SELECT wanted.ordinality, {values}"
    " FROM unnest({keys}) WITH ORDINALITY AS wanted({names}, ordinality)"
    " JOIN {table} AS t ON {matches}"
)


@immutable
class Column:
    """One column of a table."""

    name: str
    type_schema: str
    type_name: str
    kind: str
    """The type's name, ``enum`` for all enums, or numeric's with its kind of scale."""
    element: str | None
    """The same of an array's elements."""

    @property
    def reader(self) -> Callable[[Any], Value] | None:
        """Makes a value of what was selected; None if that cannot be matched exactly."""
        return scalar_reader(self.kind) if self.element is None else array_reader(self.element)

    @property
    def selected(self) -> sql.Composable:
        """The expression that selects it as text, or as a list of texts.

        Arrays of other types than the built-in ones come as lists only after a cast, which would
        take the padding of ``char(n)`` away.
        """
        column = sql.SQL("t.{}").format(sql.Identifier(self.name))
        if self.kind == "hstore":
            return column + sql.SQL("::json")
        if self.element is None or self.element == "bpchar":
            return column
        return column + sql.SQL("::text[]")

    @property
    def type(self) -> sql.Composable:
        """The type for a cast; without modifiers, so that nothing is cut off."""
        return sql.Identifier(self.type_schema, self.type_name)


@immutable
class Table:
    """A table of the source."""

    schema: str
    name: str
    columns: Mapping[str, Column]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """A column.

        Raises:
            RecordError: there is none of this name any more; younger records do not ask for it.
        """
        found = self.columns.get(name)
        if found is None:
            raise unreadable(
                f"the table {self} of the source database has no column {name}: it was dropped or "
                "renamed after the change, or reselect.url is not the database that Debezium reads"
            )
        return found

    def reader(self, name: str) -> Callable[[Any], Value]:
        """What makes values of a column.

        Raises:
            RecordError: its type cannot be matched exactly, or there is no such column any more.
        """
        column = self.column(name)
        reader = column.reader
        if reader is None:
            raise unreadable(
                f"column {name} of {self} is of type {column.type_name}, which cannot be read from "
                "the database exactly as Debezium sends it; set REPLICA IDENTITY FULL on the table"
            )
        return reader

    def key_texts(self, key: Key, names: Sequence[str]) -> tuple[str, ...]:
        """The values of these columns of a key for the query.

        Raises:
            RecordError: no row can be found by one of them.
        """
        values = dict(key.columns)
        return tuple(self._key_text(name, values[name]) for name in names)

    def _key_text(self, name: str, value: Value) -> str:
        text = key_text(self.column(name).kind, value)
        if text is None:
            raise unreadable(f"no row of {self} can be found by this value of {name}")
        return text

    def _key_column(self, name: str) -> Column:
        column = self.column(name)
        if not can_be_key(column.kind):
            raise unreadable(
                f"rows of {self} cannot be found by {name}, as its type is {column.type_name}"
            )
        return column

    def query(self, keys: Sequence[str], columns: Sequence[str]) -> sql.Composed:
        """Selects the columns of all rows whose keys are in the parameters, one array a column.

        The first column of the result is the number of the key, from 1.

        Raises:
            RecordError: rows cannot be found by a column of this type, or it is not there any more.
        """
        parameters = [sql.SQL(f"${number + 1}::text[]") for number in range(len(keys))]
        names = [sql.Identifier(f"k{number}") for number in range(len(keys))]
        matches = (
            sql.SQL("t.{} = wanted.{}::{}").format(
                sql.Identifier(key), name, self._key_column(key).type
            )
            for key, name in zip(keys, names, strict=True)
        )
        return _ROWS.format(
            values=sql.SQL(", ").join([self.column(name).selected for name in columns]),
            keys=sql.SQL(", ").join(parameters),
            names=sql.SQL(", ").join(names),
            table=sql.Identifier(self.schema, self.name),
            matches=sql.SQL(" AND ").join(matches),
        )


def table_of(connection: Connection, schema: str, name: str) -> Table:
    """A table of the database, as it is now.

    Raises:
        FatalError: there is none of this name.
    """
    columns = [Column(*row) for row in connection.execute(COLUMNS, [schema, name])]
    if not columns:
        raise FatalError(
            f"the source database has no table {schema}.{name}: it was dropped or renamed, or "
            "reselect.url is not the database that Debezium reads"
        )
    return Table(schema, name, {column.name: column for column in columns})
