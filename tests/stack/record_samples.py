"""Records the decoder's samples on the real stack: ``python -m tests.stack.record_samples``."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.stack import stack as stacks
from tests.stack.home import REPOSITORY, personal_run
from tests.stack.sample_tables import (
    MYSQL,
    POSTGRES,
    POSTGRES_NOT_A_NUMBER,
    create_table,
    insert_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.stack.connect import Connector
    from tests.stack.sample_tables import Column
    from tests.stack.stack import Stack
    from worker.model import Record

FOLDER = REPOSITORY / "tests" / "unit" / "decode" / "samples"
STREAMED_FROM = 11
ROWS = {1: 0, 2: 1, 3: 2, 11: 0, 12: 1, 13: 2}
"""Rows 1 to 3 are there before the snapshot, 11 to 13 come as a stream."""

STOCK = [
    (
        "CREATE TABLE stock (shop int, sku varchar(20), amount int, note text,"
        " PRIMARY KEY (shop, sku))"
    ),
    "INSERT INTO stock VALUES (1, 'a', 10, 'first'), (1, 'b', 20, NULL), (2, 'a', 30, '')",
]
STOCK_STREAM = [
    "INSERT INTO stock VALUES (2, 'b_c', 40, 'streamed')",
    "UPDATE stock SET amount = 11 WHERE shop = 1 AND sku = 'a'",
    "UPDATE stock SET sku = 'moved' WHERE shop = 1 AND sku = 'b'",
    "DELETE FROM stock WHERE shop = 2 AND sku = 'a'",
]
ODD_KEYS = [
    (
        "CREATE TABLE odd_keys (who uuid, day date, at timestamptz, amount numeric(6,2),"
        " ok boolean, note text, PRIMARY KEY (who, day, at, amount, ok))"
    ),
    (
        "INSERT INTO odd_keys VALUES ('00000000-0000-0000-0000-000000000001', '1970-01-01',"
        " '2000-01-01Z', -0.01, false, 'even')"
    ),
]
ODD_STREAM = [
    (
        "INSERT INTO odd_keys VALUES ('0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b', '2024-02-29',"
        " '2024-02-29 13:14:15.123456+02', 12.50, true, 'odd')"
    ),
    "DELETE FROM odd_keys WHERE ok",
]
TOASTED = {
    "body": ("text", "repeat('text ', 200)"),
    "title": ("varchar(2000)", "repeat('title ', 200)"),
    "raw": ("bytea", "decode(repeat('deadbeef', 200), 'hex')"),
    "doc": ("jsonb", "jsonb_build_object('k', repeat('json ', 200))"),
    "plain": ("json", "json_build_object('k', repeat('json ', 200))"),
    "tags": ("text[]", "array_fill('tag'::text, ARRAY[150])"),
    "numbers": ("int[]", "array_fill(7, ARRAY[200])"),
    "longs": ("bigint[]", "array_fill(7::bigint, ARRAY[150])"),
    "days": ("date[]", "array_fill('2024-02-29'::date, ARRAY[200])"),
    "ids": ("uuid[]", "array_fill('0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b'::uuid, ARRAY[100])"),
}
TOAST = [
    "CREATE TABLE docs (id int PRIMARY KEY, n int, "
    + ", ".join(f"{name} {kind}" for name, (kind, _) in TOASTED.items())
    + ") WITH (toast_tuple_target = 128)",
    *(f"ALTER TABLE docs ALTER COLUMN {name} SET STORAGE EXTERNAL" for name in TOASTED),
    "INSERT INTO docs VALUES (1, 1, " + ", ".join(v for _, v in TOASTED.values()) + ")",
]
TOAST_STREAM = [
    "UPDATE docs SET n = 2 WHERE id = 1",
    "UPDATE docs SET body = 'now short' WHERE id = 1",
    "UPDATE docs SET id = 5 WHERE id = 1",
]
FULL = [
    "CREATE TABLE described (id int PRIMARY KEY, note text NOT NULL)",
    "ALTER TABLE described REPLICA IDENTITY FULL",
    "INSERT INTO described VALUES (1, 'before')",
]
FULL_STREAM = [
    "UPDATE described SET note = 'after' WHERE id = 1",
    "DELETE FROM described WHERE id = 1",
    "TRUNCATE described",
    "SELECT pg_logical_emit_message(true, 'greeting', 'hello')",
]
JSON = "org.apache.kafka.connect.json.JsonConverter"
JSON_PLAIN = {
    "key.converter": JSON,
    "value.converter": JSON,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
    "value.converter.replace.null.with.default": "false",
}
JSON_SCHEMA = {"key.converter": JSON, "value.converter": JSON}
DOUBLES = {"decimal.handling.mode": "double", "time.precision.mode": "connect"}
STRINGS = {
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "interval.handling.mode": "string",
    "binary.handling.mode": "base64",
}
EVERYTHING = {
    "provide.transaction.metadata": "true",
    "heartbeat.interval.ms": "1000",
    "skipped.operations": "none",
}
NANOS = {
    "decimal.handling.mode": "double",
    "time.precision.mode": "nanoseconds",
    "binary.handling.mode": "hex",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One sample: a database of its own, a table, what streams into it, and the connector."""

    name: str
    table: str
    setup: Sequence[str]
    """Before the connector is there: its rows come by the snapshot."""
    stream: Sequence[str]
    snapshot: int
    """How many records of the table the snapshot gives."""
    streamed: int
    """How many come after it, tombstones included."""
    config: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()


def every_type(name: str, table: str, columns: tuple[Column, ...], **config: str) -> Scene:
    """All kinds of rows, by the snapshot and as a stream; then an update and a delete."""
    first = columns[0].name
    return Scene(
        name,
        table,
        [create_table(table, columns), *insert_rows(table, columns, 1)],
        [
            *insert_rows(table, columns, STREAMED_FROM),
            f"UPDATE {table} SET {first} = NULL WHERE id = {STREAMED_FROM}",
            f"DELETE FROM {table} WHERE id = {STREAMED_FROM + 2}",
        ],
        3,
        6,
        config,
        columns,
    )


def one_of_every_type(name: str, **config: str) -> Scene:
    """The ordinary row alone, where a record carries its whole schema."""
    setup = [create_table("types", POSTGRES), insert_rows("types", POSTGRES, 1)[0]]
    return Scene(name, "types", setup, [], 1, 0, config, POSTGRES)


POSTGRES_SCENES = (
    every_type("postgres_types", "types", POSTGRES),
    every_type("postgres_json", "types", POSTGRES, **JSON_PLAIN),
    one_of_every_type("postgres_json_schema", **JSON_SCHEMA),
    every_type("postgres_doubles", "numbers", POSTGRES_NOT_A_NUMBER, **DOUBLES),
    every_type("postgres_strings", "numbers", POSTGRES_NOT_A_NUMBER, **STRINGS),
    every_type("postgres_nanoseconds", "numbers", POSTGRES_NOT_A_NUMBER, **NANOS),
    Scene("postgres_two_keys", "stock", STOCK, STOCK_STREAM, 3, 7),
    Scene("postgres_two_keys_json_schema", "stock", STOCK, STOCK_STREAM, 3, 7, JSON_SCHEMA),
    Scene("postgres_two_keys_json", "stock", STOCK, STOCK_STREAM, 3, 7, JSON_PLAIN),
    Scene("postgres_odd_keys", "odd_keys", ODD_KEYS, ODD_STREAM, 1, 3),
    Scene("postgres_toast", "docs", TOAST, TOAST_STREAM, 1, 5),
    Scene("postgres_toast_json", "docs", TOAST, TOAST_STREAM, 1, 5, JSON_PLAIN),
    Scene("postgres_other_records", "described", FULL, FULL_STREAM, 1, 4, EVERYTHING),
)
MYSQL_SCENES = (
    every_type("mysql_types", "types", MYSQL),
    every_type("mysql_json", "types", MYSQL, **JSON_PLAIN),
    Scene("mysql_two_keys", "stock", STOCK, STOCK_STREAM, 3, 7),
)
POSTGRES_FIRST = (
    "CREATE EXTENSION vector",
    "CREATE TYPE mood AS ENUM ('very sad', 'content', 'happy')",
)


def main() -> None:
    """Play every scene and write its file, and all schemas that occur."""
    stack = stacks.up(personal_run())
    FOLDER.mkdir(parents=True, exist_ok=True)
    recorded: list[Record] = []
    for scene, play in [
        *((scene, play_postgres) for scene in POSTGRES_SCENES),
        *((scene, play_mysql) for scene in MYSQL_SCENES),
    ]:
        forget(stack, scene)
        records = play(stack, scene)
        write(scene, records)
        recorded += records
        print(f"{scene.name}: {len(records)} records")
    ids = sorted(schema_ids(recorded))
    found = {schema_id: json.loads(stack.registry.schema(schema_id)) for schema_id in ids}
    (FOLDER / "schemas.json").write_text(json.dumps(found, indent=1) + "\n")


def forget(stack: Stack, scene: Scene) -> None:
    """Remove what an earlier, perhaps broken, recording left."""
    stack.postgres.drop_database(scene.name)
    stack.mysql.drop_database(scene.name)
    left = topics_of(stack, scene)
    if left:
        stack.kafka.topics.delete(*left)


def topics_of(stack: Stack, scene: Scene) -> list[str]:
    """The topics of its connector, the schema history among them."""
    return [name for name in stack.kafka.topics.names() if scene.name in name.split(".")]


def play_postgres(stack: Stack, scene: Scene) -> list[Record]:
    """Everything that Debezium makes of a scene in Postgres."""
    stack.postgres.create_database(scene.name)
    with stack.postgres.connect(scene.name) as connection:
        execute = connection.execute
        _all(execute, [*POSTGRES_FIRST, *scene.setup])
        connector = stack.connect.register_postgres(
            stack.postgres,
            name=scene.name,
            database=scene.name,
            topic_prefix=scene.name,
            tables=[f"public.{scene.table}"],
            config=scene.config,
        )
        try:
            return _stream(stack, scene, connector, f"public.{scene.table}", execute)
        finally:
            stack.connect.delete(connector)
            connection.close()
            stack.postgres.drop_database(scene.name)


def play_mysql(stack: Stack, scene: Scene) -> list[Record]:
    """Everything that Debezium makes of a scene in MySQL."""
    stack.mysql.create_database(scene.name)
    with stack.mysql.connect(scene.name) as connection, connection.cursor() as cursor:
        _all(cursor.execute, scene.setup)
        connector = stack.connect.register_mysql(
            stack.mysql,
            name=scene.name,
            database=scene.name,
            topic_prefix=scene.name,
            tables=[f"{scene.name}.{scene.table}"],
            config=scene.config,
        )
        try:
            return _stream(stack, scene, connector, f"{scene.name}.{scene.table}", cursor.execute)
        finally:
            stack.connect.delete(connector)
            stack.mysql.drop_database(scene.name)


def _stream(
    stack: Stack,
    scene: Scene,
    connector: Connector,
    table: str,
    execute: Callable[[str], object],
) -> list[Record]:
    topics, topic = stack.kafka.topics, connector.topic(table)
    topics.wait_for(topic, scene.snapshot)
    _all(execute, scene.stream)
    topics.wait_for(topic, scene.snapshot + scene.streamed)
    names = [name for name in topics_of(stack, scene) if not name.endswith(".schema-history")]
    return [record for name in names for record in topics.read(name)]


def _all(execute: Callable[[str], object], statements: Iterable[str]) -> None:
    for statement in statements:
        execute(statement)


def write(scene: Scene, records: Sequence[Record]) -> None:
    """Write one sample; its format is described where it is read."""
    content = {
        "columns": [
            {"name": column.name, "type": column.sql_type, "literals": column.literals}
            for column in scene.columns
        ],
        "rows": ROWS if scene.columns else {},
        "records": [_fields(record) for record in records],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (FOLDER / f"{scene.name}.json").write_text(text + "\n")


def _fields(record: Record) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
    }


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def schema_ids(records: Iterable[Record]) -> set[int]:
    """The ids in the wire format of everything that is not JSON."""
    data = [part for record in records for part in (record.key, record.value) if part]
    return {int.from_bytes(part[1:5]) for part in data if part[0] == 0}


if __name__ == "__main__":
    main()
