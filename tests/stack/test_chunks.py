"""A text in chunks that grows, shrinks, moves and goes, with a kill in between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import eventually
from worker.document.chunking import Chunking
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.bench import Bench
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

TOKENS = 32
CHUNKED = {
    "document.chunk.tokens": str(TOKENS),
    "metadata.text": "true",
    "embedder.latency.ms": "40",
    "store.settle.ms": "1000",
}


@pytest.fixture
def shop(stack: Stack) -> Iterator[PostgresShop | MySqlShop]:
    with open_shop(stack, "postgres", f"chunks_{time.time_ns() % 10**8}") as opened:
        opened.sql(PRODUCTS)
        yield opened


def describe(shop: PostgresShop, parts: int, which: str) -> None:
    """Give some rows a text of so many parts."""
    shop.sql(
        "UPDATE products SET description = (SELECT string_agg('Part ' || n || ' of product ' || id"
        " || ' tells at some length what the part before it has left out.', E'\\n\\n')"
        f" FROM generate_series(1, {parts} + id % 3) n) WHERE {which}",
    )


def assert_equal(bench: Bench, topic: str, shop: PostgresShop) -> None:
    """The index holds exactly the chunks of the table's texts."""
    chunking = Chunking(TOKENS)
    wanted = {
        f"{row}#{number}": text
        for row, expected in expected_products(shop).items()
        for number, text in enumerate(chunking.split(expected.text))
    }
    points = bench.index.points(topic)
    assert {name: point.metadata["text"] for name, point in points.items()} == wanted
    embedder = FakeEmbedder(FakeConfig(dimensions=32))
    vectors = embedder.embed(list(wanted.values()), Purpose.DOCUMENT).vectors
    for name, vector in zip(wanted, vectors, strict=True):
        assert points[name].values == pytest.approx(vector.tolist(), abs=1e-6), name


def test_chunks_follow_their_row_also_after_a_kill(bench: Bench, shop: PostgresShop) -> None:
    shop.sql(
        "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, ''"
        " FROM generate_series(1, 200) n"
    )
    describe(shop, 3, "true")
    with bench.captured(shop, "products", records=200) as topic:
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"], CHUNKED)
        worker.start()
        eventually(lambda: assert_equal(bench, topic, shop), "the first texts")
        describe(shop, 9, "id <= 150")
        time.sleep(1.0)
        worker.kill()
        describe(shop, 1, "id <= 100")
        shop.sql("DELETE FROM products WHERE id % 7 = 0")
        shop.sql("UPDATE products SET id = id + 1000 WHERE id % 10 = 1")
        shop.sql("UPDATE products SET price = price + 1 WHERE id % 10 = 2")
        worker.start()
        eventually(lambda: assert_equal(bench, topic, shop), "the texts after the kill")
        shop.sql("DELETE FROM products")
        eventually(lambda: assert_equal(bench, topic, shop), "an empty table")
        assert worker.stop() == 0
