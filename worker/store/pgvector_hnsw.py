"""The HNSW index of a pgvector store, built while the table is written to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from psycopg import sql

from worker.errors import RetriableError
from worker.store.pgvector_table import INDEXED, LOCK, fetched, filled, name_of

if TYPE_CHECKING:
    from worker.store.pgvector_config import PgvectorConfig
    from worker.store.pgvector_pool import Connection
    from worker.store.pgvector_table import Shape

log = logging.getLogger(__name__)

_HNSW = """
SELECT coalesce(bool_or(x.indisvalid), false) FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = i.relam
WHERE x.indrelid = to_regclass($1) AND m.amname IN ('hnsw', 'ivfflat')
"""
_BUILD = "CREATE INDEX {concurrently} {index} ON {table} USING hnsw (embedding {operators})"
_ANALYZE = "ANALYZE {table}"
"""Of a table that was just filled the planner knows nothing, takes a namespace for some rows, and
rather sorts them. PostgreSQL analyzes by itself, but not while the index is being built."""
_DROP = "DROP INDEX CONCURRENTLY IF EXISTS {index}"
_OPERATORS: Final = {"cosine": "cosine_ops", "dotproduct": "ip_ops", "euclidean": "l2_ops"}

LEAST_ROWS: Final = 10_000
"""Fewer are searched in some milliseconds without an index."""
_ROWS = "SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT $1::int8) AS rows"
_BEGIN_BUILD = "SELECT pg_try_advisory_lock($1::int4, to_regclass($2)::oid::int4)"
_END_BUILD = "SELECT pg_advisory_unlock($1::int4, to_regclass($2)::oid::int4)"
"""Another lock, one for each table: who makes tables need not wait for a build, which takes hours
and itself waits for every transaction that is open."""


def is_indexed(connection: Connection, config: PgvectorConfig, shape: Shape) -> bool:
    """Whether there is an index for searches already, or there can be none."""
    if shape.dimensions > INDEXED[shape.kind]:
        log.warning(
            "%s of %d dimensions cannot be indexed: searches in %s are exact and slow.",
            shape.kind,
            shape.dimensions,
            name_of(config),
        )
        return True
    return bool(fetched(connection, _HNSW, name_of(config)))


def index(
    connection: Connection, config: PgvectorConfig, shape: Shape, least_rows: int = LEAST_ROWS
) -> bool:
    """Build the HNSW index while the table is written to; false for a table of few rows.

    Raises:
        RetriableError: another worker builds it just now.
        psycopg.Error: the user may not, or the database does not answer.
    """
    if is_indexed(connection, config, shape):
        return True
    if fetched(connection, filled(_ROWS, config), least_rows) < least_rows:
        return False
    if not fetched(connection, _BEGIN_BUILD, LOCK, name_of(config)):
        raise RetriableError(f"another worker builds the index of {name_of(config)}")
    try:
        if not is_indexed(connection, config, shape):
            _build(connection, config, shape)
    finally:
        if not connection.closed:
            connection.execute(_END_BUILD, [LOCK, name_of(config)])
    return True


def _build(connection: Connection, config: PgvectorConfig, shape: Shape) -> None:
    log.info("The HNSW index of %s is being built; work goes on meanwhile.", name_of(config))
    connection.execute(filled(_DROP, config))  # what a build that was broken off has left
    connection.execute(
        filled(
            _BUILD,
            config,
            concurrently=sql.SQL("CONCURRENTLY"),
            operators=sql.SQL(f"{shape.kind}_{_OPERATORS[config.metric]}"),
            index=sql.Identifier(f"{config.index}_hnsw"),
        )
    )
    connection.execute(filled(_ANALYZE, config))
    log.info("The HNSW index of %s is built.", name_of(config))
