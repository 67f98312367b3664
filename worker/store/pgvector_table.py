"""The table of a pgvector store: what it is like, and how it is made.

Our own columns are added to a table that lacks them, so that a newer vecsink goes on with an older
table; nothing is ever dropped or changed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from worker.errors import FatalError
from worker.immutable import immutable
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
INDEXED: Final = {"vector": 2_000, "halfvec": 4_000}
"""Dimensions that HNSW takes at most."""

_EXTENSION = "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vector'"
_SHAPE = """
SELECT a.attname, t.typname, a.atttypmod, t.oid::int8
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
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
_COMMENTS = """
COMMENT ON TABLE {table} IS
    'What search reads, one row a point, written by vecsink; columns of yours may stand beside';
COMMENT ON COLUMN {table}.namespace IS 'The connector''s store.namespace, by default the topic';
COMMENT ON COLUMN {table}.id IS 'The row''s key (store.id); with chunks, #number after it';
COMMENT ON COLUMN {table}.embedding IS 'Vector of the text';
COMMENT ON COLUMN {table}.metadata IS 'The connector''s metadata.fields, source_table, updated_at';
COMMENT ON COLUMN {table}.fingerprint IS 'Hash of the text and of how it was embedded';
COMMENT ON COLUMN {table}.model IS 'Model, dimensions and input type of the vector';
COMMENT ON COLUMN {table}.kafka_topic_id IS 'Of the change that the row shows';
COMMENT ON COLUMN {table}.kafka_partition IS 'Of the same';
COMMENT ON COLUMN {table}.kafka_offset IS 'Of the same; what is older is refused';
COMMENT ON COLUMN {table}.source_position IS 'Where the source database committed the change';
COMMENT ON COLUMN {table}.text_columns IS 'Hashes of the columns that the text is made of';
COMMENT ON COLUMN {table}.document IS 'Of the first chunk: fingerprint of the whole document';
COMMENT ON COLUMN {table}.chunks IS 'Of the first chunk: how many the document has';
"""
_GRAVES_COMMENT = """
COMMENT ON TABLE {graves} IS
    'Which ids vecsink deleted at which Position, so that nothing older comes back'
"""
_GRAVES_BY_AGE = "CREATE INDEX ON {graves} (deleted_at)"
_TYPED = """
ALTER TABLE {table} ADD COLUMN {name} {kind} GENERATED ALWAYS AS (
    CASE jsonb_typeof(metadata -> {key}) WHEN {type} THEN (metadata ->> {key})::{kind} END) STORED
"""
_TYPED_INDEX = "CREATE INDEX ON {table} (namespace, {name})"
_JSON_TYPES: Final = {"text": "string", "numeric": "number", "boolean": "boolean"}
LOCK: Final = 0x7665_6373
"""Of who makes tables, as an advisory lock: "vecs"."""
_PATIENCE = "SELECT set_config('lock_timeout', $1, true)"


@immutable
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
        MissingIndexError: there is no such table.
        FatalError: it is not one of vecsink's.
    """
    name = name_of(config)
    columns = _columns(connection, config)
    if not columns:
        said = f"the database has no table {name} (store.schema, store.index)"
        raise config.missing(f"the table {name}", said)
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


def make(connection: Connection, config: PgvectorConfig, dimensions: int) -> bool:
    """Make what is missing: extension, schema, tables, columns; other workers wait meanwhile.

    The answer is whether the table with the vectors was missing.

    Raises:
        FatalError: there is no pgvector and it cannot be made, or it is older than what we need.
        psycopg.Error: the user may not, the database does not answer, or somebody holds a lock
            for longer than ``store.timeout.ms``.
    """
    with connection.transaction():
        connection.execute(_PATIENCE, [str(config.timeout_ms)])
        connection.execute("SELECT pg_advisory_xact_lock($1)", [LOCK])
        _make_extension(connection)
        if not fetched(connection, "SELECT to_regnamespace(quote_ident($1))", config.schema_name):
            connection.execute(filled("CREATE SCHEMA {schema}", config))
        columns = _columns(connection, config)
        if not columns:
            _make_table(connection, config, dimensions)
        if OURS - columns.keys():
            connection.execute(filled(_COLUMNS, config))
        if not columns:
            connection.execute(filled(_COMMENTS, config))
        if not fetched(connection, "SELECT to_regclass($1)", name_of(config, graves=True)):
            connection.execute(filled(_GRAVES, config))
            connection.execute(filled(_GRAVES_BY_AGE, config))
            connection.execute(filled(_GRAVES_COMMENT, config))
        for key, kind in config.columns:
            if key not in columns:
                _add_typed(connection, config, key, kind)
    return not columns


def _make_extension(connection: Connection) -> None:
    version = fetched(connection, _EXTENSION)
    if version is None:
        try:
            connection.execute("CREATE EXTENSION vector")
        except psycopg.errors.InsufficientPrivilege as error:
            raise FatalError(
                "the database has no pgvector, and store.user may not make it: a superuser has to "
                "say CREATE EXTENSION vector there once"
            ) from error
        except (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported) as error:
            raise FatalError("pgvector is not installed on the database's server") from error
        version = fetched(connection, _EXTENSION)
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise FatalError(
            f"the database has pgvector {version}, vecsink needs 0.8 or newer: "
            "ALTER EXTENSION vector UPDATE"
        )


def _make_table(connection: Connection, config: PgvectorConfig, dimensions: int) -> None:
    kind = config.vector_type
    if kind is None:
        fits = INDEXED["vector"] < dimensions <= INDEXED["halfvec"]
        kind = "halfvec" if fits else "vector"
    connection.execute(
        filled(_TABLE, config, kind=sql.SQL(kind), dimensions=sql.Literal(dimensions))
    )
    log.info("The table %s was made: %s(%d).", name_of(config), kind, dimensions)


def _add_typed(connection: Connection, config: PgvectorConfig, key: str, kind: str) -> None:
    names = {
        "name": sql.Identifier(key),
        "kind": sql.SQL(kind),
        "key": sql.Literal(key),
        "type": sql.Literal(_JSON_TYPES[kind]),
    }
    connection.execute(filled(_TYPED, config, **names))
    connection.execute(filled(_TYPED_INDEX, config, **names))


def _columns(connection: Connection, config: PgvectorConfig) -> Mapping[str, tuple[str, int, int]]:
    """Type, modifier and oid of each; nothing if there is no table."""
    rows = connection.execute(_SHAPE, [name_of(config)]).fetchall()
    return {name: (kind, modifier, oid) for name, kind, modifier, oid in rows}


def fetched(connection: Connection, statement: Statement, *parameters: object) -> Any:  # noqa: ANN401
    """The first column of the first row, or None."""
    row = connection.execute(statement, parameters).fetchone()
    return row[0] if row else None


def filled(text: str, config: PgvectorConfig, **more: sql.Composable) -> sql.Composed:
    """A statement with the names of schema, tables and index."""
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


def name_of(config: PgvectorConfig, *, graves: bool = False) -> str:
    """The table's, or that of the other one, as SQL writes it."""
    table = graves_of(config.index) if graves else config.index
    return sql.Identifier(config.schema_name, table).as_string()
