"""The same text by every road: a row's columns over Kafka and from the database are equal."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.stack.ports import HOST
from tests.stack.record_samples import TOAST, TOASTED
from worker.config.reselect import ReselectSettings
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, PartSettings
from worker.decode.port import SchemaNeeded
from worker.decode.registry_http import RegistrySettings
from worker.model import Change, Op
from worker.reselect.port import Missing
from worker.reselect.postgres import PostgresReselector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.connect import Connector
    from tests.stack.stack import Stack
    from worker.model import Record
    from worker.reselect.port import Answer

NAME = "reselect_types"
TYPES = {
    "body": ("text", "E'two\\r\\nlines, \\ttab '"),
    "kind": ("varchar(40)", "'short'"),
    "code": ("char(6)", "'ab'"),
    "doc": ("json", """'{"b": [1.50, 1e3, 12345678901234567890], "a": "\\u00fc"}'"""),
    "docb": ("jsonb", """'{"b": [1.50, 1e3, 12345678901234567890], "a": "\\u00fc"}'"""),
    "raw": ("bytea", "'\\x00ff10'"),
    "exact": ("numeric(12,4)", "12.5"),
    "free": ("numeric", "1.500"),
    "whole": ("numeric", "1200"),
    "zero": ("numeric", "0.00"),
    "large": ("numeric", "-12345678901234567890123456789012345678900.1200"),
    "hundreds": ("numeric", "1200.00"),
    "frees": ("numeric[]", "'{1.500,1200,NULL}'"),
    "scaleless": ("numeric(7)", "120"),
    "measure": ("measure", "2.50"),
    "words": ("tsvector", "to_tsvector('simple', 'rain and jacket')"),
    "feeling": ("mood", "'very sad'"),
    "tags": ("text[]", """'{a,"b, c",NULL,"q\\"uote","NULL",""}'"""),
    "kinds": ("varchar(10)[]", "'{a,b}'"),
    "codes": ("char(4)[]", "'{a,bcd}'"),
    "docs": ("json[]", """ARRAY['{"b": 1, "a": 2.0}'::json]"""),
    "docbs": ("jsonb[]", """ARRAY['{"b": 1, "a": 2.0}'::jsonb, NULL]"""),
    "raws": ("bytea[]", "ARRAY['\\x00ff'::bytea]"),
    "small": ("smallint[]", "'{1,-2,NULL}'"),
    "ints": ("int[]", "'{1,-2,NULL}'"),
    "longs": ("bigint[]", "'{9007199254740993}'"),
    "reals": ("real[]", "'{0.1,1e10}'"),
    "doubles": ("double precision[]", "'{0.1,1e-7}'"),
    "exacts": ("numeric(6,2)[]", "'{1.5}'"),
    "bools": ("boolean[]", "'{t,f,NULL}'"),
    "days": ("date[]", "'{2024-02-29}'"),
    "moments": ("timestamp[]", "'{2024-02-29 13:14:15.5}'"),
    "instants": ("timestamptz[]", "'{2024-02-29 13:14:15.5+02}'"),
    "times": ("time[]", "'{13:14:15.5}'"),
    "ids": ("uuid[]", "'{0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b}'"),
    "moods": ("mood[]", "'{happy,very sad}'"),
    "amount": ("price", "12.5"),
    "label": ("label", "'a domain'"),
}
FIRST = (
    "CREATE TYPE mood AS ENUM ('very sad', 'content', 'happy')",
    "CREATE DOMAIN price AS numeric(8,2)",
    "CREATE DOMAIN label AS text",
    "CREATE DOMAIN measure AS numeric",
)


@pytest.fixture
def source(stack: Stack) -> Iterator[Source]:
    made = Source(stack)
    yield made
    made.close()


class Source:
    """A captured database, the changes that come of it, and a reselector on it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        forget(stack)
        stack.postgres.create_database(NAME)
        self._connection = stack.postgres.connect(NAME)
        self._connector: Connector | None = None
        postgres = stack.postgres
        self.reselector = PostgresReselector(
            ReselectSettings(
                url=f"postgresql://{HOST}:{postgres.port}/{NAME}",
                user=postgres.user,
                password=postgres.password,
            )
        )

    def run(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement.encode())

    def capture(self, table: str) -> None:
        """Let Debezium read a table that has one row, and wait for that."""
        stack = self._stack
        self._connector = stack.connect.register_postgres(
            stack.postgres, name=NAME, database=NAME, topic_prefix=NAME, tables=[f"public.{table}"]
        )
        self.changes(table, 1)

    def changes(self, table: str, count: int) -> list[Change]:
        """All changes of the table, of which there are so many."""
        topics, topic = self._stack.kafka.topics, f"{NAME}.public.{table}"
        topics.wait_for(topic, count)
        return list(decoded(self._stack, topics.read(topic)))

    def read(self, change: Change, *columns: str) -> Answer:
        (answer,) = self.reselector.read([Missing(change.key, change.origin, frozenset(columns))])
        return answer

    def close(self) -> None:
        self.reselector.close()
        if self._connector is not None:
            self._stack.connect.delete(self._connector)
        self._connection.close()
        forget(self._stack)


def test_columns_over_kafka_and_from_the_database_are_equal(source: Source) -> None:
    """One row by the snapshot and one from the log."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in TYPES.items())
    values = ", ".join(literal for _, literal in TYPES.values())
    source.run(*FIRST, f"CREATE TABLE items (id int PRIMARY KEY, {columns})")
    source.run(f"INSERT INTO items VALUES (1, {values})")
    source.capture("items")
    source.run(f"INSERT INTO items VALUES (2, {values})")
    wrong = {}
    for change in source.changes("items", 2):
        for name in TYPES:
            answer = source.read(change, name)
            found = repr(answer[name]) if isinstance(answer, dict) else repr(answer)
            sent = repr(change.after.get(name, "not sent"))
            if found != sent:
                wrong[f"{change.op} {name}"] = (sent, found)
    assert wrong == {}


def test_what_debezium_leaves_out_is_read_as_it_was_sent_before(source: Source) -> None:
    """An update of another column, then a change of the key, which leave the TOASTed ones out."""
    source.run(*TOAST)
    source.capture("docs")
    source.run("UPDATE docs SET n = 2 WHERE id = 1")
    (first, update) = source.changes("docs", 2)
    assert update.unavailable == TOASTED.keys()
    sent = {name: first.after[name] for name in TOASTED}
    assert source.read(update, *TOASTED) == sent
    source.run("UPDATE docs SET id = 5 WHERE id = 1")
    (created,) = (one for one in source.changes("docs", 5) if one.op is Op.CREATE)
    assert created.unavailable == TOASTED.keys()
    assert source.read(created, *TOASTED) == sent
    assert source.read(update, "body") is None  # the row is no longer under its old key


def forget(stack: Stack) -> None:
    """Remove what an earlier run left."""
    stack.postgres.drop_database(NAME)
    left = [name for name in stack.kafka.topics.names() if name.startswith(f"{NAME}.")]
    if left:
        stack.kafka.topics.delete(*left)


def decoded(stack: Stack, records: list[Record]) -> Iterator[Change]:
    part = PartSettings(registry=RegistrySettings(urls=(stack.registry.url,)))
    with closing(DebeziumDecoder(DecoderSettings(part, part))) as decoder:
        for record in records:
            yield decode(decoder, record)


def decode(decoder: DebeziumDecoder, record: Record) -> Change:
    while True:
        try:
            change = decoder.decode(record)
        except SchemaNeeded as needed:
            decoder.load(needed)
        else:
            assert isinstance(change, Change)
            return change
