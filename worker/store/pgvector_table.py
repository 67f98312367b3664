"""The table of a pgvector store: what it is like, and how it is made.

Our own columns are added to a table that lacks them, so that a newer vecsink goes on with an older
table; nothing is ever dropped or changed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from worker.errors import FatalError, RetriableError
from worker.store.pgvector_config import OURS
from worker.store.pgvector_sql import graves_of
from worker.store.pgvector_values import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString, TypeAlias

    Statement: TypeAlias = LiteralString | sql.Composed

    from worker.store.pgvector_config import PgvectorConfig
    from worker.store.pgvector_pool import Connection

log = logging.getLogger(__name__)

_OLDEST: Final = (0, 8)
"""From this version on, a search with a filter goes on until it has enough (iterative scans)."""
_INDEXED: Final = {"vector": 2_000, "halfvec": 4_000}
"""Dimensions that HNSW takes at most."""

_EXTENSION = "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vector'"
_SHAPE = """
SELECT a.attname, t.typname, a.atttypmod, t.oid::int8
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
"""
_HNSW = """
SELECT coalesce(bool_or(x.indisvalid), false) FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = i.relam
WHERE x.indrelid = to_regclass($1) AND m.amname IN ('hnsw', 'ivfflat')
"""
_TABLE = """
CREATE TABLE {table} (
    namespace text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    embedding {kind}({dimensions}),
    metadata jsonb NOT NULL DEFAULT '{{}}',
    PRIMARY KEY (namespace, id))
"""
_COLUMNS = """
ALTER TABLE {table}
    ADD COLUMN IF NOT EXISTS fingerprint text,
    ADD COLUMN IF NOT EXISTS model text,
    ADD COLUMN IF NOT EXISTS kafka_topic_id text,
    ADD COLUMN IF NOT EXISTS kafka_partition integer,
    ADD COLUMN IF NOT EXISTS kafka_offset bigint,
    ADD COLUMN IF NOT EXISTS source_position bigint,
    ADD COLUMN IF NOT EXISTS text_columns text,
    ADD COLUMN IF NOT EXISTS document text,
    ADD COLUMN IF NOT EXISTS chunks integer
"""
_GRAVES = """
CREATE TABLE {graves} (
    namespace text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    kafka_topic_id text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    deleted_at timestamptz NOT NULL,
    PRIMARY KEY (namespace, id))
"""
_GRAVES_BY_AGE = "CREATE INDEX ON {graves} (deleted_at)"
_TYPED = """
ALTER TABLE {table} ADD COLUMN {name} {kind} GENERATED ALWAYS AS (
    CASE jsonb_typeof(metadata -> {key}) WHEN {type} THEN (metadata ->> {key})::{kind} END) STORED
"""
_TYPED_INDEX = "CREATE INDEX ON {table} (namespace, {name})"
_JSON_TYPES: Final = {"text": "string", "numeric": "number", "boolean": "boolean"}
_BUILD = "CREATE INDEX {concurrently} {index} ON {table} USING hnsw (embedding {operators})"
_DROP = "DROP INDEX CONCURRENTLY IF EXISTS {index}"
_OPERATORS: Final = {"cosine": "cosine_ops", "dotproduct": "ip_ops", "euclidean": "l2_ops"}

LEAST_ROWS: Final = 10_000
"""Fewer are searched in some milliseconds without an index."""
_ROWS = "SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT $1::int8) AS rows"
_LOCK: Final = 0x7665_6373
"""Of who makes tables, as an advisory lock: "vecs"."""
_PATIENCE = "SELECT set_config('lock_timeout', $1, true)"
_BEGIN_BUILD = "SELECT pg_try_advisory_lock($1::int4, to_regclass($2)::oid::int4)"
_END_BUILD = "SELECT pg_advisory_unlock($1::int4, to_regclass($2)::oid::int4)"
"""Another lock, one for each table: who makes tables need not wait for a build, which takes hours
and itself waits for every transaction that is open."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table takes."""

    dimensions: int
    kind: str
    """``vector`` or ``halfvec``."""
    oid: int
    """Of that type, which every database numbers anew."""


def shape_of(connection: Connection, config: PgvectorConfig) -> Shape:
    """What the table takes.

    Raises:
        FatalError: there is no such table, or it is not one of vecsink's.
    """
    name = _name(config)
    columns = _columns(connection, config)
    if not columns:
        way = "`vecsink run` makes it" if config.create else "make it with store.create=true"
        raise FatalError(f"there is no table {name} (store.schema, store.index): {way}")
    missing = OURS - columns.keys()
    if missing:
        raise FatalError(
            f"the table {name} has no column {', '.join(sorted(missing))}: start once with "
            "store.create=true, or choose another table"
        )
    kind, dimensions, oid = columns["embedding"]
    if kind not in NUMBERS or dimensions < 1:
        raise FatalError(
            f"the column embedding of {name} is no vector or halfvec of a fixed dimension"
        )
    return Shape(dimensions, kind, oid)


def make(connection: Connection, config: PgvectorConfig, dimensions: int) -> None:
    """Make what is missing: extension, schema, tables, columns; other workers wait meanwhile.

    Raises:
        FatalError: pgvector is older than what we need.
        psycopg.Error: the user may not, the database does not answer, or somebody holds a lock
            for longer than ``store.timeout.ms``.
    """
    with connection.transaction():
        connection.execute(_PATIENCE, [str(config.timeout_ms)])
        connection.execute("SELECT pg_advisory_xact_lock($1)", [_LOCK])
        _make_extension(connection)
        if not _fetched(connection, "SELECT to_regnamespace(quote_ident($1))", config.schema_name):
            connection.execute(_filled("CREATE SCHEMA {schema}", config))
        columns = _columns(connection, config)
        if not columns:
            _make_table(connection, config, dimensions)
        if OURS - columns.keys():
            connection.execute(_filled(_COLUMNS, config))
        if not _fetched(connection, "SELECT to_regclass($1)", _name(config, graves=True)):
            connection.execute(_filled(_GRAVES, config))
            connection.execute(_filled(_GRAVES_BY_AGE, config))
        for key, kind in config.columns:
            if key not in columns:
                _add_typed(connection, config, key, kind)


def is_indexed(connection: Connection, config: PgvectorConfig, shape: Shape) -> bool:
    """Whether there is an index for searches already, or there can be none."""
    if shape.dimensions > _INDEXED[shape.kind]:
        log.warning(
            "%s of %d dimensions cannot be indexed: searches in %s are exact and slow.",
            shape.kind,
            shape.dimensions,
            _name(config),
        )
        return True
    return bool(_fetched(connection, _HNSW, _name(config)))


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
    if _fetched(connection, _filled(_ROWS, config), least_rows) < least_rows:
        return False
    if not _fetched(connection, _BEGIN_BUILD, _LOCK, _name(config)):
        raise RetriableError(f"another worker builds the index of {_name(config)}")
    try:
        if not is_indexed(connection, config, shape):
            _build(connection, config, shape)
    finally:
        if not connection.closed:
            connection.execute(_END_BUILD, [_LOCK, _name(config)])
    return True


def _build(connection: Connection, config: PgvectorConfig, shape: Shape) -> None:
    log.info("The HNSW index of %s is being built; work goes on meanwhile.", _name(config))
    connection.execute(_filled(_DROP, config))  # what a build that was broken off has left
    connection.execute(
        _filled(
            _BUILD,
            config,
            concurrently=sql.SQL("CONCURRENTLY"),
            operators=sql.SQL(f"{shape.kind}_{_OPERATORS[config.metric]}"),
            index=sql.Identifier(f"{config.index}_hnsw"),
        )
    )
    log.info("The HNSW index of %s is built.", _name(config))


def _make_extension(connection: Connection) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    version = str(_fetched(connection, _EXTENSION))
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise FatalError(
            f"the database has pgvector {version}, vecsink needs 0.8 or newer: "
            "ALTER EXTENSION vector UPDATE"
        )


def _make_table(connection: Connection, config: PgvectorConfig, dimensions: int) -> None:
    kind = config.vector_type
    if kind is None:
        fits = _INDEXED["vector"] < dimensions <= _INDEXED["halfvec"]
        kind = "halfvec" if fits else "vector"
    connection.execute(
        _filled(_TABLE, config, kind=sql.SQL(kind), dimensions=sql.Literal(dimensions))
    )
    log.info("The table %s was made: %s(%d).", _name(config), kind, dimensions)


def _add_typed(connection: Connection, config: PgvectorConfig, key: str, kind: str) -> None:
    names = {
        "name": sql.Identifier(key),
        "kind": sql.SQL(kind),
        "key": sql.Literal(key),
        "type": sql.Literal(_JSON_TYPES[kind]),
    }
    connection.execute(_filled(_TYPED, config, **names))
    connection.execute(_filled(_TYPED_INDEX, config, **names))


def _columns(connection: Connection, config: PgvectorConfig) -> Mapping[str, tuple[str, int, int]]:
    """Type, modifier and oid of each; nothing if there is no table."""
    rows = connection.execute(_SHAPE, [_name(config)]).fetchall()
    return {name: (kind, modifier, oid) for name, kind, modifier, oid in rows}


def _fetched(connection: Connection, statement: Statement, *parameters: object) -> Any:  # noqa: ANN401
    row = connection.execute(statement, parameters).fetchone()
    return row[0] if row else None


def _filled(text: str, config: PgvectorConfig, **more: sql.Composable) -> sql.Composed:
    schema, table = config.schema_name, config.index
    return sql.SQL(text).format(
        **{
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, table),
            "graves": sql.Identifier(schema, graves_of(table)),
            "index": sql.Identifier(schema, f"{table}_hnsw"),
            **more,
        }
    )


def _name(config: PgvectorConfig, *, graves: bool = False) -> str:
    table = graves_of(config.index) if graves else config.index
    return sql.Identifier(config.schema_name, table).as_string()
