"""What a killed worker still writes is found, and who follows a clean end waits for nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.stack.local_store import LocalStore
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.bench import Bench
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

SETTLE_S = 1.0
WRITE_TIMEOUT_S = 30.0
EMBED_S = 4.0
LATE_S = 25.0
"""After the next owner has written, and before its second look."""
NOT_IN_ORDER = "Not left in order"
OVER = "Second look over"


@pytest.fixture
def shop(stack: Stack, request: pytest.FixtureRequest) -> Iterator[PostgresShop | MySqlShop]:
    name = f"look_{abs(hash(request.node.name)) % 10**8}"
    with open_shop(stack, "postgres", name) as opened:
        opened.sql(PRODUCTS)
        opened.sql(
            "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, 'Text of ' || n"
            " FROM generate_series(1, 60) n"
        )
        yield opened


def settings(embed_s: float) -> dict[str, str]:
    return {
        "store.settle.ms": str(int(1000 * SETTLE_S)),
        "embedder.latency.ms": str(int(1000 * embed_s)),
    }


def test_after_a_kill_the_next_run_makes_its_look_and_the_one_after_waits_for_nothing(
    bench: Bench, shop: PostgresShop
) -> None:
    with bench.captured(shop, "products", records=60) as topic:
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"], settings(0.5))
        worker.start()
        eventually(lambda: "open" in bench.standings(topic), "opened")
        worker.kill()
        assert bench.standings(topic) == {"open"}

        began_s = time.monotonic()
        worker.start("--until-caught-up")
        assert worker.wait() == 0, worker.log
        assert time.monotonic() - began_s > SETTLE_S + WRITE_TIMEOUT_S
        bench.index.assert_equals(topic, expected_products(shop))
        assert bench.standings(topic) == {"clean"}
        assert (worker.log.count(NOT_IN_ORDER), worker.log.count(OVER)) == (1, 1)

        shop.sql("UPDATE products SET price = price + 1")
        eventually(lambda: bench.stack.kafka.topics.count(topic) == 120, "captured")
        began_s = time.monotonic()
        worker.start("--until-caught-up")
        assert worker.wait() == 0, worker.log
        assert time.monotonic() - began_s < WRITE_TIMEOUT_S / 2
        bench.index.assert_equals(topic, expected_products(shop))
        assert bench.standings(topic) == {"clean"}
        assert worker.log.count(NOT_IN_ORDER) == 1


def test_a_write_that_arrives_after_its_workers_death_is_found_and_repaired(
    bench: Bench, shop: PostgresShop
) -> None:
    with bench.captured(shop, "products", records=60) as topic:
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"], settings(EMBED_S))
        worker.start()
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "snapshot")

        shop.sql("UPDATE products SET name = 'late', description = 'Late.'")
        eventually(lambda: bench.stack.kafka.topics.count(topic) == 120, "captured")
        time.sleep(EMBED_S / 4)  # nothing is fetched, as all is known; the embedder is at work
        assert isinstance(bench.server, LocalStore)
        bench.server.delay(LATE_S)
        time.sleep(EMBED_S + 1.0)
        worker.kill()
        bench.server.delay(0.0)
        shop.sql("UPDATE products SET name = 'new', description = 'New.'")
        worker.start()
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "new")
        eventually(lambda: "late" in names(bench, topic), "the dead worker's write arrived")
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "repaired")
        eventually(lambda: OVER in worker.log, "said so")
        assert worker.stop() == 0
        assert bench.standings(topic) == {"clean"}


def names(bench: Bench, topic: str) -> set[object]:
    return {point.metadata["name"] for point in bench.index.points(topic).values()}
