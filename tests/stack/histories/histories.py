"""Whole histories: what happens to the tables and to the workers, from one seed."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.stack.histories.stage import GOODS, MARKS, SIGNALS, Goods, Stage, truncates
from tests.stack.histories.statements import Author
from tests.stack.shops import open_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.bench import Bench
    from tests.stack.connect import Connector
    from tests.stack.index import Index
    from tests.stack.shops import MySqlShop, PostgresShop
    from worker.provider_local.server import ProviderLocal

ROUNDS = 6
TRANSACTIONS = 14
"""Per round and table."""
FIRST_ROWS = 15
ON_CONFLICT = (
    "ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, body = EXCLUDED.body,"
    " price = EXCLUDED.price, live = EXCLUDED.live, note = EXCLUDED.note"
)
ON_DUPLICATE = (
    "ON DUPLICATE KEY UPDATE name = VALUES(name), body = VALUES(body),"
    " price = VALUES(price), live = VALUES(live), note = VALUES(note)"
)
SOURCE = {"incremental.snapshot.chunk.size": "7", "skipped.operations": "none"}


@contextmanager
def staged(bench: Bench, provider: ProviderLocal, seed: int) -> Iterator[Stage]:
    """Three tables with their first rows, captured."""
    name = f"history_{seed}_{time.time_ns() // 10**6 % 10**7}"
    stack, chronicle = bench.stack, list[str]()
    with (
        open_shop(stack, "postgres", name) as postgres,
        open_shop(stack, "mysql", name) as mysql,
    ):
        plain = _goods(seed, chronicle, postgres, "goods_plain", sends_large=False)
        full = _goods(seed, chronicle, postgres, "goods_full", sends_large=True)
        other = _goods(seed, chronicle, mysql, "goods", sends_large=True)
        for goods in (plain, full):
            postgres.sql(f"ALTER TABLE {goods.table} ALTER COLUMN body SET STORAGE EXTERNAL")
        postgres.sql(f"ALTER TABLE {full.table} REPLICA IDENTITY FULL")
        for shop in (postgres, mysql):
            shop.sql(MARKS)
            shop.sql(SIGNALS)
        mysql.sql(f"GRANT ALL ON {name}.* TO '{stack.mysql.debezium_user}'@'%%'".replace("%%", "%"))
        for goods in (plain, full, other):
            goods.tell(goods.author.first(FIRST_ROWS))
        connectors = [_capture(bench, postgres, [plain, full]), _capture(bench, mysql, [other])]
        try:
            marks = [
                (shop, connector.topic(f"{shop.table_prefix}.marks"))
                for shop, connector in zip((postgres, mysql), connectors, strict=True)
            ]
            settings = _settings(random.Random(f"{seed} settings"), bench.index)
            yield Stage(bench, provider, [plain, full, other], marks, settings, name, chronicle)
        finally:
            bench.close()
            for connector in connectors:
                stack.connect.delete(connector)


def play(stage: Stage, seed: int, rounds: int = ROUNDS) -> None:
    """Everything that happens, and what must hold after each round."""
    draw = random.Random(f"{seed} events")
    for goods in stage.goods:  # the snapshot is there
        stage.bench.stack.kafka.topics.wait_for(goods.topic, FIRST_ROWS)
    stage.join()
    stage.catch_up()
    for _ in range(rounds):
        _happen_before(stage, draw)
        interruption = draw.randrange(TRANSACTIONS)
        for number in range(TRANSACTIONS):
            if number == interruption:
                _happen_amid(stage, draw)
            for goods in stage.goods:
                goods.tell(goods.author.next())
            if draw.random() < 0.3:
                time.sleep(draw.uniform(0, 0.2))
        if draw.random() < 0.7:
            stage.catch_up()
    stage.catch_up()
    assert_nothing_is_paid_for_what_the_index_holds(stage)


def assert_nothing_is_paid_for_what_the_index_holds(stage: Stage) -> None:
    """A new snapshot, a restart, a kill, a rewind and a new group, on tables at rest."""
    paid = dict(stage.paid())
    topics = stage.bench.stack.kafka.topics
    for goods in stage.goods:
        before = topics.count(goods.topic)
        goods.read_again()
        topics.wait_for(goods.topic, before + len(goods.author.rows))
    stage.catch_up()
    while stage.running:
        stage.leave()
    stage.join()
    stage.catch_up()
    stage.kill()
    stage.join()
    stage.catch_up()
    assert dict(stage.paid()) == paid
    stage.rewind()
    stage.catch_up()
    stage.found_group()
    stage.catch_up()


def _happen_before(stage: Stage, draw: random.Random) -> None:
    event = draw.choice(["nothing", "nothing", "restart", "rewind", "new group", "read again"])
    match event:
        case "restart":
            stage.leave()
            if not stage.running:
                stage.join()
        case "rewind":
            stage.catch_up()
            stage.rewind()
        case "new group":
            stage.catch_up()
            stage.found_group()
        case "read again":
            for goods in stage.goods:
                goods.read_again()


def _happen_amid(stage: Stage, draw: random.Random) -> None:
    match draw.choice(["nothing", "kill", "kill", "join", "leave"]):
        case "kill":
            stage.kill()
            if not stage.running:
                stage.join()
        case "join" if len(stage.running) < 2:
            stage.join()
        case "leave" if len(stage.running) > 1:
            stage.leave()


def _goods(
    seed: int,
    chronicle: list[str],
    shop: PostgresShop | MySqlShop,
    table: str,
    *,
    sends_large: bool,
) -> Goods:
    is_postgres = shop.kind == "postgresql"
    author = Author(
        random.Random(f"{seed} {table}"),
        table,
        opening=table,
        upsert=ON_CONFLICT if is_postgres else ON_DUPLICATE,
        sends_large=sends_large,
        truncates=truncates(),
    )
    shop.sql(GOODS.format(table=table, text="text" if is_postgres else "mediumtext"))
    return Goods(shop, table, f"{shop.name}.{shop.table_prefix}.{table}", author, chronicle)


def _capture(bench: Bench, shop: PostgresShop | MySqlShop, goods: list[Goods]) -> Connector:
    stack = bench.stack
    prefix = shop.table_prefix
    tables = [f"{prefix}.{table}" for table in (*(one.table for one in goods), "marks", "signals")]
    register, server = (
        (stack.connect.register_postgres, stack.postgres)
        if shop.kind == "postgresql"
        else (stack.connect.register_mysql, stack.mysql)
    )
    return register(
        server,  # type: ignore[arg-type]
        name=f"source-{shop.kind}-{shop.name}",
        database=shop.name,
        topic_prefix=shop.name,
        tables=tables,
        config=SOURCE | {"signal.data.collection": f"{prefix}.signals"},
    )


def _settings(draw: random.Random, index: Index) -> dict[str, str]:
    settle_ms = {"store.settle.ms": draw.choice(["0", "1000", "3000"])}
    return {
        "consumer.override.session.timeout.ms": "6000",
        **(settle_ms if index.shows_writes_late else {}),
        "batch.max.rows": draw.choice(["5", "288"]),
    }
