"""Whole histories: what happens to the tables and to the workers, from one seed."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.stack.histories.circumstances import FULL, OTHER, PLAIN, Circumstances
from tests.stack.histories.economy import Allowance
from tests.stack.histories.sources import Source
from tests.stack.histories.stage import Goods, Stage
from tests.stack.histories.statements import Author
from tests.stack.local_store import LocalStore
from tests.stack.shops import open_shop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.stack.bench import Bench
    from worker.provider_local.server import ProviderLocal

ROUNDS = 6
TRANSACTIONS = 14
"""Per round and table."""
FIRST_ROWS = 15
FROZEN_S = 8.0
"""Longer than a worker's session."""


@contextmanager
def staged(bench: Bench, provider: ProviderLocal, seed: int) -> Iterator[Stage]:
    """Three tables with their first rows, captured."""
    name = f"history_{seed}_{time.time_ns() // 10**6 % 10**7}"
    stack, may_be_late = bench.stack, bench.index.shows_writes_late
    around = Circumstances.of(seed, may_be_late=may_be_late)
    with (
        open_shop(stack, "postgres", name) as postgres,
        open_shop(stack, "mysql", name) as mysql,
    ):
        sources = [
            Source(stack, postgres, [PLAIN, FULL], around.source("postgresql")),
            Source(stack, mysql, [OTHER], around.source("mysql")),
        ]
        mysql.sql(f"GRANT ALL ON {name}.* TO '{stack.mysql.debezium_user}'@'%'")
        if isinstance(bench.server, LocalStore):
            bench.server.show_late(around.late_s)
        goods = _goods(sources, around, seed)
        try:
            for source in sources:
                source.begin()
            yield Stage(bench, provider, around, goods, sources, name, goods[0].chronicle)
        finally:
            bench.close()
            for source in sources:
                source.end()


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
            _tell(stage.goods)
            if draw.random() < 0.3:
                time.sleep(draw.uniform(0, 0.2))
        if draw.random() < 0.7:
            stage.catch_up()
    stage.catch_up()
    assert_nothing_is_paid_for_what_the_index_holds(stage)


def assert_nothing_is_paid_for_what_the_index_holds(stage: Stage) -> None:
    """Other snapshots, a restart, a kill, a rewind and a new group, on tables at rest."""
    paid = dict(stage.paid())
    _read_again(stage)
    stage.catch_up()
    while stage.running:
        stage.leave()
    stage.change_sources()
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
    event = draw.choice(
        ["nothing", "restart", "rewind", "new group", "read again", "new source", "retype"]
    )
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
        case "new source":
            stage.catch_up()
            stage.change_sources()
        case "retype" if not stage.goods[0].author.terms.truncates:
            for goods in stage.goods:
                goods.tell(goods.author.retype_key())


def _happen_amid(stage: Stage, draw: random.Random) -> None:
    event = draw.choice(
        ["kill", "kill", "join", "leave", "freeze", "freeze", "store", "provider", "answers"]
    )
    match event:
        case "kill":
            stage.kill()
            if not stage.running:
                stage.join()
        case "join" if len(stage.running) < 2:
            stage.join()
        case "leave" if len(stage.running) > 1:
            stage.leave()
        case "freeze":
            if len(stage.running) < 2 and draw.random() < 0.7:
                stage.join()
            stage.freeze(lambda: _pass(stage))
        case "store" if not stage.circumstances.late_s:
            stage.close_store()
        case "provider":
            stage.refuse_service()
        case "answers":
            stage.lose_answers()


def _pass(stage: Stage) -> None:
    """Time in which rows go on changing."""
    for _ in range(int(FROZEN_S)):
        _tell(stage.goods)
        time.sleep(1.0)


def _tell(goods: Sequence[Goods]) -> None:
    for one in goods:
        one.tell(one.author.next())


def _read_again(stage: Stage) -> None:
    topics = stage.bench.stack.kafka.topics
    for goods in stage.goods:
        wanted = topics.count(goods.topic) + len(goods.author.rows)
        goods.source.insist(goods.read_again, {goods.topic: wanted})


def _goods(sources: Sequence[Source], around: Circumstances, seed: int) -> list[Goods]:
    chronicle = list[str]()
    found = []
    for terms in around.terms:
        source = next(one for one in sources if terms.table in one.tables)
        source.shop.sql(terms.create)
        if terms.is_postgres:
            for column in ("body", "label"):
                source.shop.sql(
                    f"ALTER TABLE {terms.table} ALTER COLUMN {column} SET STORAGE EXTERNAL"
                )
        if terms.table == FULL:
            source.shop.sql(f"ALTER TABLE {FULL} REPLICA IDENTITY FULL")
        author = Author(random.Random(f"{seed} {terms.table}"), terms)
        goods = Goods(source, author, Allowance(around.pieces), chronicle)
        goods.tell(author.first(FIRST_ROWS))
        found.append(goods)
    return found
