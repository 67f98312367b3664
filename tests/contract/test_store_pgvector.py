"""The pgvector store keeps the promises of a store, on a real PostgreSQL."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.contract.postgres_server import postgres
from tests.contract.relay import relay
from tests.contract.store_contract import DIMENSIONS, StoreContract, point, position, vector
from tests.stack.worker_process import eventually
from worker.clock import SystemClock
from worker.config.read import read_connector
from worker.errors import ConfigError, FatalError, RetriableError
from worker.index import Index
from worker.model import Point, TopicPartition
from worker.pipeline.patience import Patience
from worker.store.filters import matches
from worker.store.pgvector import PgvectorStore
from worker.store.pgvector_config import PgvectorConfig
from worker.store.pgvector_errors import refused_login
from worker.store.pgvector_pool import PgvectorPool
from worker.store.port import Deletion, Replacement
from worker.throttle.accounts import Accounts
from worker.treasury import Counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.stack.postgres import Postgres
    from worker.errors import RecordError
    from worker.model import MetadataValue

    Connection = psycopg.Connection[tuple[Any, ...]]
    Open = Callable[..., PgvectorStore]

PASSWORD = "s3cret-of-the-app"
ODD_SCHEMA = 'my "own" %s'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as started:
        started.create_database("index")
        with started.connect("index") as connection:
            connection.execute(sql.SQL("CREATE ROLE app LOGIN PASSWORD {}").format(PASSWORD))
            connection.execute("CREATE EXTENSION vector")
        yield started


@pytest.fixture
def database(server: Postgres) -> Iterator[Connection]:
    """Empty for each test; the user of the store owns it."""
    with server.connect("index") as connection:
        connection.execute("ALTER DATABASE index OWNER TO app")
        yield connection
        for schema in ("vecsink", ODD_SCHEMA):
            drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
            connection.execute(drop)


@pytest.fixture
def opened(server: Postgres, database: Connection) -> Iterator[Open]:
    """Opens stores, and closes them afterwards."""
    made: list[PgvectorStore] = []

    def open_store(
        quiet_s: float = 60.0, least_rows: int = 10_000, **more: object
    ) -> PgvectorStore:
        keys = {
            "store.url": f"postgresql://127.0.0.1:{server.port}/index",
            "store.user": "app",
            "store.password": PASSWORD,
            "store.index": "shop",
            "store.create": True,
        }
        named = {f"store.{name.replace('_', '.')}": value for name, value in more.items()}
        config = PgvectorConfig.model_validate(keys | named)
        made.append(PgvectorStore(config, quiet_s=quiet_s, least_rows=least_rows))
        return made[-1]

    yield open_store
    for store in made:
        store.close()


@pytest.fixture
def store(opened: Open) -> PgvectorStore:
    made = opened()
    made.create(DIMENSIONS)
    return made


def ids(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    return [row[0] for row in rows]


class TestPgvectorStore(StoreContract):
    """The suite; ``store`` comes from the module."""

    @pytest.fixture
    def refused(self) -> Sequence[Point]:
        whole = point("a")
        return [
            point("x" * 2_601),
            point("a\0b"),
            point("half of a pair \ud800"),
            point("nul", metadata={"name": "a\0b"}),
            point("no-text", metadata={"name": "\ud800"}),
            point("far", source_position=2**63),
            Point("nan", np.full(DIMENSIONS, np.nan, np.float32), {}, whole.stamp),
        ]

    @pytest.fixture
    def absent(self, opened: Open) -> PgvectorStore:
        return opened(index="nowhere", create=False)

    @pytest.fixture
    def create(self, opened: Open) -> Callable[[int | None], PgvectorStore]:
        return lambda dimensions: opened(index="made", dimensions=dimensions)


def test_a_table_that_vanishes_stops_the_task(store: PgvectorStore, database: Connection) -> None:
    store.upsert("n", [point("a")])
    database.execute("DROP TABLE vecsink.shop")
    for call in (
        lambda: store.upsert("n", [point("a")]),
        lambda: store.fetch("n", ["a"]),
        lambda: store.delete("n", [Deletion("a", position(9))]),
        lambda: store.query("n", vector(1), 1),
        store.namespaces,
    ):
        with pytest.raises(FatalError, match=r"store\.index"):
            call()


def test_a_table_made_again_for_another_model_is_no_fault_of_the_rows(
    store: PgvectorStore, database: Connection
) -> None:
    store.upsert("n", [point("a")])
    database.execute("ALTER TABLE vecsink.shop DROP COLUMN embedding CASCADE")
    database.execute("ALTER TABLE vecsink.shop ADD COLUMN embedding vector(5)")
    with pytest.raises(FatalError, match=r"8 dimensions.*5"):
        store.upsert("n", [point(f"row-{number}") for number in range(20)])


def test_nor_is_it_the_fault_of_a_row_that_comes_alone(
    store: PgvectorStore, database: Connection
) -> None:
    store.upsert("n", [point("a")])
    database.execute("ALTER TABLE vecsink.shop DROP COLUMN embedding CASCADE")
    database.execute("ALTER TABLE vecsink.shop ADD COLUMN embedding vector(5)")
    with pytest.raises(FatalError, match=r"8 dimensions.*5"):
        store.upsert("n", [point("b")])


def test_a_table_that_was_altered_meanwhile_is_named_by_who_has_read_from_it_often(
    store: PgvectorStore, database: Connection
) -> None:
    for _ in range(8):  # so often that the connection keeps the plan
        store.fetch("n", ["a"])
    database.execute("ALTER TABLE vecsink.shop ALTER COLUMN embedding TYPE vector(5)")
    with pytest.raises(FatalError, match=r"store\.index.*altered.*restart"):
        store.fetch("n", ["a"])


def test_a_wrong_password_is_fatal_and_never_shown(opened: Open) -> None:
    with pytest.raises(FatalError, match=r"store\.password") as raised:
        opened(password="another-secret").create(DIMENSIONS)
    assert "another-secret" not in str(raised.value)


def test_who_may_not_write_is_told_so(store: PgvectorStore, database: Connection) -> None:
    database.execute("ALTER TABLE vecsink.shop OWNER TO postgres")
    with pytest.raises(FatalError, match="GRANT"):
        store.upsert("n", [point("a")])


def test_a_database_without_pgvector_is_told_to_whom_it_can_help(
    opened: Open, server: Postgres
) -> None:
    server.create_database("bare")
    with server.connect() as connection:
        connection.execute("ALTER DATABASE bare OWNER TO app")
    bare = opened(url=f"postgresql://127.0.0.1:{server.port}/bare")
    with pytest.raises(FatalError, match=r"superuser.*CREATE EXTENSION vector"):
        bare.create(DIMENSIONS)
    server.drop_database("bare")


def test_its_owner_reads_what_the_table_is(opened: Open, database: Connection) -> None:
    opened().create(DIMENSIONS)
    silent = database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'vecsink.shop'::regclass"
        " AND attnum > 0 AND col_description(attrelid, attnum) IS NULL"
    ).fetchall()
    assert silent == []
    told = database.execute(
        "SELECT obj_description('vecsink.shop'::regclass),"
        " obj_description('vecsink.shop_deleted'::regclass)"
    ).fetchone()
    assert told is not None
    assert None not in told


def test_a_server_that_restarts_is_an_outage_and_passes(
    store: PgvectorStore, server: Postgres, database: Connection
) -> None:
    store.upsert("n", [point("a")])
    database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    with pytest.raises(RetriableError):
        store.fetch("n", ["a"])
    assert set(store.fetch("n", ["a"])) == {"a"}


def test_a_row_that_somebody_has_locked_is_an_outage_after_the_time_out(
    opened: Open, server: Postgres, database: Connection
) -> None:
    store = opened(timeout_ms=300)
    store.create(DIMENSIONS)
    store.upsert("n", [point("a")])
    with server.connect("index") as other, other.transaction():
        other.execute("SELECT 1 FROM vecsink.shop FOR UPDATE")
        with pytest.raises(RetriableError, match=r"store\.timeout\.ms"):
            store.upsert("n", [point("a", 2)])
    assert store.upsert("n", [point("a", 2)]) == {}


def test_a_server_that_freezes_is_an_outage_after_the_time_out(
    opened: Open, database: Connection
) -> None:
    store = opened(timeout_ms=300)
    store.create(DIMENSIONS)
    assert store.fetch("n", ["a"]) == {}
    with frozen(backends_of_app(database), at_most_s=20), pytest.raises(RetriableError):
        store.fetch("n", ["a"])
    assert store.fetch("n", ["a"]) == {}


def test_the_other_connections_to_a_server_that_froze_are_not_asked(
    server: Postgres, database: Connection
) -> None:
    keys = {
        "store.url": f"postgresql://127.0.0.1:{server.port}/index",
        "store.user": "app",
        "store.password": PASSWORD,
        "store.index": "shop",
        "store.timeout.ms": 300,
    }
    pool = PgvectorPool(PgvectorConfig.model_validate(keys))
    with pool.connection("one"), pool.connection("another"):
        backends = backends_of_app(database)
    with frozen(backends, at_most_s=8):
        began_s = time.monotonic()
        with pytest.raises(RetriableError), pool.connection("asking") as connection:
            connection.execute("SELECT 1")
        assert time.monotonic() - began_s < 5
    with pool.connection("asking again") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not set(backends) & set(backends_of_app(database))
    pool.close()


def test_no_free_connection_names_the_time_out(opened: Open, database: Connection) -> None:
    pool = opened(timeout_ms=300, max_connections=1)._pool
    with (
        pool.connection("one"),
        pytest.raises(RetriableError, match=r"free within store\.timeout\.ms"),
        pool.connection("another"),
    ):
        pass


def test_what_the_network_swallows_ends_after_the_time_out(opened: Open) -> None:
    pool = opened(timeout_ms=300)._pool
    with pool.connection("looking") as connection:
        assert connection.info.get_parameters()["tcp_user_timeout"] == "300"


@pytest.mark.parametrize("meanwhile", ["between its statements", "in the middle of a pipeline"])
def test_what_a_worker_held_that_the_network_has_lost_is_free_soon(
    server: Postgres, opened: Open, meanwhile: str
) -> None:
    other = opened(timeout_ms=500)
    other.create(DIMENSIONS)
    other.upsert("n", [point("a")])
    with relay(server.port) as network:
        pool = opened(url=f"postgresql://127.0.0.1:{network.port}/index", timeout_ms=500)._pool
        with (
            suppress(RetriableError),
            pool.connection("writing") as connection,
            ExitStack() as held,
        ):
            if "pipeline" in meanwhile:
                held.enter_context(connection.pipeline())
            connection.execute("BEGIN")
            connection.execute("UPDATE vecsink.shop SET fingerprint = 'another'")
            time.sleep(0.2)
            network.lose()
            connection.execute("SELECT 1")
        eventually(lambda: takes(other, point("a", 2)), "the row is free", 6.0)


def takes(store: PgvectorStore, row: Point) -> bool:
    try:
        return not store.upsert("n", [row])
    except RetriableError:
        return False


def backends_of_app(database: Connection) -> list[int]:
    rows = database.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'app'")
    return [pid for (pid,) in rows]


@contextmanager
def frozen(processes: Sequence[int], at_most_s: float) -> Iterator[None]:
    def thaw() -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    for process in processes:
        os.kill(process, signal.SIGSTOP)
    timer = threading.Timer(at_most_s, thaw)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        thaw()


def test_nobody_listening_is_an_outage(opened: Open) -> None:
    with pytest.raises(RetriableError, match="does not answer"):
        opened(url="postgresql://127.0.0.1:9/index").create(DIMENSIONS)


def test_a_host_whose_name_is_about_certificates_may_only_be_away(opened: Open) -> None:
    with pytest.raises(RetriableError, match="certificate"):
        opened(url="postgresql://certificate.invalid:9/index").create(DIMENSIONS)


@pytest.mark.parametrize(
    "words",
    [
        "SSL error: certificate verify failed",
        'root certificate file "/none.crt" does not exist',
        "FATAL:  connection requires a valid client certificate",
        'could not read certificate file "/none.crt": no start line',
        'server certificate for "db" does not match host name "other"',
    ],
)
def test_a_certificate_that_is_refused_is_fatal(words: str) -> None:
    said = f'connection to server at "db" (10.0.0.1), port 5432 failed: {words}'
    assert isinstance(refused_login(psycopg.OperationalError(said)), FatalError)


def test_the_table_holds_the_points_alone_and_is_plain_sql(
    store: PgvectorStore, database: Connection
) -> None:
    store.upsert("n", [point("a"), point("b", metadata={"name": "Zelt", "price": 9.5})])
    store.delete("n", [Deletion("a", position(5)), Deletion("never", position(5))])

    rows = database.execute("SELECT id, metadata ->> 'name' FROM vecsink.shop").fetchall()
    assert rows == [("b", "Zelt")]
    buried = database.execute("SELECT id FROM vecsink.shop_deleted ORDER BY id").fetchall()
    assert ids(buried) == ["a", "never"]
    store.upsert("n", [point("a", 6)])
    assert ids(database.execute("SELECT id FROM vecsink.shop_deleted")) == ["never"]


@pytest.fixture
def strict(store: PgvectorStore, database: Connection) -> PgvectorStore:
    """With a constraint that a row of nothing but a Position cannot meet."""
    database.execute("ALTER TABLE vecsink.shop ALTER COLUMN model SET NOT NULL")
    return store


def test_a_constraint_of_the_users_does_not_stop_deletions(
    strict: PgvectorStore, database: Connection
) -> None:
    strict.upsert("n", [point("old", at=position(1)), point("new", at=position(7))])
    gone = [Deletion(each, position(5)) for each in ("new", "never", "old")]
    assert strict.delete("n", gone) == {}
    assert set(strict.fetch("n", ["old", "new"])) == {"new"}

    strict.upsert("n", [point("never", at=position(4)), point("old", at=position(4))])
    assert set(strict.fetch("n", ["old", "never"])) == set()


def test_a_deletion_without_a_claim_sees_what_another_writer_is_inserting(
    strict: PgvectorStore, server: Postgres, database: Connection
) -> None:
    at = position(1)
    with ThreadPoolExecutor(1) as thread:
        with server.connect("index") as other, other.transaction():
            other.execute(
                "INSERT INTO vecsink.shop (namespace, id, embedding, model, kafka_topic_id,"
                " kafka_partition, kafka_offset)"
                " VALUES ('n', 'a', array_fill(1, ARRAY[8])::vector, 'm', %s, %s, %s)",
                [at.topic_id, at.partition, at.offset],
            )
            deleting = thread.submit(strict.delete, "n", [Deletion("a", position(5))])
            time.sleep(0.5)
        assert deleting.result() == {}
    assert strict.fetch("n", ["a"]) == {}


def refer_to_points(database: Connection) -> None:
    database.execute(
        "CREATE TABLE vecsink.liked (namespace text, id text, FOREIGN KEY (namespace, id)"
        " REFERENCES vecsink.shop)"
    )


def test_a_point_that_others_refer_to_is_refused_alone(
    store: PgvectorStore, database: Connection
) -> None:
    rows = [f"row-{number}" for number in range(20)]
    store.upsert("n", [point(row) for row in rows])
    refer_to_points(database)
    database.execute("INSERT INTO vecsink.liked VALUES ('n', 'row-3'), ('n', 'row-4')")

    refused = store.delete("n", [Deletion(row, position(9)) for row in rows])
    assert set(refused) == {"row-3", "row-4"}
    assert "23503" in str(refused["row-3"])
    assert set(store.fetch("n", rows)) == {"row-3", "row-4"}


@pytest.mark.parametrize(("points", "stops"), [(7, False), (8, True)])
def test_a_constraint_that_refuses_everything_stops_the_task(
    store: PgvectorStore, database: Connection, points: int, *, stops: bool
) -> None:
    rows = [point(f"row-{number}") for number in range(points)]
    store.upsert("n", rows)
    refer_to_points(database)
    database.execute("INSERT INTO vecsink.liked SELECT namespace, id FROM vecsink.shop")
    database.execute("ALTER TABLE vecsink.shop ADD CHECK (metadata ? 'absent') NOT VALID")
    deletions = [Deletion(row.id, position(9)) for row in rows]
    calls: tuple[Callable[[], Mapping[str, RecordError]], ...] = (
        lambda: store.upsert("n", rows),
        lambda: store.delete("n", deletions),
    )
    for call in calls:
        if stops:
            with pytest.raises(FatalError, match="every point"):
                call()
        else:
            assert len(call()) == points


@pytest.mark.parametrize(("bad", "stops"), [("row-3", False), ("row-%", True)])
def test_a_trigger_of_the_users_refuses_its_row_alone_and_stops_the_task_only_if_all(
    store: PgvectorStore, database: Connection, bad: str, *, stops: bool
) -> None:
    database.execute(
        "CREATE FUNCTION vecsink.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'a secret row'; END$$"
    )
    database.execute(
        sql.SQL(
            "CREATE TRIGGER refuse BEFORE INSERT ON vecsink.shop FOR EACH ROW "
            "WHEN (NEW.id LIKE {}) EXECUTE FUNCTION vecsink.refuse()"
        ).format(bad)
    )
    rows = [point(f"row-{number}") for number in range(8)]
    if stops:
        with pytest.raises(FatalError, match=r"every point.*trigger"):
            store.upsert("n", rows)
        return
    refused = store.upsert("n", rows)
    assert set(refused) == {"row-3"}
    assert "P0001" in str(refused["row-3"])
    assert "secret" not in str(refused["row-3"])
    assert len(store.fetch("n", [row.id for row in rows])) == 7


def test_values_that_nobody_can_store_are_never_a_reason_to_stop(store: PgvectorStore) -> None:
    rows = [point(f"row-{number}", metadata={"name": "a\0b"}) for number in range(8)]
    assert len(store.upsert("n", rows)) == 8


def test_deletions_are_forgotten_after_their_time(opened: Open, database: Connection) -> None:
    store = opened(tombstone_ttl_ms=1000)
    store.create(DIMENSIONS)
    database.execute(
        "INSERT INTO vecsink.shop_deleted VALUES ('n', 'old', 't', 0, 1, now() - interval '2 s')"
    )
    store.delete("n", [Deletion("new", position(1))])
    assert ids(database.execute("SELECT id FROM vecsink.shop_deleted")) == ["new"]


def test_an_equal_text_keeps_the_vector_that_is_there(
    store: PgvectorStore, database: Connection
) -> None:
    store.upsert("n", [point("a", 1, at=position(1))])
    again = Point("a", vector(9), {"price": 2}, point("a", 1, at=position(2)).stamp)
    store.upsert("n", [again])

    found = store.fetch("n", ["a"])["a"]
    np.testing.assert_array_equal(found.vector, vector(1))
    assert found.metadata == {"price": 2}
    assert found.stamp == again.stamp


def test_rows_of_others_are_not_ours_and_are_replaced(
    store: PgvectorStore, database: Connection
) -> None:
    database.execute(
        "INSERT INTO vecsink.shop (namespace, id, embedding, metadata)"
        " VALUES ('n', 'theirs', array_fill(1, ARRAY[8])::vector, '{\"a\": 1}')"
    )
    assert store.fetch("n", ["theirs"])["theirs"].stamp is None
    store.upsert("n", [point("theirs")])
    assert store.fetch("n", ["theirs"])["theirs"].stamp == point("theirs").stamp


@pytest.mark.parametrize(
    ("dimensions", "settings", "expected"),
    [
        (2000, {}, "vector(2000)"),
        (2001, {}, "halfvec(2001)"),
        (4001, {}, "vector(4001)"),
        (8, {"vector_type": "halfvec"}, "halfvec(8)"),
    ],
)
def test_the_type_of_the_vectors_is_one_that_can_be_searched(
    opened: Open,
    database: Connection,
    dimensions: int,
    settings: Mapping[str, str],
    expected: str,
) -> None:
    store = opened(**settings)
    store.create(dimensions)
    (kind,) = database.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'vecsink.shop'::regclass AND attname = 'embedding'"
    ).fetchone() or ("",)
    assert kind == expected
    unit = vector(1, dimensions)
    store.upsert("n", [Point("a", unit, {}, point("a").stamp)])
    np.testing.assert_allclose(store.fetch("n", ["a"])["a"].vector, unit, atol=1e-3)
    assert store.query("n", unit, 1)[0].score == pytest.approx(1, abs=1e-3)


def indexes(database: Connection) -> set[str]:
    rows = database.execute(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'vecsink' AND tablename = 'shop'"
    )
    return {row[0].partition(" USING ")[2] for row in rows}


HNSW = "hnsw (embedding vector_l2_ops)"


def is_valid(database: Connection) -> bool:
    rows = database.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('vecsink.shop_hnsw')"
    )
    return rows.fetchall() == [(True,)]


def test_the_index_is_built_after_the_load_while_work_goes_on(
    opened: Open, database: Connection
) -> None:
    store = opened(metric="euclidean", quiet_s=0.5, least_rows=60)
    store.create(DIMENSIONS)
    rows = [point(f"row-{number}", number) for number in range(60)]
    store.upsert("n", rows[:50])
    time.sleep(1.2)
    assert HNSW not in indexes(database)  # few rows need none

    store.upsert("n", rows[50:])
    eventually(lambda: is_valid(database), "the index")
    assert HNSW in indexes(database)
    assert store.query("n", vector(7), 1)[0].id == "row-7"
    assert store.query("n", vector(7), 1)[0].score == pytest.approx(0, abs=1e-4)


def test_once_the_index_is_built_the_planner_knows_the_table(
    opened: Open, database: Connection
) -> None:
    store = opened(quiet_s=0.2, least_rows=10)
    store.create(DIMENSIONS)
    database.execute("ALTER TABLE vecsink.shop SET (autovacuum_enabled = false)")
    store.upsert("n", [point(f"row-{number}", number) for number in range(10)])
    eventually(lambda: is_known(database, "namespace"), "statistics of a column")


def is_known(database: Connection, column: str) -> bool:
    known = "SELECT 1 FROM pg_stats WHERE schemaname = 'vecsink' AND attname = %s"
    return database.execute(known, [column]).fetchone() is not None


def test_no_index_is_built_while_much_is_written(opened: Open, database: Connection) -> None:
    store = opened(quiet_s=0.2, least_rows=10)
    store.create(DIMENSIONS)
    rows = [point(f"row-{number}") for number in range(100)]
    until_s = time.monotonic() + 1.5
    while time.monotonic() < until_s:
        store.upsert("n", rows)
    assert not is_valid(database)
    eventually(lambda: is_valid(database), "the index")


def test_an_index_whose_build_was_broken_off_is_built_again(
    opened: Open, database: Connection
) -> None:
    opened(quiet_s=0.1, least_rows=0).create(DIMENSIONS)
    eventually(lambda: is_valid(database), "the index")
    database.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vecsink.shop_hnsw'::regclass"
    )
    opened(quiet_s=0.1, least_rows=0).create(DIMENSIONS)
    eventually(lambda: is_valid(database), "the index again")


def test_a_build_that_waits_for_somebody_does_not_hold_up_the_end(
    opened: Open, server: Postgres, database: Connection
) -> None:
    store = opened(quiet_s=0.1, least_rows=0)
    store.create(DIMENSIONS)
    with server.connect("index") as other, other.transaction():
        other.execute("LOCK TABLE vecsink.shop IN SHARE UPDATE EXCLUSIVE MODE")
        eventually(lambda: _waits(database), "the build waits")
        began_s = time.monotonic()
        store.close()
        assert time.monotonic() - began_s < 10
    assert not is_valid(database)


def test_a_build_on_a_server_that_froze_does_not_hold_up_the_end(
    opened: Open, server: Postgres, database: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(quiet_s=0.1, least_rows=0)
    store.create(DIMENSIONS)
    with server.connect("index") as other, other.transaction():
        other.execute("LOCK TABLE vecsink.shop IN SHARE UPDATE EXCLUSIVE MODE")
        eventually(lambda: _waits(database), "the build waits")
        with frozen(backends_of_app(database), at_most_s=20):
            began_s = time.monotonic()
            store.close()
            assert time.monotonic() - began_s < 15
            assert "left behind" in caplog.text
    eventually(lambda: not backends_of_app(database), "the build is cancelled after all")


def test_a_start_does_not_wait_for_the_build_of_another_worker(
    opened: Open, server: Postgres, database: Connection
) -> None:
    builder = opened(quiet_s=0.1, least_rows=0)
    builder.create(DIMENSIONS)
    with server.connect("index") as other, other.transaction():
        other.execute("LOCK TABLE vecsink.shop IN SHARE UPDATE EXCLUSIVE MODE")
        eventually(lambda: _waits(database), "the build waits")
        opened(timeout_ms=1000).create(DIMENSIONS)
    eventually(lambda: is_valid(database), "the index")


def test_one_worker_builds_the_index_of_a_table(
    opened: Open, server: Postgres, database: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    opened(quiet_s=0.1, least_rows=0).create(DIMENSIONS)
    with server.connect("index") as other, other.transaction():
        other.execute("LOCK TABLE vecsink.shop IN SHARE UPDATE EXCLUSIVE MODE")
        eventually(lambda: _waits(database), "the build waits")
        opened(quiet_s=0.1, least_rows=0).create(DIMENSIONS)
        eventually(lambda: "another worker builds" in caplog.text, "the other one's turn")
    eventually(lambda: is_valid(database), "the index")


def test_a_start_that_waits_for_somebody_elses_lock_is_an_outage_after_the_time_out(
    opened: Open, server: Postgres, database: Connection
) -> None:
    opened().create(DIMENSIONS)
    database.execute("ALTER TABLE vecsink.shop DROP COLUMN chunks")
    with server.connect("index") as other, other.transaction():
        other.execute("SET LOCAL idle_in_transaction_session_timeout = '8s'")
        other.execute("LOCK TABLE vecsink.shop IN ACCESS SHARE MODE")
        with pytest.raises(RetriableError, match="55P03"):
            opened(timeout_ms=300).create(DIMENSIONS)


def _waits(database: Connection) -> bool:
    found = database.execute(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%hnsw%'"
        " AND pid <> pg_backend_pid()"
    )
    return found.fetchone() is not None


def test_a_search_with_a_rare_filter_finds_what_the_index_shows_late(
    opened: Open, database: Connection
) -> None:
    store = opened(quiet_s=0.1, least_rows=0)
    store.create(DIMENSIONS)
    eventually(lambda: is_valid(database), "the index")
    rows = [point(f"row-{number}", number) for number in range(1_500)]
    rows[1234] = point("rare", 1234, metadata={"category": "rare"})
    store.upsert("n", rows)
    database.execute("ANALYZE vecsink.shop")
    for way in ("seqscan", "sort"):  # only the HNSW index is left
        database.execute(f"ALTER ROLE app SET enable_{way} = off")
    store.close()
    try:
        found = store.query("n", vector(1), 5, {"category": "rare"})
    finally:
        database.execute("ALTER ROLE app RESET ALL")
    assert [match.id for match in found] == ["rare"]


def test_columns_to_filter_by_come_from_the_metadata_and_are_indexed(
    opened: Open, database: Connection
) -> None:
    rows: dict[str, dict[str, MetadataValue]] = {
        "a": {"category": "audio", "price": 5, "live": True, 'odd "name" %': "x"},
        "b": {"category": "video", "price": 15.5, "live": False},
        "c": {"category": 7, "price": "cheap", "live": "yes"},
    }
    plain = opened(index="shop")
    plain.create(DIMENSIONS)
    plain.upsert("n", [point(each, metadata=row) for each, row in rows.items()])

    store = opened(columns='category text, price numeric, live boolean, odd "name" % text')
    store.create(DIMENSIONS)
    filters = (
        {"category": "audio"},
        {"price": {"$gt": 5, "$lte": 15.5}},
        {"live": {"$ne": True}},
        {"category": {"$in": ["video", "audio"]}, "live": True},
        {'odd "name" %': "x"},
        {"price": {"$exists": True}},
    )
    for where in filters:
        found = {match.id for match in store.query("n", vector(1), 9, where)}
        assert found == {match.id for match in plain.query("n", vector(1), 9, where)}, where

    typed = database.execute(
        "SELECT id, category, price::float8, live FROM vecsink.shop ORDER BY id"
    ).fetchall()
    assert typed == [
        ("a", "audio", 5, True),
        ("b", "video", 15.5, False),
        ("c", None, None, None),
    ]
    assert "btree (namespace, price)" in indexes(database)


ODD_ROWS: tuple[dict[str, MetadataValue], ...] = (
    {},
    {"a": "x", "b": 1},
    {"a": "", "b": -0.5},
    {"a": "1", "b": True},
    {"a": 1, "b": False},
    {"a": 1.0, "b": "x"},
    {"a": ["x", "y"], "b": 10**15},
    {"a": ["1"], "b": 2.5},
    {"a": True, "b": ["x"]},
)
keys = st.sampled_from(["a", "b", "c"])
scalars = st.sampled_from(["x", "y", "", "1", 1, 1.0, -0.5, 2.5, 10**15, True, False])
conditions = st.one_of(
    scalars,
    st.dictionaries(st.sampled_from(["$eq", "$ne"]), scalars, min_size=1),
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), scalars, min_size=1),
    st.dictionaries(st.sampled_from(["$in", "$nin"]), st.lists(scalars, max_size=3), min_size=1),
    st.dictionaries(st.just("$exists"), st.booleans(), min_size=1),
)
filters = st.recursive(
    st.dictionaries(keys, conditions, max_size=2),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or"]), st.lists(inner, max_size=3), min_size=1
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(where=filters)
def test_any_filter_finds_what_the_language_says(
    store: PgvectorStore, where: dict[str, object]
) -> None:
    rows = {f"row-{number}": row for number, row in enumerate(ODD_ROWS)}
    if not store.fetch("n", ["row-0"]):
        store.upsert("n", [point(each, metadata=row) for each, row in rows.items()])
    found = {match.id for match in store.query("n", vector(1), 99, where)}
    assert found == {each for each, row in rows.items() if matches(where, row)}


@pytest.mark.parametrize(
    "where",
    [
        {"category": {"$in": "audio"}},
        {"category": {"$eq": ["audio"]}},
        {"$or": {"category": "audio"}},
        {"name": "a\0b"},
    ],
    ids=str,
)
def test_a_filter_with_odd_values_is_the_callers_mistake(
    store: PgvectorStore, where: dict[str, object]
) -> None:
    with pytest.raises(ConfigError):
        store.query("n", vector(1), 3, where)


def test_an_older_table_gets_the_columns_that_it_lacks(opened: Open, database: Connection) -> None:
    opened().create(DIMENSIONS)
    database.execute("ALTER TABLE vecsink.shop DROP COLUMN document, DROP COLUMN chunks")
    with pytest.raises(FatalError, match="chunks, document"):
        opened(create=False).check(DIMENSIONS)
    opened().create(DIMENSIONS)
    opened(create=False).check(DIMENSIONS)


def test_a_user_without_the_right_to_make_things_writes_into_a_table_made_before(
    opened: Open, database: Connection
) -> None:
    opened().create(DIMENSIONS)
    database.execute("ALTER TABLE vecsink.shop OWNER TO postgres")
    database.execute("ALTER TABLE vecsink.shop_deleted OWNER TO postgres")
    database.execute("ALTER SCHEMA vecsink OWNER TO postgres")
    database.execute("ALTER DATABASE index OWNER TO postgres")
    database.execute("GRANT USAGE ON SCHEMA vecsink TO app")
    grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vecsink TO app"
    database.execute(grant)
    for create in (False, True):
        store = opened(create=create)
        store.create(DIMENSIONS)
        store.check(DIMENSIONS)
        store.upsert("n", [point("a")])
        assert store.delete("n", [Deletion("a", position(9))]) == {}


def test_the_names_of_schema_and_table_may_be_odd(opened: Open, database: Connection) -> None:
    store = opened(schema=ODD_SCHEMA, index="Größe.{x} $1")
    store.create(DIMENSIONS)
    store.upsert("n", [point("a")])
    assert store.query("n", vector(1), 1)[0].id == "a"
    store.delete("n", [Deletion("a", position(9))])
    assert list(store.scan("n")) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("store.url", "postgresql://user:secret@host/db"),
        ("store.url", "http://host/db"),
        ("store.columns", "price money"),
        ("store.columns", "embedding text"),
        ("store.columns", "a text, a numeric"),
        ("store.index", "x" * 51),
    ],
)
def test_settings_that_cannot_be_are_refused(key: str, value: str) -> None:
    keys = {"store.url": "postgresql://host/db", "store.index": "shop"}
    with pytest.raises(ValueError, match=key.replace(".", r"\.")) as raised:
        PgvectorConfig.model_validate(keys | {key: value})
    assert "secret" not in str(raised.value)


def test_an_address_with_an_unknown_parameter_is_a_mistake() -> None:
    keys = {"store.url": "postgresql://host/db?colour=red", "store.index": "shop"}
    with pytest.raises(ConfigError, match=r"store\.url"):
        PgvectorStore(PgvectorConfig.model_validate(keys))


def test_nothing_of_a_row_is_logged(store: PgvectorStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (error,) = store.upsert("n", [point("row", metadata={"name": "private\0"})]).values()
    assert "private" not in str(error) + caplog.text


@pytest.mark.parametrize(
    ("offsets", "words"),
    [({"a": 3}, "group connect-shop has committed"), ({"a": 0}, ""), ({}, ""), (None, "may have")],
)
def test_an_index_made_anew_under_a_group_that_has_commits_is_warned_of_once(
    server: Postgres,
    database: Connection,
    caplog: pytest.LogCaptureFixture,
    offsets: Mapping[str, int] | None,
    words: str,
) -> None:
    def committed() -> Mapping[TopicPartition, int]:
        if offsets is None:
            raise RetriableError("no brokers")
        return {TopicPartition(topic, 0): offset for topic, offset in offsets.items()}

    raw = {
        "name": "shop",
        "connector.class": "EmbeddingSink",
        "topics": "a",
        "key.converter": "json",
        "value.converter": "json",
        "document.fields": "name",
        "embedder": "fake",
        "store": "pgvector",
        "store.url": f"postgresql://127.0.0.1:{server.port}/index",
        "store.user": "app",
        "store.password": PASSWORD,
        "store.index": "shop",
        "store.create": "true",
    }
    config = read_connector(raw).config
    assert config is not None
    patience = Patience(abort=threading.Event(), clock=SystemClock())
    for expected in (words, ""):
        caplog.clear()
        with Index(config, Accounts(SystemClock()), Counting()) as index:
            index.check(patience, committed)
        warned = [one.message for one in caplog.records if one.levelno == logging.WARNING]
        assert len(warned) == bool(expected)
        assert expected in "".join(warned)


def test_a_reader_never_sees_two_versions_of_a_row(
    store: PgvectorStore, database: Connection, server: Postgres
) -> None:
    """Nor a part of one, whatever is written, while it reads all the time."""
    has_ended = threading.Event()
    seen: list[set[int]] = []

    def read() -> None:
        with server.connect("index") as reader:
            while not has_ended.is_set():
                rows = reader.execute("SELECT kafka_offset, chunks FROM vecsink.shop").fetchall()
                expected = max((chunks for _, chunks in rows), default=0)
                seen.append({offset for offset, _ in rows})
                assert len(rows) == expected, rows

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for offset in range(1, 60):
            row = [point(f"1#{number}", number + 1, at=position(offset)) for number in range(6)]
            count = 2 + offset % 5
            stamp = row[0].stamp
            assert stamp is not None
            row[0] = replace(row[0], stamp=replace(stamp, document="d", chunks=count))
            gone = [Deletion(f"1#{number}", position(offset)) for number in range(count, 6)]
            rows = [Replacement("1#0", row[:count], gone)]
            if offset % 7 == 0:
                every = [Deletion(f"1#{number}", position(offset)) for number in range(6)]
                rows = [Replacement("1#0", (), every)]
            assert store.transactions.replace("n", rows) == {}
        has_ended.set()
        reading.result(30)
    assert len(set(map(frozenset, seen))) > 5
    assert max(map(len, seen)) == 1, "points of two changes at once"
