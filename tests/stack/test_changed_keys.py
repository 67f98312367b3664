"""Keys that Debezium's and Connect's transforms, or the user, made other than the table's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.stack.index import DIMENSIONS
from tests.stack.shops import Expected, PostgresShop, open_shop
from tests.stack.worker_process import committed, eventually
from worker.provider_local.server import ProviderLocal, Settings
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

MODEL = "text-embedding-3-small"
LARGE = 3000
"""Characters: more than Postgres keeps in the row, so Debezium leaves an unchanged text out."""
ROWS = 4
RETYPED = 60
TABLES = ("one", "two")
made_by_the_model = partial(vectors_of, model=MODEL, length=DIMENSIONS, input_type="")


@dataclass(frozen=True, slots=True)
class Keying:
    """What keys are made of."""

    source: Mapping[str, str]
    """Settings of the source connector."""
    point_id: Callable[[str, int, str], str]
    """Of a row, by database, id and the name of its table."""
    can_reselect: bool = True
    """Whether the key says which row of the table it is."""
    topic: str = "one"
    tables: tuple[str, ...] = ("one",)


KEYINGS = {
    "of a router": Keying(
        {
            "table.include.list": "public.one,public.two",
            "transforms": "route",
            "transforms.route.type": "io.debezium.transforms.ByLogicalTableRouter",
            "transforms.route.topic.regex": r"(.*)\.(one|two)",
            "transforms.route.topic.replacement": "$1.both",
        },
        lambda database, number, table: f"{number}_{database}.public.{table}",
        topic="both",
        tables=TABLES,
    ),
    "plain": Keying(
        {
            "transforms": "id",
            "transforms.id.type": "org.apache.kafka.connect.transforms.ExtractField$Key",
            "transforms.id.field": "id",
        },
        lambda _database, number, _table: str(number),
        can_reselect=False,
    ),
    "of another column": Keying(
        {"message.key.columns": "public.one:code"},
        lambda _database, number, _table: f"code%20{number}",
    ),
}


def expected(shop: PostgresShop, keying: Keying) -> dict[str, Expected]:
    return {
        keying.point_id(shop.name, number, table): Expected(f"{name}\n{body}", {"name": name})
        for table in keying.tables
        for number, name, body in shop.sql(f"SELECT id, name, body FROM {table}")
    }


@pytest.mark.parametrize("kind", KEYINGS)
def test_rows_move_with_their_texts(stack: Stack, bench: Bench, kind: str) -> None:
    keying = KEYINGS[kind]
    with (
        ProviderLocal(Settings()) as provider,
        open_shop(stack, "postgres", f"keys{kind.replace(' ', '')}") as shop,
    ):
        assert isinstance(shop, PostgresShop)
        for table in TABLES:
            shop.sql(f"CREATE TABLE {table} (id int PRIMARY KEY, code text, name text, body text)")
            shop.sql(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL")
            shop.sql(
                f"INSERT INTO {table} SELECT n, 'code ' || n, '{table} ' || n,"
                f" rtrim(repeat('{table} ' || n || ' ', {LARGE // 6}))"
                f" FROM generate_series(1, {ROWS}) n"
            )
        if "message.key.columns" in keying.source:
            shop.sql("ALTER TABLE one REPLICA IDENTITY FULL")  # else nobody knows the old code
        records = ROWS * len(keying.tables)
        with bench.captured(shop, keying.topic, records=records, source=keying.source) as topic:
            settings = {
                "embedder": "openai",
                "embedder.model": MODEL,
                "embedder.base.url": f"{provider.url}/openai/v1",
                "embedder.api.key": "good",
                "reselect.url": f"postgresql://127.0.0.1:{stack.postgres.port}/{shop.name}",
                "reselect.user": stack.postgres.user,
                "reselect.password": stack.postgres.password,
            }
            worker = bench.worker(topic, "name, body", "name", settings)
            worker.start()

            def is_equal() -> None:
                bench.index.assert_equals(topic, expected(shop, keying), made_by_the_model)

            eventually(is_equal, "snapshot")
            paid = dict(provider.texts()["openai"])
            first = keying.tables[0]
            shop.sql(f"UPDATE {first} SET id = 11, code = 'code 11' WHERE id = 1")
            shop.sql(f"DELETE FROM {first} WHERE id = 2")
            shop.sql(f"UPDATE {first} SET id = 2, code = 'code 2' WHERE id = 3")
            shop.sql(f"UPDATE {first} SET id = 99, code = 'code 99' WHERE id = 4")
            shop.sql(f"UPDATE {first} SET id = 4, code = 'code 4' WHERE id = 11")
            shop.sql(f"UPDATE {first} SET id = 11, code = 'code 11' WHERE id = 99")
            eventually(is_equal, "moved")
            assert dict(provider.texts()["openai"]) == paid
            if keying.can_reselect:
                shop.sql(f"UPDATE {first} SET name = 'renamed' WHERE id = 11")
                eventually(is_equal, "renamed")
            assert worker.stop() == 0
            assert not stack.kafka.topics.count(f"{bench.sink_name(topic)}-dlq")


def test_rows_keep_their_order_when_their_key_gets_another_type(stack: Stack, bench: Bench) -> None:
    with (
        ProviderLocal(Settings()) as provider,
        open_shop(stack, "postgres", "retyped") as shop,
    ):
        shop.sql("CREATE TABLE one (id int PRIMARY KEY, name text)")
        shop.sql(f"INSERT INTO one SELECT n, 'one ' || n FROM generate_series(1, {RETYPED}) n")
        with bench.captured(shop, "one", records=RETYPED) as topic:
            settings = {
                "embedder": "openai",
                "embedder.model": MODEL,
                "embedder.base.url": f"{provider.url}/openai/v1",
                "embedder.api.key": "good",
                "store.settle.ms": "1000",
            }
            shop.sql("UPDATE one SET name = 'int ' || id WHERE id % 2 = 0")
            shop.sql("ALTER TABLE one ALTER COLUMN id TYPE bigint")
            shop.sql("UPDATE one SET name = 'bigint ' || id WHERE id % 3 = 0")
            shop.sql("DELETE FROM one WHERE id % 5 = 0")
            shop.sql("UPDATE one SET id = id + 1000 WHERE id % 7 = 0")
            topics = stack.kafka.topics

            def is_done(name: str) -> None:
                done = committed(stack, f"connect-{name}", topic)
                assert sum(done.values()) == topics.count(topic)
                assert not topics.count(f"{name}-dlq")
                rows = shop.sql("SELECT id, name FROM one")
                points = {str(key): Expected(name, {"name": name}) for key, name in rows}
                bench.index.assert_equals(topic, points, made_by_the_model)

            for name in ("retyped", "anew"):
                more = {**settings, "name": name}
                workers = [bench.worker(topic, "name", "name", more) for _ in range(2)]
                for worker in workers:
                    worker.start()
                eventually(partial(is_done, name), "all committed")
                assert any("another schema" in worker.log for worker in workers)
                for worker in workers:
                    assert worker.stop() == 0
