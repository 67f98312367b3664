"""A source database in this process, for tests: tables of decoded values."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from worker.errors import FatalError, RecordError, RetriableError
from worker.reselect.port import unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from worker.model import Origin, Value
    from worker.reselect.port import Answer, Missing

    Row = dict[str, Value]


class MemoryReselector:
    """Finds rows by their keys, as they are now. Thread-safe."""

    def __init__(self, db: str = "shop") -> None:
        self._db = db
        self._columns: dict[tuple[str, str], frozenset[str]] = {}
        self._rows: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        self._unreadable: set[tuple[str, str]] = set()
        self._is_away = False
        self._lock = threading.Lock()
        self.asked: list[Missing] = []
        """Every row that was asked for while the database was there."""

    # What tests say ------------------------------------------------------------------------

    def create(
        self, schema: str, table: str, columns: Collection[str], unreadable: Collection[str] = ()
    ) -> None:
        """Make a table; columns that are ``unreadable`` are of types that cannot be matched."""
        self._columns[schema, table] = frozenset(columns)
        self._unreadable |= {(table, column) for column in unreadable}

    def insert(self, schema: str, table: str, row: Mapping[str, Value]) -> None:
        """Add a row; what it leaves out is null. An exception as value cannot be read."""
        nothing = dict.fromkeys(self._columns[schema, table])
        self._rows[schema, table].append({**nothing, **row})

    def delete(self, schema: str, table: str, key: Mapping[str, Value]) -> None:
        """Remove the rows that hold these values."""
        kept = [row for row in self._rows[schema, table] if not key.items() <= row.items()]
        self._rows[schema, table] = kept

    def down(self) -> None:
        """From now on nothing answers."""
        self._is_away = True

    def up(self) -> None:
        """It answers again."""
        self._is_away = False

    # The port ------------------------------------------------------------------------------

    def read(self, wanted: Sequence[Missing]) -> Sequence[Answer]:
        """See the protocol."""
        with self._lock:
            if self._is_away:
                raise RetriableError("the source database does not answer")
            self.asked += wanted
            return [self._answer(missing) for missing in wanted]

    def close(self) -> None:
        """Nothing to close."""

    def _answer(self, missing: Missing) -> Answer:
        try:
            schema, table = self._table(missing.origin)
            self._check_columns(schema, table, missing)
            values = dict(missing.key.columns)
            key = {name: values[name] for name in missing.found_by(self._columns[schema, table])}
            found = [row for row in self._rows[schema, table] if _has(row, key)]
            return _values(found, missing.columns) if found else None
        except RecordError as error:
            return error

    def _table(self, origin: Origin) -> tuple[str, str]:
        if origin.schema is None or origin.table is None:
            raise unreadable("the record does not say which table its row is of")
        if origin.connector not in {"", "postgresql"} or origin.db not in {None, self._db}:
            raise FatalError("the rows come from another database")
        if (origin.schema, origin.table) not in self._columns:
            raise FatalError(f"the source database has no table {origin.schema}.{origin.table}")
        return origin.schema, origin.table

    def _check_columns(self, schema: str, table: str, missing: Missing) -> None:
        named = missing.columns | set(missing.found_by(self._columns[schema, table]))
        unknown = named - self._columns[schema, table]
        if unknown:
            raise unreadable(f"the table {schema}.{table} has no column {min(unknown)}")
        for column in sorted(missing.columns):
            if (table, column) in self._unreadable:
                raise unreadable(f"column {column} cannot be read exactly as Debezium sends it")


def _has(row: Row, key: Row) -> bool:
    return all(row[name] == value for name, value in key.items())


def _values(found: Sequence[Row], columns: Collection[str]) -> Row:
    if len(found) > 1:
        raise unreadable("several rows have this key")
    row = {name: found[0][name] for name in columns}
    for name, value in row.items():
        if isinstance(value, Exception):
            raise unreadable(f"column {name} holds a value that cannot be read")
    return row
