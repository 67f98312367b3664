"""pgvector for ``benchmarks.stores``: a PostgreSQL of its own, and loops over psycopg.

    python -m benchmarks.store_pgvector

is a load with the HNSW index in place, and one where it is built afterwards.
"""

from __future__ import annotations

import struct
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo

from benchmarks.store_loop import DIMENSIONS, NAMESPACE, Loop, batches, points
from tests.stack.ports import HOST, free_ports
from tests.stack.postgres import Postgres
from worker.store.pgvector import PgvectorStore
from worker.store.pgvector_config import PgvectorConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.model import Point, Vector
    from worker.store.port import Store

    Connection = psycopg.Connection[tuple[Any, ...]]

TABLE = f"""CREATE TABLE loop (
    namespace text COLLATE "C", id text COLLATE "C", embedding vector({DIMENSIONS}),
    metadata jsonb, fingerprint text, model text, topic text, partition int, kafka_offset bigint,
    source bigint, columns text, PRIMARY KEY (namespace, id))"""
STAMP = "fingerprint, model, topic, partition, kafka_offset, source, columns"
STAMP_TYPES = ["text", "text", "text", "int4", "int8", "int8", "text"]
COLUMNS = f"namespace, id, embedding, metadata, {STAMP}"
NEW_STAMP = ", ".join(f"{one} = {{new}}.{one}" for one in STAMP.split(", "))
REPLACE = f"""ON CONFLICT (namespace, id) DO UPDATE SET embedding = excluded.embedding,
    metadata = excluded.metadata, {NEW_STAMP.format(new="excluded")}"""
FETCH = f"SELECT {COLUMNS} FROM loop WHERE namespace = $1 AND id = ANY($2)"

UPDATE = f"""UPDATE loop SET metadata = n.metadata::jsonb, {NEW_STAMP.format(new="n")}
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int4[], $8::int8[],
                $9::int8[], $10::text[])
        AS n (id, metadata, {STAMP})
    WHERE loop.namespace = $1 AND loop.id = n.id"""

INDEXED = 2_000
BUILD = "CREATE INDEX ON vecsink.{} USING hnsw (embedding vector_cosine_ops)"


class VectorDumper(Dumper):
    """As pgvector's own package for Python does it."""

    format = Format.BINARY

    def dump(self, obj: Vector) -> bytes:
        return struct.pack(">HH", obj.size, 0) + obj.astype(">f4").tobytes()


def connected(server: Postgres) -> Connection:
    connection = psycopg.connect(
        server.dsn("index"), autocommit=True, cursor_factory=psycopg.RawCursor
    )
    kind = TypeInfo.fetch(connection, "vector")
    assert kind is not None
    kind.register(connection)
    dumper = type("OfThisDatabase", (VectorDumper,), {"oid": kind.oid})
    connection.adapters.register_dumper(np.ndarray, dumper)
    return connection


def row(point: Point) -> tuple[object, ...]:
    stamp = point.stamp
    assert stamp is not None
    return (
        NAMESPACE,
        point.id,
        point.vector,
        orjson.dumps(dict(point.metadata)).decode(),
        stamp.fingerprint,
        stamp.model,
        stamp.position.topic_id,
        stamp.position.partition,
        stamp.position.offset,
        stamp.source_position,
        ",".join(stamp.columns),
    )


class Fetching(Loop):
    """Reads in binary, vectors as arrays."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fetch(self, ids: Sequence[str]) -> object:
        cursor = self._connection.cursor(binary=True)
        rows = cursor.execute(FETCH, [NAMESPACE, list(ids)]).fetchall()
        return {
            row[1]: (np.frombuffer(row[2], ">f4", offset=4).astype(np.float32), *row[3:])
            for row in rows
        }


class Copying(Fetching):
    """COPY into a temporary table, and one INSERT from there; metadata by one UPDATE."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        connection.execute(
            f"CREATE TEMP TABLE incoming ON COMMIT DELETE ROWS AS SELECT {COLUMNS} FROM loop"
        )

    def upsert(self, points: Sequence[Point]) -> object:
        connection = self._connection
        with connection.transaction(), connection.cursor() as cursor:
            into = f"COPY incoming ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
            with cursor.copy(into) as copy:
                copy.set_types(["text", "text", "vector", "jsonb", *STAMP_TYPES])
                for point in points:
                    copy.write_row(row(point))
            cursor.execute(f"INSERT INTO loop ({COLUMNS}) SELECT {COLUMNS} FROM incoming {REPLACE}")
        return None

    def update(self, points: Sequence[Point]) -> object:
        columns = zip(*[row(point) for point in points], strict=True)
        _, ids, _, *others = map(list, columns)
        self._connection.execute(UPDATE, [NAMESPACE, ids, *others])
        return None


class Executing(Fetching):
    """``executemany``, which psycopg sends as one pipeline."""

    def upsert(self, points: Sequence[Point]) -> object:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO loop ({COLUMNS}) VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9,"
                f" $10, $11) {REPLACE}",
                [row(point) for point in points],
            )
        return None


@contextmanager
def opened() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """Without an HNSW index, whose work in the server would hide everything else."""
    with running() as server:
        store = made(server, "points")
        with connected(server) as first, connected(server) as second:
            first.execute(TABLE)
            yield store, {"COPY, INSERT; UPDATE": Copying(first), "executemany": Executing(second)}
        store.close()


@contextmanager
def running() -> Iterator[Postgres]:
    """A server with an empty database called ``index``."""
    with TemporaryDirectory() as folder:
        server = Postgres(Path(folder), *free_ports(1))
        server.start()
        try:
            server.create_database("index")
            yield server
        finally:
            server.stop()
            server.remove_data()


def made(server: Postgres, table: str) -> PgvectorStore:
    """A store whose table is there, without an index."""
    keys = {
        "store.url": f"postgresql://{HOST}:{server.port}/index",
        "store.user": server.user,
        "store.password": server.password,
        "store.index": table,
        "store.create": True,
        "store.hnsw": False,
    }
    store = PgvectorStore(PgvectorConfig.model_validate(keys))
    store.create(DIMENSIONS)
    return store


def main() -> None:
    """Print how long each way takes."""
    with running() as server, server.connect("index") as connection:
        rows = points(0)[:INDEXED]
        for name in ("before", "after"):
            store = made(server, name)
            build = partial(connection.execute, BUILD.format(name))
            load = partial(_load, store, rows)
            parts_s = [_taken_s(work) for work in _order(name, build, load)]
            store.close()
            print(f"HNSW {name} the load of {len(rows):,} rows: {sum(parts_s):.1f} s")


def _order(
    name: str, build: Callable[[], object], load: Callable[[], object]
) -> list[Callable[[], object]]:
    return [build, load] if name == "before" else [load, build]


def _load(store: Store, rows: Sequence[Point]) -> None:
    for batch in batches(rows):
        store.upsert(NAMESPACE, batch)


def _taken_s(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
