"""Rows of several points in a pgvector table: all points of a row in one transaction.

The first point stands for its row. It is written (or deleted) before the others, so two writers of
one row go one after the other; and where it is refused, as what is there is newer, the others of
its row are left alone, also those that the newer text does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from worker.errors import RecordError
from worker.immutable import immutable
from worker.store.pgvector_errors import record_errors
from worker.store.pgvector_rows import is_key, row_of, upsert_arrays
from worker.store.pgvector_values import texts
from worker.store.pgvector_writer import deletion_arrays, expect_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from worker.store.pgvector_known import Known
    from worker.store.pgvector_pool import Connection, PgvectorPool
    from worker.store.pgvector_rows import Row
    from worker.store.pgvector_sql import Statements
    from worker.store.pgvector_table import Shape
    from worker.store.pgvector_writer import AtFault
    from worker.store.port import Deletion, Replacement

_POINTS: Final = 1_000
"""Of one transaction, unless a single row has more."""


@immutable
class _Whole:
    """A row of several points, as PostgreSQL takes it."""

    id: str
    rows: Sequence[Row]
    """The first one stands for it; none if it goes."""
    deletions: Sequence[Deletion]

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.deletions)


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

    def _replace(self, namespace: str, rows: Sequence[_Whole], at_fault: AtFault) -> None:
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

    def replace(self, rows: Sequence[_Whole]) -> None:
        """First what stands for the rows, then the rest of those where that was taken."""
        written = [whole for whole in rows if whole.rows]
        gone = [whole for whole in rows if not whole.rows]
        self._upsert(whole.rows[0] for whole in written)
        self._delete(one for whole in gone for one in whole.deletions if one.id == whole.id)
        standing = self._standing([whole.id for whole in rows])
        taken = [whole for whole in written if standing.get(whole.id) == _position(whole.rows[0])]
        left = [whole for whole in gone if whole.id not in standing]
        self._upsert(row for whole in taken for row in whole.rows[1:])
        self._delete(
            one for whole in (*taken, *left) for one in whole.deletions if one.id != whole.id
        )

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
) -> Iterator[_Whole]:
    """Rows without a point that PostgreSQL cannot keep; ids that it cannot have are not there."""
    for row in rows:
        try:
            whole = _Whole(row.id, [row_of(namespace, one) for one in row.points], row.deletions)
        except RecordError as error:
            refused[row.id] = error
            continue
        if is_key(namespace, row.id):
            yield whole


def _groups(rows: Iterable[_Whole]) -> Iterator[list[_Whole]]:
    group: list[_Whole] = []
    size = 0
    for whole in rows:
        if group and size + whole.size > _POINTS:
            yield group
            group, size = [], 0
        group.append(whole)
        size += whole.size
    if group:
        yield group


def _position(row: Row) -> tuple[object, ...] | None:
    stamp = row.point.stamp
    if stamp is None:
        return None
    position = stamp.position
    return position.topic_id, position.partition, position.offset
