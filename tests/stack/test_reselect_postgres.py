"""Missing columns from a real Postgres: the contract, every type, and bad moments."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql
from pydantic import SecretStr

from tests.contract.reselect_contract import DB, SOURCE, Cell, ReselectContract, doc, missing
from tests.stack.ports import HOST
from tests.stack.record_samples import POSTGRES_FIRST, TOAST, TOASTED
from tests.stack.sample_tables import POSTGRES, create_table, insert_rows
from tests.unit.decode.expected_values import POSTGRES_TYPES
from worker.config.reselect import ReselectSettings
from worker.errors import ConfigError, FatalError, RecordError, RetriableError
from worker.model import Key
from worker.reselect.port import Missing
from worker.reselect.postgres import PostgresReselector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.stack.postgres import Postgres
    from tests.stack.sample_tables import Column
    from tests.stack.stack import Stack
    from worker.reselect.port import Answer

READER = "reselect_reader"
PASSWORD = "reader's password"
NOT_MATCHED = {
    "c_money", "c_timetz", "c_interval", "c_bit", "c_bit_8", "c_bit_varying", "c_point",
    "c_int4range", "c_daterange", "c_tstzrange", "c_vector", "c_halfvec",
}  # fmt: skip
"""Small ones, that are never unavailable, and ones whose placeholder Debezium cannot write."""
NULL_IS_ITS_DEFAULT = {"c_default_int", "c_default_text"}


class RealDatabase:
    """A database of its own, read as a user who may read everything in it."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        server.drop_database(DB)
        server.create_database(DB)
        self.run(*POSTGRES_FIRST, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + READER)
        self.run(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {READER}")
        self.run(f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {READER}")
        self._made: list[PostgresReselector] = []
        self.reselector = self.connect()

    def connect(self, **changes: Any) -> PostgresReselector:
        """Another reselector, with other settings; closed after the test."""
        made = PostgresReselector(self.settings.model_copy(update=changes))
        self._made.append(made)
        return made

    @property
    def settings(self) -> ReselectSettings:
        url = f"postgresql://{HOST}:{self.server.port}/{DB}"
        return ReselectSettings(url=url, user=READER, password=SecretStr(PASSWORD), timeout_ms=1500)

    def run(self, *statements: str) -> None:
        with self.server.connect(DB) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create(
        self, schema: str, table: str, columns: Mapping[str, str], unreadable: Sequence[str] = ()
    ) -> None:
        name = sql.Identifier(schema, table)
        parts = [
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
            for column, kind in columns.items()
        ]
        with self.server.connect(DB) as connection:
            make = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
            connection.execute(make)
            connection.execute(
                sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(parts))
            )

    def insert(self, schema: str, table: str, row: Mapping[str, Cell]) -> None:
        with self.server.connect(DB) as connection:
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(schema, table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join([sql.SQL(cell.sql) for cell in row.values()]),
                )
            )

    def delete(self, schema: str, table: str, key: Mapping[str, Cell]) -> None:
        matches = [
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.SQL(cell.sql))
            for name, cell in key.items()
        ]
        with self.server.connect(DB) as connection:
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE {}").format(
                    sql.Identifier(schema, table), sql.SQL(" AND ").join(matches)
                )
            )

    def down(self) -> None:
        self._allow_connections("false")
        with self.server.connect() as connection:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(end, [DB])

    def up(self) -> None:
        self._allow_connections("true")

    def _allow_connections(self, answer: str) -> None:
        with self.server.connect() as connection:
            connection.execute(f"ALTER DATABASE {DB} ALLOW_CONNECTIONS {answer}".encode())

    def sessions(self) -> list[int]:
        """The process ids of ours in the server."""
        with self.server.connect() as connection:
            query = (
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = %s AND application_name = 'vecsink'"
            )
            return [pid for (pid,) in connection.execute(query, [DB])]

    def close(self) -> None:
        for made in self._made:
            made.close()
        self.server.drop_database(DB)


@pytest.fixture(scope="module")
def server(stack: Stack) -> Iterator[Postgres]:
    with stack.postgres.connect() as connection:
        connection.execute(f"DROP ROLE IF EXISTS {READER}".encode())
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(made.format(sql.Identifier(READER), sql.Literal(PASSWORD)))
    yield stack.postgres
    with stack.postgres.connect() as connection:
        connection.execute(f"DROP ROLE {READER}".encode())


@pytest.fixture
def database(server: Postgres) -> Iterator[RealDatabase]:
    made = RealDatabase(server)
    yield made
    made.close()


class TestPostgresReselector(ReselectContract):
    """The contract; the fixture is the module's."""


@pytest.fixture
def docs(database: RealDatabase) -> RealDatabase:
    database.run(
        "CREATE TABLE docs (id int PRIMARY KEY, body text)",
        "INSERT INTO docs VALUES (1, 'body 1'), (2, 'body 2')",
    )
    return database


@pytest.fixture
def types(database: RealDatabase) -> RealDatabase:
    """A table with a column of every interesting type, as the decoder's samples have it."""
    database.run(create_table("types", POSTGRES), *insert_rows("types", POSTGRES, 1))
    return database


def expected(column: Column) -> list[Any]:
    """What the decode step made of the column in rows 1 to 3."""
    if column.name in NOT_MATCHED:
        return ["UnavailableColumn"] * 3
    known = POSTGRES_TYPES[column.name]
    if column.name in NULL_IS_ITS_DEFAULT:
        known = {**known, "NULL": None}
    values = [repr(known.get(literal)) for literal in column.literals]
    if column.name == "c_int_array":
        values[2] = "UnavailableColumn"  # an array of arrays
    return values


def test_every_value_is_what_it_is_over_kafka(types: RealDatabase) -> None:
    wrong = {}
    for column in POSTGRES:
        wanted = [missing(("id", row), columns=[column.name], table="types") for row in (1, 2, 3)]
        found = [_shown(answer, column.name) for answer in types.reselector.read(wanted)]
        if found != expected(column):
            wrong[column.name] = (found, expected(column))
    assert wrong == {}


def _shown(answer: Answer, column: str) -> str:
    if isinstance(answer, RecordError):
        return answer.kind
    return "no row" if answer is None else repr(answer[column])


def test_a_numeric_of_negative_scale_which_debezium_misreads_is_refused(
    database: RealDatabase,
) -> None:
    database.run("CREATE TABLE docs (id int PRIMARY KEY, body numeric(5,-2), price numeric(5,2))")
    database.run("INSERT INTO docs VALUES (1, 12345, 12.5)")
    body, price = database.reselector.read([doc(1), doc(1, "price")])
    assert isinstance(body, RecordError)
    assert price == {"price": Decimal("12.50")}


def test_all_toasted_columns_are_read_by_one_query(database: RealDatabase) -> None:
    database.run(*TOAST)
    (answer,) = database.reselector.read([missing(("id", 1), columns=[*TOASTED])])
    assert isinstance(answer, dict)
    assert answer["body"] == "text " * 200
    assert answer["raw"] == bytes.fromhex("deadbeef") * 200
    assert answer["doc"] == answer["plain"] == f'{{"k":"{"json " * 200}"}}'
    assert answer["tags"] == ["tag"] * 150
    assert answer["longs"] == [7] * 150


def test_settings_of_the_database_do_not_change_a_value(types: RealDatabase) -> None:
    columns = ["c_bytea", "c_date_array", "c_timestamptz_array", "c_double_array", "c_real"]
    wanted = [missing(("id", 1), columns=columns, table="types")]
    plain = types.reselector.read(wanted)
    types.run(
        f"ALTER ROLE {READER} SET DateStyle = 'German, DMY'",
        f"ALTER ROLE {READER} SET TimeZone = 'Asia/Tokyo'",
        f"ALTER ROLE {READER} SET bytea_output = 'escape'",
        f"ALTER ROLE {READER} SET extra_float_digits = -5",
        f"ALTER ROLE {READER} SET client_encoding = 'LATIN1'",
    )
    try:
        assert types.connect().read(wanted) == plain
    finally:
        types.run(f"ALTER ROLE {READER} RESET ALL")


def test_domains_are_their_base_types_and_enums_are_texts(database: RealDatabase) -> None:
    database.run(
        "CREATE DOMAIN short AS varchar(10)",
        "CREATE DOMAIN shorter AS short",
        "CREATE TABLE docs (mood mood, id shorter, body shorter, tags mood[],"
        " codes char(4)[], PRIMARY KEY (mood, id))",
        "INSERT INTO docs VALUES ('happy', 'a', 'b', '{happy,NULL,very sad}', '{x}')",
    )
    wanted = missing(("mood", "happy"), ("id", "a"), columns=["body", "tags", "codes", "mood"])
    assert database.reselector.read([wanted]) == [
        {"body": "b", "tags": ["happy", None, "very sad"], "codes": ["x   "], "mood": "happy"}
    ]


def test_a_partitioned_table_is_read_by_its_name(database: RealDatabase) -> None:
    database.run(
        "CREATE TABLE docs (id int PRIMARY KEY, body text) PARTITION BY RANGE (id)",
        "CREATE TABLE docs_low PARTITION OF docs FOR VALUES FROM (0) TO (10)",
        "INSERT INTO docs VALUES (1, 'low')",
    )
    assert database.reselector.read([doc(1), missing(("id", 1), table="docs_low")]) == [
        {"body": "low"},
        {"body": "low"},
    ]


@pytest.mark.parametrize("key", [2**40, "1", None, 1.5, "\x00"])
def test_a_key_that_is_no_value_of_its_type_spoils_no_other_row(
    docs: RealDatabase, key: Any
) -> None:
    answers = docs.reselector.read([doc(1), missing(("id", key)), doc(2)])
    assert isinstance(answers[1], RecordError)
    assert [answers[0], answers[2]] == [{"body": "body 1"}, {"body": "body 2"}]


def test_a_row_that_postgres_cannot_read_spoils_no_other(docs: RealDatabase) -> None:
    """In a database without an encoding may be bytes that are no text."""
    name = f"{DB}_ascii"
    docs.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    docs.run(f"CREATE DATABASE {name} ENCODING SQL_ASCII LOCALE 'C' TEMPLATE template0")
    try:
        with docs.server.connect(name) as connection:
            connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text)")
            connection.execute("INSERT INTO docs SELECT n, 'fine' FROM generate_series(1, 5) n")
            connection.execute("UPDATE docs SET body = E'\\351t\\351' WHERE id = 4")
            connection.execute(f"GRANT SELECT ON docs TO {READER}".encode())
        reselector = docs.connect(url=f"postgresql://{HOST}:{docs.server.port}/{name}")
        origin = replace(SOURCE, db=name)
        wanted = [replace(doc(row), origin=origin) for row in range(1, 6)]
        answers = list(reselector.read(wanted))
        assert isinstance(answers.pop(3), RecordError)
        assert answers == [{"body": "fine"}] * 4
    finally:
        docs.server.drop_database(name)


def test_a_query_that_takes_too_long_is_tried_again(docs: RealDatabase) -> None:
    with docs.server.connect(DB) as connection:
        connection.autocommit = False
        connection.execute("LOCK TABLE docs IN ACCESS EXCLUSIVE MODE")
        begun_s = time.monotonic()
        with pytest.raises(RetriableError, match="too long"):
            docs.reselector.read([doc(1)])
        assert time.monotonic() - begun_s < 5
        connection.rollback()
    assert docs.reselector.read([doc(1)]) == [{"body": "body 1"}]


def test_a_server_that_stops_to_answer_is_left(docs: RealDatabase) -> None:
    docs.reselector.read([doc(1)])
    (session,) = docs.sessions()
    os.kill(session, signal.SIGSTOP)
    try:
        begun_s = time.monotonic()
        with pytest.raises(RetriableError):
            docs.reselector.read([doc(1)])
        assert time.monotonic() - begun_s < 10
    finally:
        os.kill(session, signal.SIGCONT)
    assert docs.reselector.read([doc(1)]) == [{"body": "body 1"}]


def test_a_worker_that_stands_still_does_not_keep_the_table_locked(docs: RealDatabase) -> None:
    reading = dedent("""
        import signal, sys
        from worker.config.reselect import ReselectSettings
        from worker.reselect.postgres_pool import PostgresPool

        settings = ReselectSettings.model_validate_json(sys.argv[1])
        with PostgresPool(settings).transaction() as connection:
            connection.execute("SELECT * FROM docs")
            signal.raise_signal(signal.SIGSTOP)
    """)
    given = {"reselect.url": docs.settings.url, "reselect.user": READER}
    given |= {"reselect.password": PASSWORD, "reselect.timeout.ms": "1500"}
    worker = subprocess.Popen([sys.executable, "-c", reading, json.dumps(given)])
    try:
        assert os.WIFSTOPPED(os.waitpid(worker.pid, os.WUNTRACED)[1])
        docs.run("SET lock_timeout = '10s'", "ALTER TABLE docs ADD COLUMN title text")
    finally:
        worker.kill()
        worker.wait()


def test_there_are_no_more_connections_than_allowed(docs: RealDatabase) -> None:
    reselector = docs.connect(max_connections=1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: reselector.read([doc(1)]), range(20)))
    assert answers == [[{"body": "body 1"}]] * 20
    assert len(docs.sessions()) == 1


def test_who_waits_for_a_busy_connection_waits_for_the_time_out_at_most(
    docs: RealDatabase,
) -> None:
    reselector = docs.connect(max_connections=1, timeout_ms=1000)
    with docs.server.connect(DB) as connection, ThreadPoolExecutor(2) as pool:
        connection.autocommit = False
        connection.execute("LOCK TABLE docs IN ACCESS EXCLUSIVE MODE")
        begun_s = time.monotonic()
        waiting = [pool.submit(reselector.read, [doc(1)]) for _ in range(2)]
        errors = [future.exception() for future in waiting]
        assert time.monotonic() - begun_s < 8
        connection.rollback()
    assert [type(error) for error in errors] == [RetriableError, RetriableError]


def test_nothing_can_be_written(docs: RealDatabase) -> None:
    docs.run(
        "CREATE FUNCTION written() RETURNS text LANGUAGE sql SECURITY DEFINER AS"
        " $$ INSERT INTO docs VALUES (99, 'written') RETURNING body $$",
        "CREATE VIEW trap AS SELECT id, written() AS body FROM docs",
    )
    with pytest.raises(FatalError, match="ReadOnlySqlTransaction"):
        docs.reselector.read([missing(("id", 1), table="trap")])
    assert docs.reselector.read([doc(99)]) == [None]


@pytest.mark.parametrize(
    "changes",
    [
        {"password": SecretStr("wrong-canary")},
        {"password": None},
        {"user": "nobody-canary"},
    ],
    ids=["wrong password", "no password", "unknown user"],
)
def test_a_refused_login_fails_the_task(docs: RealDatabase, changes: dict[str, Any]) -> None:
    with pytest.raises(FatalError, match=r"reselect\.user") as caught:
        docs.connect(**changes).read([doc(1)])
    assert "wrong-canary" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_password_that_is_changed_later_fails_the_task(docs: RealDatabase) -> None:
    docs.reselector.read([doc(1)])
    docs.run(f"ALTER ROLE {READER} PASSWORD 'another'")
    try:
        docs.down()
        docs.up()
        with pytest.raises(RetriableError):
            docs.reselector.read([doc(1)])  # over the connection that is gone
        with pytest.raises(FatalError):
            docs.reselector.read([doc(1)])
    finally:
        quoted = PASSWORD.replace("'", "''")
        docs.run(f"ALTER ROLE {READER} PASSWORD '{quoted}'")


def test_a_database_that_does_not_exist_fails_the_task(docs: RealDatabase) -> None:
    url = f"postgresql://{HOST}:{docs.server.port}/no_such_database"
    with pytest.raises(FatalError):
        docs.connect(url=url).read([doc(1)])


def test_a_port_where_nobody_listens_is_waited_for(docs: RealDatabase) -> None:
    with pytest.raises(RetriableError, match="does not answer"):
        docs.connect(url=f"postgresql://{HOST}:9/{DB}").read([doc(1)])


def test_a_table_that_may_not_be_read_fails_the_task(docs: RealDatabase) -> None:
    docs.run(f"REVOKE SELECT ON docs FROM {READER}")
    with pytest.raises(FatalError, match="GRANT"):
        docs.reselector.read([doc(1)])


def test_a_schema_that_may_not_be_used_fails_the_task(docs: RealDatabase) -> None:
    docs.run("CREATE SCHEMA hidden", f"REVOKE ALL ON SCHEMA hidden FROM {READER}")
    docs.run("CREATE TABLE hidden.docs AS TABLE docs")
    origin = replace(SOURCE, schema="hidden")
    wanted = Missing(Key("topic", (("id", 1),)), origin, frozenset({"body"}))
    with pytest.raises(FatalError, match="GRANT USAGE"):
        docs.reselector.read([wanted])


def test_a_parameter_that_nobody_knows_is_a_mistake_of_the_settings(docs: RealDatabase) -> None:
    with pytest.raises(ConfigError, match=r"reselect\.url"):
        docs.connect(url=f"postgresql://{HOST}/{DB}?sslmoed=require")


def test_no_error_shows_what_a_row_holds(docs: RealDatabase) -> None:
    docs.run("CREATE TABLE numbers (id int PRIMARY KEY, body numeric)")
    docs.run("INSERT INTO numbers VALUES (1, 'NaN')")
    (answer,) = docs.reselector.read([missing(("id", 1), table="numbers")])
    assert isinstance(answer, RecordError)
    assert "NaN" not in str(answer)
    assert answer.__cause__ is None
