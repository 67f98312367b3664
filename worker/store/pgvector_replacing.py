"""Rows of several points in a pgvector table: all points of a row in one transaction.

The first point stands for its row. It is written (or deleted) before the others, so two writers of
one row go one after the other; and where it is refused, as what is there is newer, the others of
its row are left alone, also those that the newer text does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from worker.errors import RecordError
from worker.store.pgvector_errors import record_errors
from worker.store.pgvector_rows import is_key, row_of, upsert_arrays
from worker.store.pgvector_values import texts
from worker.store.pgvector_writer import deletion_arrays, expect_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from worker.model import Position
    from worker.store.pgvector_known import Known
    from worker.store.pgvector_pool import Connection, PgvectorPool
    from worker.store.pgvector_rows import Row
    from worker.store.pgvector_sql import Statements
    from worker.store.pgvector_table import Shape
    from worker.store.pgvector_writer import AtFault
    from worker.store.port import Deletion, Replacement

_POINTS: Final = 1_000
"""Of one transaction, unless a single row has more."""


class PgvectorTransactions:
    """See ``Transactions``. Thread-safe."""

    def __init__(self, pool: PgvectorPool, known: Known) -> None:
        self._pool = pool
        self._known = known

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        """Whole rows; those at fault are found by halving."""
        refused: dict[str, RecordError] = {}
        at_fault: AtFault = {}
        for group in _groups(_sound(namespace, rows, refused)):
            self._replace(namespace, group, at_fault)
        return refused | record_errors(at_fault, len(rows), f"upsert to {namespace}")

    def _replace(self, namespace: str, rows: Sequence[Replacement], at_fault: AtFault) -> None:
        try:
            with self._pool.connection(f"upsert to {namespace}") as connection:
                shape, statements = self._known(connection)
                with connection.transaction():
                    _Transaction(connection, namespace, statements, shape).replace(rows)
        except psycopg.Error as error:
            self._known.doubt()
            if len(rows) == 1:
                at_fault[rows[0].id] = error
                return
            middle = len(rows) // 2
            self._replace(namespace, rows[:middle], at_fault)
            self._replace(namespace, rows[middle:], at_fault)


class _Transaction:
    """What happens in one."""

    def __init__(
        self, connection: Connection, namespace: str, statements: Statements, shape: Shape
    ) -> None:
        self._connection = connection
        self._namespace = namespace
        self._statements = statements
        self._shape = shape

    def replace(self, rows: Sequence[Replacement]) -> None:
        """First what stands for the rows, then the rest of those where that was taken."""
        written = [row for row in rows if row.points]
        gone = [row for row in rows if not row.points]
        self._upsert(row_of(self._namespace, row.points[0]) for row in written)
        self._delete(_first(row) for row in gone)
        standing = self._standing([row.id for row in rows])
        taken = [row for row in written if standing.get(row.id) == _position(row)]
        left = [row for row in gone if row.id not in standing]
        self._upsert(row_of(self._namespace, one) for row in taken for one in row.points[1:])
        self._delete(one for row in (*taken, *left) for one in row.deletions if one.id != row.id)

    def _upsert(self, points: Iterable[Row]) -> None:
        rows = list(points)
        if not rows:
            return
        expect_dimensions(rows, self._shape)
        ids, *others = upsert_arrays(rows, self._shape.kind, self._shape.oid)
        with self._connection.pipeline():
            self._connection.execute(self._statements.upsert, [self._namespace, ids, *others])
            self._connection.execute(self._statements.bury_beaten, [self._namespace, ids])

    def _delete(self, deletions: Iterable[Deletion]) -> None:
        gone = list(deletions)
        if not gone:
            return
        arrays = deletion_arrays(self._namespace, gone)
        with self._connection.pipeline():
            self._connection.execute(self._statements.claim, arrays)
            self._connection.execute(self._statements.remove, arrays)
            self._connection.execute(self._statements.remember, arrays)

    def _standing(self, ids: Sequence[str]) -> Mapping[str, tuple[object, ...]]:
        cursor = self._connection.cursor(binary=True)
        found = cursor.execute(self._statements.standing, [self._namespace, texts(ids)]).fetchall()
        return {point_id: tuple(position) for point_id, *position in found}


def _sound(
    namespace: str, rows: Iterable[Replacement], refused: dict[str, RecordError]
) -> Iterator[Replacement]:
    """Rows without a point that PostgreSQL cannot keep; ids that it cannot have are not there."""
    for row in rows:
        try:
            for point in row.points:
                row_of(namespace, point)
        except RecordError as error:
            refused[row.id] = error
            continue
        if is_key(namespace, row.id):
            yield row


def _groups(rows: Iterable[Replacement]) -> Iterator[list[Replacement]]:
    group: list[Replacement] = []
    size = 0
    for row in rows:
        more = len(row.points) + len(row.deletions)
        if group and size + more > _POINTS:
            yield group
            group, size = [], 0
        group.append(row)
        size += more
    if group:
        yield group


def _first(row: Replacement) -> Deletion:
    return next(one for one in row.deletions if one.id == row.id)


def _position(row: Replacement) -> tuple[object, ...] | None:
    stamp = row.points[0].stamp
    return None if stamp is None else _columns(stamp.position)


def _columns(position: Position) -> tuple[object, ...]:
    return position.topic_id, position.partition, position.offset
