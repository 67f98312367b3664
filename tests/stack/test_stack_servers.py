"""The servers work together: row changes of both databases arrive as Avro with known schemas."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fastavro
import pytest

from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.stack import Stack

RUN = f"smoke_{uuid4().hex[:8]}"
"""A name for databases, connectors and topics that no earlier session used."""


@pytest.fixture
def postgres_database(stack: Stack) -> Iterator[str]:
    stack.postgres.create_database(RUN)
    yield RUN
    stack.postgres.drop_database(RUN)


@pytest.fixture
def mysql_database(stack: Stack) -> Iterator[str]:
    stack.mysql.create_database(RUN)
    yield RUN
    stack.mysql.drop_database(RUN)


def test_postgres_changes_arrive_as_avro_in_three_partitions(
    stack: Stack, postgres_database: str
) -> None:
    with stack.postgres.connect(postgres_database) as connection:
        connection.execute("CREATE TABLE products (id int PRIMARY KEY, name text)")
        connection.execute(
            "INSERT INTO products SELECT n, 'product ' || n FROM generate_series(1, 20) n"
        )
        connector = stack.connect.register_postgres(
            stack.postgres,
            name=f"{RUN}_pg",
            database=postgres_database,
            topic_prefix=f"{RUN}_pg",
            tables=["public.products"],
        )
        try:
            topic = connector.topic("public.products")
            stack.kafka.topics.wait_for(topic, 20)
            connection.execute("INSERT INTO products VALUES (21, 'new')")
            connection.execute("UPDATE products SET name = 'changed' WHERE id = 1")
            connection.execute("DELETE FROM products WHERE id = 2")
            stack.kafka.topics.wait_for(topic, 24)
        finally:
            stack.connect.delete(connector)
    records = stack.kafka.topics.read(topic)
    assert {record.partition for record in records} == {0, 1, 2}
    assert sorted(_ops(stack, records)) == ["c", "d", *["r"] * 20, "tombstone", "u"]
    assert _slots(stack) == []


def test_mysql_changes_arrive_as_avro(stack: Stack, mysql_database: str) -> None:
    with stack.mysql.connect(mysql_database) as connection, connection.cursor() as cursor:
        columns = "shop int, sku varchar(20), n int, PRIMARY KEY (shop, sku)"
        cursor.execute(f"CREATE TABLE stock ({columns})")
        cursor.execute("INSERT INTO stock VALUES (1, 'a', 10), (1, 'b', 20), (2, 'a', 30)")
        connector = stack.connect.register_mysql(
            stack.mysql,
            name=f"{RUN}_my",
            database=mysql_database,
            topic_prefix=f"{RUN}_my",
            tables=[f"{mysql_database}.stock"],
        )
        try:
            topic = connector.topic(f"{mysql_database}.stock")
            stack.kafka.topics.wait_for(topic, 3)
            cursor.execute("UPDATE stock SET n = 11 WHERE shop = 1 AND sku = 'a'")
            cursor.execute("DELETE FROM stock WHERE shop = 2")
            stack.kafka.topics.wait_for(topic, 6)
        finally:
            stack.connect.delete(connector)
    records = stack.kafka.topics.read(topic)
    assert sorted(_ops(stack, records)) == ["d", "r", "r", "r", "tombstone", "u"]
    keys = [_decode(stack, record.key) for record in records]
    assert {"shop": 2, "sku": "a"} in keys


def test_a_restarted_broker_has_its_records_and_its_address(stack: Stack) -> None:
    stack.kafka.topics.create(f"{RUN}_restart", partitions=1)
    before = stack.kafka.topics.topic_id(f"{RUN}_restart")
    stack.kafka.topics.send(
        [Record(f"{RUN}_restart", 0, -1, b"k", b"v", headers=(("h", None), ("h", b"2")))]
    )
    stack.kafka.stop()
    assert not stack.kafka.topics.broker_answers()
    stack.kafka.start()
    (record,) = stack.kafka.topics.read(f"{RUN}_restart")
    assert (record.key, record.value, record.topic_id) == (b"k", b"v", before)
    assert record.headers == (("h", None), ("h", b"2"))


def test_a_restarted_registry_has_its_schemas_under_their_ids(stack: Stack) -> None:
    schema = json.dumps({"type": "record", "name": "Smoke", "fields": []})
    schema_id = stack.registry.register(f"{RUN}-value", schema)
    stack.registry.stop()
    stack.registry.start()
    assert json.loads(stack.registry.schema(schema_id)) == json.loads(schema)
    assert f"{RUN}-value" in stack.registry.subjects()


def _ops(stack: Stack, records: list[Record]) -> list[str]:
    return [
        "tombstone" if record.value is None else _decode(stack, record.value)["op"]
        for record in records
    ]


def _decode(stack: Stack, data: bytes | None) -> dict[str, Any]:
    """Confluent's wire format: a zero byte, the schema id, the Avro body."""
    assert data is not None
    assert data[0] == 0
    schema = json.loads(stack.registry.schema(int.from_bytes(data[1:5])))
    decoded = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    assert isinstance(decoded, dict)
    return decoded


def _slots(stack: Stack) -> list[tuple[Any, ...]]:
    query = "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'smoke%%'"
    with stack.postgres.connect() as connection:
        return connection.execute(query).fetchall()
