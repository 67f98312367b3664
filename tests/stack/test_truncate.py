"""TRUNCATE of a real table empties the index of what was there before, and of nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.stack.histories.stores import benched
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.bench import Bench
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

SWEPT_WITHIN_S = 180.0


def insert(shop: PostgresShop | MySqlShop, first: int, last: int, text: str) -> None:
    for n in range(first, last + 1):
        row = (n, f"thing {n}", "tools", "1.00", f"{text} {n}")
        shop.sql("INSERT INTO products VALUES (%s, %s, %s, %s, %s)", *row)


def test_a_truncated_table_leaves_the_index_and_its_new_rows_stay(
    stack: Stack, tmp_path: Path
) -> None:
    def in_its_own_index(kind: str) -> None:
        (tmp_path / kind).mkdir()
        with (
            benched(stack, tmp_path / kind, "pinecone") as bench,
            open_shop(stack, kind, f"truncated_{kind}") as shop,
        ):
            truncate(bench, shop)

    with ThreadPoolExecutor() as pool:  # a sweep begins after half a minute
        list(pool.map(in_its_own_index, ["postgres", "mysql"]))


def truncate(bench: Bench, shop: PostgresShop | MySqlShop) -> None:
    shop.sql(PRODUCTS)
    insert(shop, 1, 40, "Before")
    with bench.captured(
        shop, "products", records=40, source={"skipped.operations": "none"}
    ) as topic:
        worker = bench.worker(
            topic, FIELDS["products"], METADATA["products"], {"truncate.mode": "delete"}
        )
        worker.start()
        equals = lambda: bench.index.assert_equals(topic, expected_products(shop))  # noqa: E731 - asked again and again
        eventually(equals, f"snapshot of {shop.kind}")
        shop.sql("TRUNCATE TABLE products")
        insert(shop, 31, 50, "After")
        eventually(lambda: "50" in bench.index.points(topic), f"new rows of {shop.kind}")
        worker.kill()  # most likely before the old rows are gone
        worker.start()
        eventually(equals, f"{shop.kind} emptied", SWEPT_WITHIN_S)
        ended = bench.stack.kafka.topics.count(topic)
        eventually(lambda: bench.progress(topic) == ended, f"{shop.kind} committed")
        assert worker.stop() == 0


def test_rows_inserted_in_the_truncates_own_transaction_stay(stack: Stack, bench: Bench) -> None:
    with open_shop(stack, "postgres", "truncated_at_once") as shop:
        shop.sql(PRODUCTS)
        insert(shop, 1, 10, "Before")
        with bench.captured(
            shop, "products", records=10, source={"skipped.operations": "none"}
        ) as topic:
            worker = bench.worker(
                topic, FIELDS["products"], METADATA["products"], {"truncate.mode": "delete"}
            )
            worker.start()
            equals = lambda: bench.index.assert_equals(topic, expected_products(shop))  # noqa: E731 - asked again and again
            eventually(equals, "snapshot")
            shop.sql(
                "BEGIN; INSERT INTO products VALUES (11, 'eleven', 'tools', 1, 'Never there.');"
                "TRUNCATE products RESTART IDENTITY;"
                "INSERT INTO products SELECT n, 'thing ' || n, 'tools', 1, 'After'"
                " FROM generate_series(1, 5) n; COMMIT"
            )
            eventually(equals, "emptied", SWEPT_WITHIN_S)
            assert worker.stop() == 0
