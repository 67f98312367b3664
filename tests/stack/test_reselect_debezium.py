"""The same text by every road: a row's columns over Kafka and from the database are equal."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tests.stack.ports import HOST
from worker.config.reselect import ReselectSettings
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, PartSettings
from worker.decode.port import SchemaNeeded
from worker.decode.registry_http import RegistrySettings
from worker.model import Change
from worker.reselect.port import Missing
from worker.reselect.postgres import PostgresReselector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.stack import Stack
    from worker.model import Record

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


def test_columns_over_kafka_and_from_the_database_are_equal(stack: Stack) -> None:
    """One row by the snapshot and one from the log."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in TYPES.items())
    values = ", ".join(literal for _, literal in TYPES.values())
    forget(stack)
    stack.postgres.create_database(NAME)
    with stack.postgres.connect(NAME) as connection:
        for statement in FIRST:
            connection.execute(statement)
        connection.execute(f"CREATE TABLE items (id int PRIMARY KEY, {columns})".encode())
        connection.execute(f"INSERT INTO items VALUES (1, {values})".encode())
        connector = stack.connect.register_postgres(
            stack.postgres, name=NAME, database=NAME, topic_prefix=NAME, tables=["public.items"]
        )
        try:
            topic = connector.topic("public.items")
            stack.kafka.topics.wait_for(topic, 1)
            connection.execute(f"INSERT INTO items VALUES (2, {values})".encode())
            stack.kafka.topics.wait_for(topic, 2)
            changes = list(decoded(stack, stack.kafka.topics.read(topic)))
            wrong = differences(stack, changes)
        finally:
            stack.connect.delete(connector)
            connection.close()
            forget(stack)
    assert len(changes) == 2
    assert wrong == {}


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


def differences(stack: Stack, changes: list[Change]) -> dict[str, tuple[str, str]]:
    """Where the two roads differ; also where a column cannot be read or does not come."""
    url = f"postgresql://{HOST}:{stack.postgres.port}/{NAME}"
    settings = ReselectSettings(url=url, user=stack.postgres.user, password=stack.postgres.password)
    wrong = {}
    with closing(PostgresReselector(settings)) as reselector:
        for change in changes:
            for name in TYPES:
                wanted = Missing(change.key, change.origin, frozenset({name}))
                (answer,) = reselector.read([wanted])
                found = repr(answer[name]) if isinstance(answer, dict) else repr(answer)
                sent = repr(change.after.get(name, "not sent"))
                if found != sent:
                    wrong[f"{change.op} {name}"] = (sent, found)
    return wrong
