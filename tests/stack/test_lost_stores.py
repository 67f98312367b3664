"""A store that is gone is named and made anew; one that is out of reach is waited for."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from tests.contract.relay import relay
from tests.stack.histories.stores import benched
from tests.stack.index import DIMENSIONS, PgvectorIndex
from tests.stack.shops import (
    FIELDS,
    METADATA,
    PRODUCTS,
    expected_products,
    insert_products,
    open_shop,
)
from tests.stack.worker_process import eventually
from worker.provider_local.server import ProviderLocal
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.bench import Bench
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

ROWS = 50
CHANGED = 10
MODEL = "text-embedding-3-small"
LOST = 3

_vectors = partial(vectors_of, model=MODEL, length=DIMENSIONS, input_type="")


@pytest.fixture
def shop(stack: Stack, request: pytest.FixtureRequest) -> Iterator[PostgresShop | MySqlShop]:
    name = f"lost_{time.time_ns() // 10**6 % 10**9}"
    with open_shop(stack, "postgres", name) as opened:
        opened.sql(PRODUCTS)
        insert_products(opened, 1, ROWS)
        yield opened


@pytest.mark.timeout(300)
def test_a_table_that_was_dropped_stops_the_task_and_is_made_anew_with_a_warning(
    stack: Stack, bench: Bench, shop: PostgresShop
) -> None:
    bench.index = PgvectorIndex(stack.postgres, shop.name)
    with bench.captured(shop, "products", records=ROWS) as topic:
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"])
        worker.start()
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "equal")
        eventually(lambda: bench.progress(topic) == ROWS, "committed")
        shop.sql("DROP TABLE vecsink.points")
        shop.sql("UPDATE products SET description = 'new ' || id WHERE id <= %s", CHANGED)
        assert worker.wait() == 1
        assert "the table of store.index is gone: a start with store.create=true" in worker.log
        assert bench.progress(topic) == ROWS
        assert "made anew" not in worker.log

        worker.start()
        eventually(lambda: bench.progress(topic) == ROWS + CHANGED, "the rest")
        assert worker.stop() == 0
        assert worker.log.count("The index was made anew, but group ") == 1
        assert len(bench.index.points(topic)) == CHANGED

        set_back(bench, topic)
        worker.start()
        eventually(lambda: bench.index.assert_equals(topic, expected_products(shop)), "filled")
        assert worker.stop() == 0
        assert worker.log.count("made anew") == 1
        assert stack.kafka.topics.count(f"{bench.sink_name(topic)}-dlq") == 0


def set_back(bench: Bench, topic: str) -> None:
    """The group reads from the beginning."""
    kafka = bench.stack.kafka
    group = f"connect-{bench.sink_name(topic)}"
    places = [KafkaPartition(topic, number, 0) for number in range(kafka.topics.partitions(topic))]
    wanted = [ConsumerGroupTopicPartitions(group, places)]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.alter_consumer_group_offsets(wanted)[group].result(30.0)


@pytest.mark.timeout(300)
def test_connections_that_the_network_loses_are_left_and_no_text_is_paid_again(
    stack: Stack, tmp_path: Path, shop: PostgresShop
) -> None:
    with (
        benched(stack, tmp_path, "qdrant-grpc") as bench,
        ProviderLocal() as provider,
        relay(int(bench.index.settings["store.grpc.port"])) as network,
        bench.captured(shop, "products", records=ROWS) as topic,
    ):
        config = {
            "embedder": "openai",
            "embedder.model": MODEL,
            "embedder.base.url": f"{provider.url}/openai/v1",
            "embedder.api.key": "good",
            "store.grpc.port": str(network.port),
            "store.timeout.ms": "1000",
            "batch.max.rows": "10",
        }
        worker = bench.worker(topic, FIELDS["products"], METADATA["products"], config)
        worker.start()
        eventually(lambda: is_equal(bench, shop, topic), "equal")
        for number in range(1, 1 + LOST):
            network.lose()
            insert_products(shop, number * ROWS + 1, (number + 1) * ROWS)
            eventually(lambda: is_equal(bench, shop, topic), "equal again", 20.0)
        assert worker.stop() == 0
        assert set(provider.texts()["openai"].values()) == {1}
        assert "Task " not in worker.log
        bench.assert_no_commit_ahead(topic)


def is_equal(bench: Bench, shop: PostgresShop, topic: str) -> bool:
    return not bench.index.differing(topic, expected_products(shop), _vectors)
