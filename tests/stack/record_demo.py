"""Records the demo's shop on the real stack: ``python -m tests.stack.record_demo``."""

from __future__ import annotations

import base64
import gzip
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.types.json import Jsonb

from tests.stack import stack as stacks
from tests.stack import versions
from tests.stack.demo_changes import CHANGES, Delete, Insert, Update
from tests.stack.demo_products import TABLE, products
from tests.stack.home import REPOSITORY, personal_run
from tests.stack.record_samples import schema_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from tests.stack.demo_products import Product
    from tests.stack.stack import Stack
    from worker.model import Record

FOLDER = REPOSITORY / "worker" / "demo" / "recording"
DATABASE = "shop"
PREFIX = "shop"
TOPIC = "shop.public.products"
PAUSE_S = 0.3
"""Between two changes, so that their times say in which order they came."""


def main() -> None:
    """Play the shop's day and write what came out of Kafka."""
    stack = stacks.up(personal_run())
    stack.postgres.drop_database(DATABASE)
    if TOPIC in stack.kafka.topics.names():
        stack.kafka.topics.delete(TOPIC)
    stack.postgres.create_database(DATABASE)
    try:
        records = play(stack)
        write(stack, records)
    finally:
        stack.postgres.drop_database(DATABASE)
    print(f"{len(records)} records in {FOLDER}")


def play(stack: Stack) -> list[Record]:
    """Snapshot, then every change; all records in the order in which Kafka got them."""
    rows = products()
    with stack.postgres.connect(DATABASE) as connection:
        connection.execute(TABLE)
        for row in rows:
            insert(connection, row)
        connector = stack.connect.register_postgres(
            stack.postgres,
            name=PREFIX,
            database=DATABASE,
            topic_prefix=PREFIX,
            tables=["public.products"],
        )
        try:
            stack.kafka.topics.wait_for(TOPIC, len(rows))
            for change in CHANGES:
                apply(connection, change)
                time.sleep(PAUSE_S)
            deletes = sum(isinstance(change, Delete) for change in CHANGES)
            stack.kafka.topics.wait_for(TOPIC, len(rows) + len(CHANGES) + deletes)
        finally:
            stack.connect.delete(connector)
    return _in_order_of_time(stack.kafka.topics.read(TOPIC))


def apply(connection: Connection[tuple[Any, ...]], change: Insert | Update | Delete) -> None:
    """One change, in a transaction of its own."""
    match change:
        case Insert(row):
            insert(connection, row)
        case Update(row_id, columns):
            update(connection, row_id, columns)
        case Delete(row_id):
            connection.execute("DELETE FROM products WHERE id = %s", [row_id])


def insert(connection: Connection[tuple[Any, ...]], row: Product) -> None:
    """Insert a product, updated now."""
    columns = asdict(row) | {"updated_at": datetime.now(UTC)}
    statement = sql.SQL("INSERT INTO products ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    connection.execute(statement, _values(columns))


def update(
    connection: Connection[tuple[Any, ...]], row_id: int, columns: Mapping[str, object]
) -> None:
    """Set some columns of a product, updated now."""
    columns = dict(columns) | {"updated_at": datetime.now(UTC)}
    assignments = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns]
    statement = sql.SQL("UPDATE products SET {} WHERE id = %s").format(
        sql.SQL(", ").join(assignments)
    )
    connection.execute(statement, [*_values(columns), row_id])


def _values(columns: Mapping[str, object]) -> list[object]:
    return [_adapted(value) for value in columns.values()]


def _adapted(value: object) -> object:
    """Psycopg takes lists for arrays, and json in its own wrapper."""
    match value:
        case tuple():
            return list(value)
        case dict():
            return Jsonb(value)
    return value


def _in_order_of_time(records: Sequence[Record]) -> list[Record]:
    """Merge the partitions by time; within a partition the order stays."""
    partitions = [list(group) for _, group in groupby(records, attrgetter("partition"))]
    return list(merge(*partitions, key=lambda record: record.timestamp_ms or 0))


def write(stack: Stack, records: Sequence[Record]) -> None:
    """Write records and schemas; their format is described where they are read."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    facts = {
        "topic": TOPIC,
        "partitions": stack.kafka.topics.partitions(TOPIC),
        "snapshot": len(products()),
        "kafka": versions.KAFKA,
        "debezium": versions.DEBEZIUM_POSTGRES,
    }
    lines = [json.dumps(facts), *(json.dumps(_fields(record)) for record in records)]
    text = "\n".join(lines) + "\n"
    (FOLDER / "records.jsonl.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    ids = sorted(schema_ids(records))
    schemas = {schema_id: json.loads(stack.registry.schema(schema_id)) for schema_id in ids}
    (FOLDER / "schemas.json").write_text(json.dumps(schemas, indent=1) + "\n")


def _fields(record: Record) -> list[object]:
    headers = [[name, _text(value)] for name, value in record.headers]
    place = [record.partition, record.offset, record.timestamp_ms]
    return [*place, _text(record.key), _text(record.value), headers]


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
