"""PostgreSQL as the vector store, also of its own tables: the index is the table after all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.stack.bench import Bench
from tests.stack.index import PgvectorIndex
from tests.stack.local_store import LocalStore
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.stack import Stack

ROWS = 1000
SLOW = {"embedder.latency.ms": "500", "batch.max.rows": "20", "max.in.flight": "2"}


@pytest.fixture
def bench(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An index in a database of its own; the Pinecone-compatible server is not started."""
    name = f"vectors_{time.time_ns() // 10**6 % 10**9}"
    stack.postgres.create_database(name)
    made = Bench(stack, LocalStore(tmp_path), PgvectorIndex(stack.postgres, name), tmp_path)
    yield made
    made.close()
    stack.postgres.drop_database(name)


@pytest.mark.timeout(600)
def test_one_database_is_source_and_index_also_when_the_worker_is_killed(
    stack: Stack, bench: Bench
) -> None:
    with open_shop(stack, "postgres", f"both_{time.time_ns() // 10**6 % 10**9}") as shop:
        bench.index = PgvectorIndex(stack.postgres, shop.name)
        shop.sql(PRODUCTS)
        shop.sql(
            "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, 'Text of ' || n"
            " FROM generate_series(1, %s::int) n",
            ROWS,
        )
        with bench.captured(shop, "products", records=ROWS) as topic:
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"], SLOW)
            worker.start()
            eventually(lambda: bench.progress(topic) > 0, "first commits")
            shop.sql("UPDATE products SET description = 'new ' || id WHERE id % 3 = 1")
            shop.sql("DELETE FROM products WHERE id % 97 = 1")
            worker.kill()
            assert bench.progress(topic) < ROWS, "it was not in the middle"
            bench.assert_no_commit_ahead(topic)
            worker.start()
            eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
            eventually(lambda: worker.log.count("Assigned") == 2, "at work again")
            assert worker.stop() == 0
            bench.assert_no_commit_ahead(topic)
