"""Killed, joined, left alone by its servers, fed nonsense: nothing is lost and nothing is old."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.stack.shops import (
    FIELDS,
    METADATA,
    PRODUCTS,
    expected_products,
    insert_products,
    open_shop,
)
from tests.stack.worker_process import eventually
from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stack.bench import Bench
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

AWAY_S = 20.0


@pytest.fixture
def shop(stack: Stack, request: pytest.FixtureRequest) -> Iterator[PostgresShop | MySqlShop]:
    name = f"bad_{abs(hash(request.node.name)) % 10**8}"
    with open_shop(stack, "postgres", name) as opened:
        opened.sql(PRODUCTS)
        yield opened


def change_everything(shop: PostgresShop | MySqlShop, round_number: int) -> None:
    shop.sql(
        "UPDATE products SET description = 'round ' || %s::text || ' of ' || id WHERE id %% 3 = %s",
        str(round_number),
        round_number % 3,
    )
    shop.sql("DELETE FROM products WHERE id %% 97 = %s", round_number)


def test_after_two_kills_nothing_is_missing_nothing_is_old_and_no_commit_was_early(
    stack: Stack, bench: Bench, shop: PostgresShop
) -> None:
    insert_products(shop, 1, 5000)
    with bench.captured(shop, "products", records=5000) as topic:
        worker = bench.worker(
            topic, FIELDS["products"], METADATA["products"], {"embedder.latency.ms": "40"}
        )
        for round_number in (1, 2):
            worker.start()
            eventually(lambda: bench.progress(topic) > 0, "first commits")
            change_everything(shop, round_number)
            time.sleep(1.0)
            worker.kill()
            bench.assert_no_commit_ahead(topic)
        worker.start()
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
        assert worker.stop() == 0
        bench.assert_no_commit_ahead(topic)


def test_workers_may_join_and_leave_while_changes_flow(
    stack: Stack, bench: Bench, shop: PostgresShop
) -> None:
    insert_products(shop, 1, 500)
    with bench.captured(shop, "products") as topic:
        first = bench.worker(topic, FIELDS["products"], METADATA["products"])
        second = bench.worker(topic, FIELDS["products"], METADATA["products"])
        with flowing(shop):
            first.start()
            eventually(lambda: "Assigned" in first.log, "first assigned")
            second.start()
            eventually(lambda: "Assigned" in second.log, "second assigned")
            time.sleep(2.0)
            assert first.stop() == 0
            time.sleep(2.0)
            first.start()
            eventually(lambda: first.log.count("Assigned") >= 2, "first assigned again")
            time.sleep(1.0)
            assert second.stop() == 0
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
        assert first.stop() == 0


def test_records_that_cannot_be_decoded_end_in_the_dlq_as_they_came(
    stack: Stack, bench: Bench, shop: PostgresShop
) -> None:
    insert_products(shop, 1, 20)
    with bench.captured(shop, "products", records=20) as topic:
        whole = stack.kafka.topics.read(topic)[0]
        assert whole.value is not None
        broken = [
            Record(topic, 0, -1, whole.key, whole.value[:20], (("h", b"1"), ("h", None)), 1234567),
            Record(topic, 1, -1, whole.key, b"\x00\x00\x0f\xff\xff" + whole.value[5:], (), 1234568),
            Record(topic, 2, -1, whole.key, b"not avro", (), 1234569),
        ]
        stack.kafka.topics.send(broken)
        insert_products(shop, 21, 40)
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"])
        worker.start()
        dlq = f"{bench.sink_name(topic)}-dlq"
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "the rest")
        eventually(lambda: stack.kafka.topics.count(dlq) == len(broken), "dead letters")
        letters = {letter.timestamp_ms: letter for letter in stack.kafka.topics.read(dlq)}
        for record in broken:
            letter = letters[record.timestamp_ms]
            assert (letter.key, letter.value) == (record.key, record.value)
            assert letter.headers[: len(record.headers)] == record.headers
            headers = dict(letter.headers)
            assert headers["__connect.errors.topic"] == topic.encode()
            assert headers["__connect.errors.partition"] == str(record.partition).encode()
            assert headers["__connect.errors.stage"] == b"VALUE_CONVERTER"
        assert worker.stop() == 0


def test_the_registry_may_be_away_for_a_while(
    stack: Stack, bench: Bench, shop: PostgresShop
) -> None:
    away(bench, shop, stack.registry.stop, stack.registry.start)


def test_the_broker_may_be_away_for_a_while(stack: Stack, bench: Bench, shop: PostgresShop) -> None:
    away(bench, shop, stack.kafka.stop, stack.kafka.start)


def test_all_of_kafka_may_be_stopped_in_order_again_and_again(
    stack: Stack, bench: Bench, shop: PostgresShop
) -> None:
    """Clients that ask often hear more often that there are no brokers, and may forget theirs."""
    often = {"consumer.override.topic.metadata.refresh.interval.ms": "20", "tasks.max": "3"}
    insert_products(shop, 1, 100)
    with bench.captured(shop, "products", records=100) as topic:
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"], often)
        worker.start()
        for outage in range(1, 6):
            eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
            stack.kafka.stop()
            time.sleep(3.0)
            stack.kafka.start()
            insert_products(shop, 100 * outage + 1, 100 * (outage + 1))
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
        assert worker.stop() == 0, worker.log
        assert "Task " not in worker.log, "a task failed"


def test_the_store_may_be_away_for_a_while(bench: Bench, shop: PostgresShop) -> None:
    away(bench, shop, bench.server.kill, bench.server.start)


def away(
    bench: Bench, shop: PostgresShop, goes: Callable[[], object], returns: Callable[[], object]
) -> None:
    insert_products(shop, 1, 300)
    with bench.captured(shop, "products", records=300) as topic:
        worker = bench.worker(
            topic, FIELDS["products"], METADATA["products"], {"embedder.latency.ms": "100"}
        )
        worker.start()
        eventually(lambda: "Assigned" in worker.log, "assigned")
        insert_products(shop, 301, 600)
        goes()
        try:
            time.sleep(AWAY_S)
        finally:
            returns()
        change_everything(shop, 1)
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "recovered")
        assert worker.stop() == 0, worker.log
        assert "Task " not in worker.log, "a task failed"


@contextmanager
def flowing(shop: PostgresShop) -> Iterator[None]:
    """Changes a part of the rows again and again, from a thread of its own."""
    over = threading.Event()

    def flow() -> None:
        number = 0
        while not over.wait(0.05):
            number += 1
            shop.sql(
                "UPDATE products SET description = 'flow ' || %s::text WHERE id %% 50 = %s",
                str(number),
                number % 50,
            )

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
