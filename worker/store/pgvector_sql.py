"""The statements of the pgvector store.

The guard is the condition of ``ON CONFLICT``: a row whose Position is provably higher stays.
Deleted ids are kept in a table beside it (``graves``), so that the table itself holds what is in
the index and nothing else. Whoever inserts, updates or deletes an id first claims its entry in the
primary key. So two writers of one id go one after the other, and the second, in statements of its
own, sees what the first has committed. So that two batches never wait for each other in a circle,
ids are taken in their order.
"""

from __future__ import annotations

from typing import Final

from psycopg import sql

from worker.immutable import immutable

_COLUMNS: Final = (
    "id, embedding, metadata, fingerprint, model, kafka_topic_id, kafka_partition, kafka_offset,"
    " source_position, text_columns, document, chunks"
)

_UPSERT = """
INSERT INTO {table} AS held (namespace, {columns})
SELECT $1, n.id, n.embedding, n.metadata::jsonb, n.fingerprint, n.model, n.kafka_topic_id,
       n.kafka_partition, n.kafka_offset, nullif(n.source_position, -1), n.text_columns,
       n.document, n.chunks
FROM unnest($2::text[], $3::{kind}[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int4[],
            $9::int8[], $10::int8[], $11::text[], $12::text[], $13::int4[])
     AS n ({columns})
ORDER BY n.id COLLATE "C"
ON CONFLICT (namespace, id) DO UPDATE SET
    embedding = CASE WHEN held.fingerprint = excluded.fingerprint AND held.model = excluded.model
                     AND held.embedding IS NOT NULL
                THEN held.embedding ELSE excluded.embedding END,
    metadata = excluded.metadata, fingerprint = excluded.fingerprint, model = excluded.model,
    kafka_topic_id = excluded.kafka_topic_id, kafka_partition = excluded.kafka_partition,
    kafka_offset = excluded.kafka_offset, source_position = excluded.source_position,
    text_columns = excluded.text_columns, document = excluded.document, chunks = excluded.chunks
WHERE {is_older} IS NOT TRUE
"""
"""An equal fingerprint keeps the vector that is there: the same value in another place would be
written to the disk and into the HNSW index again."""

_BURY_BEATEN = """
WITH beaten AS (
    DELETE FROM {table} AS held USING {graves} AS grave
    WHERE held.namespace = $1 AND held.id = ANY($2::text[])
      AND grave.namespace = $1 AND grave.id = held.id
      AND held.kafka_topic_id <> '' AND held.kafka_topic_id = grave.kafka_topic_id
      AND held.kafka_partition = grave.kafka_partition AND held.kafka_offset < grave.kafka_offset
    RETURNING held.id)
DELETE FROM {graves}
WHERE namespace = $1 AND id = ANY($2::text[]) AND id NOT IN (SELECT id FROM beaten)
"""
"""Right after an upsert of these ids: what was deleted later goes again, what is newer than its
deletion ends it."""

_CLAIM = """
INSERT INTO {table} AS held (namespace, id, kafka_topic_id, kafka_partition, kafka_offset)
SELECT $1, gone.* FROM unnest($2::text[], $3::text[], $4::int4[], $5::int8[]) AS gone (id, t, p, o)
ORDER BY gone.id COLLATE "C"
ON CONFLICT (namespace, id) DO UPDATE SET kafka_topic_id = excluded.kafka_topic_id,
    kafka_partition = excluded.kafka_partition, kafka_offset = excluded.kafka_offset
WHERE {is_older} IS NOT TRUE
"""
"""Takes the ids for a deletion, absent ones as well, unless what is there is newer."""

_REMOVE = """
DELETE FROM {table} AS held
USING unnest($2::text[], $3::text[], $4::int4[], $5::int8[]) AS gone (id, t, p, o)
WHERE held.namespace = $1 AND held.id = gone.id AND held.kafka_topic_id = gone.t
  AND held.kafka_partition = gone.p AND held.kafka_offset = gone.o
"""

_LOCK = "LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"

_REMOVE_LOCKED = """
DELETE FROM {table} AS held
USING unnest($2::text[], $3::text[], $4::int4[], $5::int8[]) AS gone (id, t, p, o)
WHERE held.namespace = $1 AND held.id = gone.id
  AND (gone.t <> '' AND held.kafka_topic_id = gone.t AND held.kafka_partition = gone.p
       AND held.kafka_offset > gone.o) IS NOT TRUE
"""
"""Without a claim, where a constraint of the user's refuses its row. Then no id may be inserted
meanwhile, so the whole table is locked against writers, and not against readers."""

_REMEMBER = """
INSERT INTO {graves} AS held
    (namespace, id, kafka_topic_id, kafka_partition, kafka_offset, deleted_at)
SELECT $1, gone.*, now() FROM unnest($2::text[], $3::text[], $4::int4[], $5::int8[])
     AS gone (id, t, p, o)
WHERE gone.t <> ''
ORDER BY gone.id COLLATE "C"
ON CONFLICT (namespace, id) DO UPDATE SET kafka_topic_id = excluded.kafka_topic_id,
    kafka_partition = excluded.kafka_partition, kafka_offset = excluded.kafka_offset,
    deleted_at = excluded.deleted_at
WHERE {is_older} IS NOT TRUE
"""

_IS_OLDER = """(excluded.kafka_topic_id <> '' AND held.kafka_topic_id = excluded.kafka_topic_id
    AND held.kafka_partition = excluded.kafka_partition
    AND held.kafka_offset > excluded.kafka_offset)"""

_FORGET = "DELETE FROM {graves} WHERE deleted_at < now() - $1::float8 * interval '1 ms'"

_DELETED = """
SELECT id, kafka_topic_id, kafka_partition, kafka_offset FROM {graves}
WHERE namespace = $1 AND id = ANY($2::text[])
"""

_FETCH = """
SELECT {read} FROM {table}
WHERE namespace = $1 AND id = ANY($2::text[]) AND embedding IS NOT NULL
"""

_STANDING = """
SELECT id, kafka_topic_id, kafka_partition, kafka_offset FROM {table}
WHERE namespace = $1 AND id = ANY($2::text[])
"""

_PAGE = """
SELECT {read} FROM {table}
WHERE namespace = $1 AND id > $2 AND embedding IS NOT NULL ORDER BY id LIMIT $3::int4
"""

_QUERY = """
SELECT id, metadata::text, (embedding {operator} $2::{kind})::float8 AS distance FROM {table}
WHERE namespace = $1 AND embedding IS NOT NULL AND {conditions}
ORDER BY embedding {operator} $2::{kind} LIMIT $3::int4
"""

_NAMESPACES = """
WITH RECURSIVE found AS (
    (SELECT namespace FROM {table} ORDER BY namespace LIMIT 1)
    UNION ALL
    SELECT (SELECT namespace FROM {table} WHERE namespace > found.namespace
            ORDER BY namespace LIMIT 1)
    FROM found WHERE found.namespace IS NOT NULL)
SELECT namespace FROM found WHERE namespace IS NOT NULL
"""
"""Jumps from one to the next along the primary key."""

OPERATORS: Final = {"cosine": "<=>", "dotproduct": "<#>", "euclidean": "<->"}
"""What pgvector compares by, for each ``store.metric``; less is nearer."""


@immutable
class Statements:
    """All of them for one table, as psycopg would put them together anew for each call."""

    upsert: bytes
    bury_beaten: bytes
    claim: bytes
    remove: bytes
    lock: bytes
    remove_locked: bytes
    remember: bytes
    forget: bytes
    deleted: bytes
    fetch: bytes
    standing: bytes
    page: bytes
    namespaces: bytes
    table: sql.Identifier
    operator: str
    kind: str

    @classmethod
    def of(cls, schema: str, table: str, kind: str, metric: str) -> Statements:
        """For a table with vectors of this kind (``vector`` or ``halfvec``)."""
        names = {
            "table": sql.Identifier(schema, table),
            "graves": sql.Identifier(schema, graves_of(table)),
            "columns": sql.SQL(_COLUMNS),
            "read": sql.SQL(_COLUMNS.replace("metadata", "metadata::text")),
            "kind": sql.SQL(kind),
            "is_older": sql.SQL(_IS_OLDER),
        }

        def filled(text: str) -> bytes:
            return sql.SQL(text).format(**names).as_bytes()

        return cls(
            upsert=filled(_UPSERT),
            bury_beaten=filled(_BURY_BEATEN),
            claim=filled(_CLAIM),
            remove=filled(_REMOVE),
            lock=filled(_LOCK),
            remove_locked=filled(_REMOVE_LOCKED),
            remember=filled(_REMEMBER),
            forget=filled(_FORGET),
            deleted=filled(_DELETED),
            fetch=filled(_FETCH),
            standing=filled(_STANDING),
            page=filled(_PAGE),
            namespaces=filled(_NAMESPACES),
            table=sql.Identifier(schema, table),
            operator=OPERATORS[metric],
            kind=kind,
        )

    def query(self, conditions: sql.Composable) -> sql.Composed:
        """The nearest points that satisfy conditions."""
        return sql.SQL(_QUERY).format(
            table=self.table,
            operator=sql.SQL(self.operator),
            kind=sql.SQL(self.kind),
            conditions=conditions,
        )


def graves_of(table: str) -> str:
    """Name of the table that remembers deletions."""
    return f"{table}_deleted"
