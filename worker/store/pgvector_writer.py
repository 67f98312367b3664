"""Writing to a pgvector table: each batch is one transaction, and points at fault stand alone.

``pgvector_sql`` says how what is older is refused.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import psycopg

from worker.errors import FatalError
from worker.store.pgvector_rows import upsert_arrays
from worker.store.pgvector_values import INT4, integers, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.pgvector_config import PgvectorConfig
    from worker.store.pgvector_known import Known
    from worker.store.pgvector_pool import Connection, PgvectorPool
    from worker.store.pgvector_rows import Row
    from worker.store.pgvector_sql import Statements
    from worker.store.pgvector_table import Shape
    from worker.store.port import Deletion

_POINTS: Final = 1_000
"""Of one transaction; the engine's batches have fewer."""
_FORGET_EVERY_S: Final = 600.0

AtFault = dict[str, psycopg.Error]
"""Of points that were refused when they stood alone."""


class PgvectorWriter:
    """Upserts and deletions. Thread-safe."""

    def __init__(self, config: PgvectorConfig, pool: PgvectorPool, known: Known) -> None:
        self._config = config
        self._pool = pool
        self._known = known
        self._lock = threading.Lock()
        self._forgotten_s = float("-inf")

    def upsert(self, namespace: str, rows: Sequence[Row]) -> AtFault:
        """Write rows, unless what is there is newer; those at fault are found by halving."""
        at_fault: AtFault = {}
        for start in range(0, len(rows), _POINTS):
            self._upsert(namespace, rows[start : start + _POINTS], at_fault)
        return at_fault

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> AtFault:
        """Delete rows, unless what is there is newer, and remember when."""
        at_fault: AtFault = {}
        for start in range(0, len(deletions), _POINTS):
            self._delete(namespace, deletions[start : start + _POINTS], at_fault)
        return at_fault

    def _upsert(self, namespace: str, rows: Sequence[Row], at_fault: AtFault) -> None:
        try:
            with self._pool.connection(f"upsert to {namespace}") as connection:
                shape, statements = self._known(connection)
                expect_dimensions(rows, shape)
                ids, *others = upsert_arrays(rows, shape.kind, shape.oid)
                with connection.pipeline(), connection.transaction():
                    connection.execute(statements.upsert, [namespace, ids, *others])
                    connection.execute(statements.bury_beaten, [namespace, ids])
        except psycopg.Error as error:
            self._known.doubt()
            if len(rows) == 1:
                self._expect_room(namespace, rows)
                at_fault[rows[0].id] = error
                return
            middle = len(rows) // 2
            self._upsert(namespace, rows[:middle], at_fault)
            self._upsert(namespace, rows[middle:], at_fault)

    def _expect_room(self, namespace: str, rows: Sequence[Row]) -> None:
        """A point is not at fault where the table is another one by now."""
        with self._pool.connection(f"upsert to {namespace}") as connection:
            shape, _ = self._known(connection)
        expect_dimensions(rows, shape)

    def _delete(self, namespace: str, deletions: Sequence[Deletion], at_fault: AtFault) -> None:
        try:
            with self._pool.connection(f"deletion in {namespace}") as connection:
                _, statements = self._known(connection)
                gone = deletion_arrays(namespace, deletions)
                with connection.pipeline(), connection.transaction():
                    connection.execute(statements.claim, gone)
                    connection.execute(statements.remove, gone)
                    connection.execute(statements.remember, gone)
                self._forget(connection, statements)
        except psycopg.Error:
            self._delete_locked(namespace, deletions, at_fault)

    def _delete_locked(
        self, namespace: str, deletions: Sequence[Deletion], at_fault: AtFault
    ) -> None:
        """Where a constraint of the user's refuses the claim, or that a row goes."""
        try:
            with self._pool.connection(f"deletion in {namespace}") as connection:
                _, statements = self._known(connection)
                gone = deletion_arrays(namespace, deletions)
                with connection.pipeline(), connection.transaction():
                    connection.execute(statements.lock)
                    connection.execute(statements.remove_locked, gone)
                    connection.execute(statements.remember, gone)
        except psycopg.Error as error:
            if len(deletions) == 1:
                at_fault[deletions[0].id] = error
                return
            middle = len(deletions) // 2
            self._delete_locked(namespace, deletions[:middle], at_fault)
            self._delete_locked(namespace, deletions[middle:], at_fault)

    def _forget(self, connection: Connection, statements: Statements) -> None:
        """From time to time, deletions that are older than their time to live."""
        now_s = time.monotonic()
        with self._lock:
            if now_s - self._forgotten_s < _FORGET_EVERY_S:
                return
            self._forgotten_s = now_s
        connection.execute(statements.forget, [self._config.tombstone_ttl_ms])


def deletion_arrays(namespace: str, deletions: Sequence[Deletion]) -> list[object]:
    """The parameters of the statements that delete."""
    places = [deletion.position for deletion in deletions]
    return [
        namespace,
        texts([deletion.id for deletion in deletions]),
        texts([place.topic_id for place in places]),
        integers((place.partition for place in places), INT4),
        integers(place.offset for place in places),
    ]


def expect_dimensions(rows: Sequence[Row], shape: Shape) -> None:
    """Raises a FatalError for vectors of another length than the table's."""
    for row in rows:
        if row.point.vector.size != shape.dimensions:
            raise FatalError(
                f"a vector has {row.point.vector.size} dimensions, the table of store.index takes "
                f"{shape.dimensions}: choose another table or another model"
            )
