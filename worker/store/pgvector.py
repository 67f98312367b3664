"""PostgreSQL with pgvector as a vector store, by psycopg.

The only store where a batch is one transaction, and one of those that refuse what is older by
themselves (``pgvector_sql`` says how).
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import psycopg

from worker.errors import ConfigError, FatalError, RecordError
from worker.model import Position
from worker.store import pgvector_hnsw as hnsw
from worker.store import pgvector_table as tables
from worker.store.pgvector_builder import QUIET_S, IndexBuilder
from worker.store.pgvector_config import PgvectorConfig
from worker.store.pgvector_errors import record_errors
from worker.store.pgvector_filters import Conditions
from worker.store.pgvector_known import Known
from worker.store.pgvector_pool import PgvectorPool
from worker.store.pgvector_replacing import PgvectorTransactions
from worker.store.pgvector_rows import (
    Row,
    is_key,
    metadata_of,
    points_of,
    row_of,
)
from worker.store.pgvector_values import texts
from worker.store.pgvector_writer import PgvectorWriter
from worker.store.port import Capabilities, Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.config.section import Section
    from worker.model import Point, Vector
    from worker.store.pgvector_pool import Connection
    from worker.store.port import Deletion

log = logging.getLogger(__name__)

_PAGE: Final = 500
_CANCEL_EVERY_S: Final = 0.2
_LEAVE_AFTER_S: Final = 5.0
"""For a server that cancels; one that has frozen never says that it has."""
_MOST_EXPLORED: Final = 1_000
_LEAST_EXPLORED: Final = 40
"""Bounds of ``hnsw.ef_search``; the lower one is its default."""


class PgvectorStore:
    """A table with vectors. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = PgvectorConfig

    def __init__(
        self,
        config: PgvectorConfig,
        *,
        quiet_s: float = QUIET_S,
        least_rows: int = hnsw.LEAST_ROWS,
    ) -> None:
        """Nothing is opened yet. The index is built after a quiet time, for so many rows.

        Raises:
            ConfigError: the address has parameters that libpq does not know.
        """
        self._config = config
        self._pool = PgvectorPool(config)
        self._known = Known(config)
        self._writer = PgvectorWriter(config, self._pool, self._known)
        self._transactions = PgvectorTransactions(self._pool, self._known)
        self._least_rows = least_rows
        self._builder = IndexBuilder(self._build_index, quiet_s)

    @property
    def capabilities(self) -> Capabilities:
        """Refuses what is older; a write is visible as soon as it is committed."""
        return Capabilities(guarded=True, settle_s=0.0, write_timeout_s=self._config.timeout_s)

    @property
    def write_log(self) -> None:
        """It does not say how much of it is shown."""

    @property
    def transactions(self) -> PgvectorTransactions:
        """All points of a row at once."""
        return self._transactions

    def create(self, dimensions: int) -> bool:
        """Extension, schema, tables and columns, as far as they are missing.

        A missing index is built later, in the background.
        """
        config = self._config
        config.expect(dimensions)
        if not config.create:
            return False
        with self._pool.patient("making the table") as connection:
            is_made = tables.make(connection, config, dimensions)
            shape = tables.shape_of(connection, config)
            lacks_index = config.hnsw and not hnsw.is_indexed(connection, config, shape)
        if lacks_index:
            self._builder.begin()
        return is_made

    def check(self, dimensions: int) -> None:
        """Look at the table anew."""
        config = self._config
        with (
            config.expecting(dimensions),
            self._pool.connection("looking for the table") as connection,
        ):
            shape, _ = self._known.look(connection)
        if shape.dimensions != dimensions:
            raise FatalError(
                f"the table {config.index!r} takes {shape.dimensions} dimensions, the model makes "
                f"{dimensions}: choose another table or another model"
            )

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """Points by id, in one request."""
        possible = [point_id for point_id in dict.fromkeys(ids) if is_key(namespace, point_id)]
        if not possible:
            return {}
        with self._pool.connection(f"fetch from {namespace}") as connection:
            shape, statements = self._known(connection)
            rows = _rows(connection, statements.fetch, [namespace, texts(possible)])
        return {point.id: point for point in points_of(rows, shape.kind)}

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write points, each batch in one transaction; those at fault are found by halving."""
        refused: dict[str, RecordError] = {}
        rows: list[Row] = []
        for point in points:
            try:
                rows.append(row_of(namespace, point))
            except RecordError as error:
                refused[point.id] = error
        at_fault = self._writer.upsert(namespace, rows)
        self._builder.wrote(len(rows))
        return refused | record_errors(at_fault, len(rows), f"upsert to {namespace}")

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Delete by id, and remember when, so that nothing older comes back."""
        possible = [each for each in deletions if is_key(namespace, each.id)]
        at_fault = self._writer.delete(namespace, possible)
        return record_errors(at_fault, len(possible), f"deletion in {namespace}")

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        """Deletions that are remembered, in one request."""
        possible = [point_id for point_id in dict.fromkeys(ids) if is_key(namespace, point_id)]
        with self._pool.connection(f"deletions in {namespace}") as connection:
            _, statements = self._known(connection)
            rows = _rows(connection, statements.deleted, [namespace, texts(possible)])
        return {row[0]: Position(*row[1:]) for row in rows}

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """The nearest points, by the index if there is one; with a filter it looks on."""
        parameters: list[object] = [namespace, str(vector.tolist()), k]
        conditions = Conditions(self._config.typed, parameters).of(where or {})
        explored = min(max(k, _LEAST_EXPLORED), _MOST_EXPLORED)
        with self._pool.connection(f"query of {namespace}") as connection:
            _, statements = self._known(connection)
            with connection.transaction():
                connection.execute(
                    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
                    " set_config('hnsw.ef_search', $1, true)",
                    [str(explored)],
                )
                try:
                    rows = _rows(connection, statements.query(conditions), parameters)
                except psycopg.DataError as error:
                    raise ConfigError(
                        "PostgreSQL cannot compare with the vector or a value of the filter"
                    ) from error
        away = 1.0 if self._config.metric == "cosine" else 0.0
        metadata = metadata_of([row[1] for row in rows])
        found = [
            Match(row[0], away - row[2], held) for row, held in zip(rows, metadata, strict=True)
        ]
        return sorted(found, key=lambda match: -match.score)

    def scan(self, namespace: str) -> Iterator[Point]:
        """In the order of their ids, page by page."""
        last = ""
        while True:
            with self._pool.connection(f"scan of {namespace}") as connection:
                shape, statements = self._known(connection)
                rows = _rows(connection, statements.page, [namespace, last, _PAGE])
            yield from points_of(rows, shape.kind)
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def namespaces(self) -> Sequence[str]:
        """Those that have points."""
        with self._pool.connection("listing namespaces") as connection:
            _, statements = self._known(connection)
            return [name for (name,) in _rows(connection, statements.namespaces, [])]

    def close(self) -> None:
        """Drop the connections; a later call opens new ones, but builds no index any more."""
        self._builder.close()
        leave_s = time.monotonic() + _LEAVE_AFTER_S
        self._pool.close()
        while not self._builder.ends_within(_CANCEL_EVERY_S):
            if time.monotonic() > leave_s:
                log.warning("The HNSW build is left behind: its server does not cancel it.")
                return
            self._pool.close()  # what began just then is cancelled as well

    # Inside --------------------------------------------------------------------------------

    def _build_index(self) -> bool:
        """Whether nothing is left to do."""
        config = self._config
        with self._pool.patient("building the index") as connection:
            shape = tables.shape_of(connection, config)
            return hnsw.index(connection, config, shape, self._least_rows)


def _rows(connection: Connection, statement: Any, parameters: Sequence[object]) -> list[Any]:  # noqa: ANN401
    cursor = connection.cursor(binary=True)
    return cursor.execute(statement, parameters).fetchall()
