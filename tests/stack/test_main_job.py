"""Real changes of real databases become exactly the index that the tables say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.shops import (
    FIELDS,
    METADATA,
    PRODUCTS,
    STOCK,
    expected_products,
    expected_stock,
    open_shop,
)
from tests.stack.worker_process import eventually
from worker.model import Record

if TYPE_CHECKING:
    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

DATABASES = ["postgres", "mysql"]


@pytest.mark.parametrize("kind", DATABASES)
def test_a_table_with_one_key_column_is_what_the_index_says(
    stack: Stack, bench: Bench, kind: str
) -> None:
    with open_shop(stack, kind, f"one_{kind}") as shop:
        shop.sql(PRODUCTS)
        for n in range(1, 301):
            shop.sql(
                "INSERT INTO products VALUES (%s, %s, %s, %s, %s)",
                n, f"thing {n}", "tools" if n % 3 else None, f"{n}.50", f"Good for job {n}.",
            )  # fmt: skip
        with bench.captured(shop, "products") as topic:
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"])
            worker.start()
            eventually(
                lambda: bench.index.assert_equals(topic, expected_products(shop)), "snapshot"
            )
            shop.sql("INSERT INTO products VALUES (1001, 'new', NULL, NULL, 'Fresh.')")
            shop.sql("UPDATE products SET description = 'Rewritten.' WHERE id <= 20")
            shop.sql("UPDATE products SET price = price + 1 WHERE id BETWEEN 21 AND 40")
            shop.sql("DELETE FROM products WHERE id BETWEEN 41 AND 60")
            shop.sql("DELETE FROM products WHERE id = 7")
            shop.sql("INSERT INTO products VALUES (7, 'again', 'tools', 1.00, 'Back.')")
            eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "changes")
            assert worker.stop() == 0


@pytest.mark.parametrize("kind", DATABASES)
def test_a_table_with_two_key_columns_is_what_the_index_says(
    stack: Stack, bench: Bench, kind: str
) -> None:
    with open_shop(stack, kind, f"two_{kind}") as shop:
        shop.sql(STOCK)
        for shop_number in (1, 2):
            for n in range(20):
                shop.sql(
                    "INSERT INTO stock VALUES (%s, %s, %s, %s)",
                    shop_number, f"sku-{n}", f"note {n} of {shop_number}", n,
                )  # fmt: skip
        with bench.captured(shop, "stock") as topic:
            worker = bench.worker(topic, FIELDS["stock"], METADATA["stock"])
            worker.start()
            shop.sql("UPDATE stock SET note = 'moved' WHERE shop = 1 AND sku = 'sku-3'")
            shop.sql("UPDATE stock SET quantity = quantity + 100 WHERE shop = 2")
            shop.sql("DELETE FROM stock WHERE sku = 'sku-5'")
            shop.sql("UPDATE stock SET sku = 'renamed' WHERE shop = 1 AND sku = 'sku-9'")
            eventually(lambda: bench.index.assert_equals(topic, expected_stock(shop)), "equal")
            assert worker.stop() == 0


def test_a_run_until_caught_up_ends_by_itself_with_everything_written(
    stack: Stack, bench: Bench
) -> None:
    with open_shop(stack, "postgres", "caught_up") as shop:
        shop.sql(PRODUCTS)
        shop.sql("INSERT INTO products SELECT n, 'p ' || n FROM generate_series(1, 500) n")
        with bench.captured(shop, "products", records=500) as topic:
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"])
            worker.start("--until-caught-up")
            assert worker.wait() == 0
            bench.index.assert_equals(topic, expected_products(shop))
            assert "500 texts embedded" in worker.log, worker.log


def test_the_schema_may_change_in_mid_stream(stack: Stack, bench: Bench) -> None:
    with open_shop(stack, "postgres", "evolving") as shop:
        shop.sql(PRODUCTS)
        shop.sql("INSERT INTO products SELECT n, 'p ' || n FROM generate_series(1, 50) n")
        with bench.captured(shop, "products", records=50) as topic:
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"])
            worker.start()
            shop.sql("ALTER TABLE products ADD COLUMN colour text DEFAULT 'red'")
            shop.sql("UPDATE products SET description = 'after the change' WHERE id <= 10")
            shop.sql("ALTER TABLE products ALTER COLUMN price TYPE numeric(12,4)")
            shop.sql("UPDATE products SET price = 1.2345 WHERE id BETWEEN 11 AND 20")
            eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "added")
            shop.sql("ALTER TABLE products DROP COLUMN colour")
            shop.sql("INSERT INTO products VALUES (99, 'last', NULL, NULL, 'one')")
            eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "dropped")
            assert worker.stop() == 0


@pytest.mark.parametrize("schemas", ["true", "false"])
def test_json_envelopes_do_as_well(stack: Stack, bench: Bench, schemas: str) -> None:
    converter = "org.apache.kafka.connect.json.JsonConverter"
    settings = {
        "key.converter": converter,
        "value.converter": converter,
        "key.converter.schemas.enable": schemas,
        "value.converter.schemas.enable": schemas,
    }
    # Without a schema nobody can tell that base64 is a number.
    source = settings | {"decimal.handling.mode": "double"}
    with open_shop(stack, "postgres", f"json_{schemas}") as shop:
        shop.sql(PRODUCTS)
        shop.sql("INSERT INTO products SELECT n, 'p ' || n, 'x', n FROM generate_series(1, 50) n")
        with bench.captured(shop, "products", records=50, source=source) as topic:
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"], settings)
            worker.start()
            shop.sql("UPDATE products SET name = 'new' WHERE id <= 5")
            shop.sql("DELETE FROM products WHERE id > 45")
            eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
            assert worker.stop() == 0


def test_a_model_that_differs_from_the_namespaces_is_refused(stack: Stack, bench: Bench) -> None:
    with open_shop(stack, "postgres", "two_models") as shop:
        shop.sql(PRODUCTS)
        shop.sql("INSERT INTO products VALUES (1, 'one', NULL, NULL, NULL)")
        with bench.captured(shop, "products") as topic:
            first = bench.worker(topic, FIELDS["products"], METADATA["products"])
            first.start("--until-caught-up")
            assert first.wait() == 0
            other = {"name": "other", "embedder.model": "another-model"}
            second = bench.worker(topic, FIELDS["products"], METADATA["products"], other)
            second.start("--until-caught-up")
            assert second.wait() == 1
            assert "holds vectors of fake/fake/32" in second.log
            bench.index.assert_equals(topic, expected_products(shop))


def test_without_tolerance_the_first_bad_record_fails_the_task(stack: Stack, bench: Bench) -> None:
    with open_shop(stack, "postgres", "intolerant") as shop:
        shop.sql(PRODUCTS)
        shop.sql("INSERT INTO products VALUES (1, 'one', NULL, NULL, NULL)")
        with bench.captured(shop, "products") as topic:
            stack.kafka.topics.send([Record(topic, 0, -1, b"x", b"nonsense")])
            strict = {"errors.tolerance": "none"}
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"], strict)
            worker.start()
            assert worker.wait() == 1
            assert "errors.tolerance=all" in worker.log
