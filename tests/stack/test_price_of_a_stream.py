"""What a real stream costs, counted where it is paid: each text once, whatever happens."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.stack.index import DIMENSIONS
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import eventually
from worker.model import TopicPartition
from worker.provider_local.server import ProviderLocal, Settings
from worker.provider_local.vectors import vectors_of
from worker.source.group_offsets import KafkaGroupOffsets

if TYPE_CHECKING:
    from tests.stack.bench import Bench
    from tests.stack.shops import Shop
    from tests.stack.stack import Stack

ROWS = 200
ROUNDS = 3
MODEL = "text-embedding-3-small"
made_by_the_model = partial(vectors_of, model=MODEL, length=DIMENSIONS, input_type="")


def update_all(shop: Shop, round_number: int) -> None:
    """A change of each row, of which one in ten has another text."""
    shop.sql(
        "UPDATE products SET price = price + 1, description ="
        " CASE WHEN id %% 10 = %s THEN 'Text ' || %s::text || ' of ' || id ELSE description END",
        round_number,
        str(round_number),
    )


def test_only_new_texts_are_paid_in_a_stream_after_a_kill_a_rewind_and_in_a_new_group(
    stack: Stack, bench: Bench
) -> None:
    with (
        ProviderLocal(Settings()) as provider,
        open_shop(stack, "postgres", "priced") as shop,
    ):
        shop.sql(PRODUCTS)
        shop.sql(
            "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, 'Text of ' || n"
            f" FROM generate_series(1, {ROWS}) n"
        )
        with bench.captured(shop, "products", records=ROWS) as topic:
            keys = {
                "embedder": "openai",
                "embedder.model": MODEL,
                "embedder.base.url": f"{provider.url}/openai/v1",
                "embedder.api.key": "good",
            }
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"], keys)

            def is_equal() -> None:
                bench.index.assert_equals(topic, expected_products(shop), made_by_the_model)

            worker.start()
            eventually(is_equal, "the snapshot")
            for round_number in range(ROUNDS):
                update_all(shop, round_number)
                eventually(is_equal, "the updates")
            paid = provider.texts()["openai"]
            assert len(paid) == ROWS + ROUNDS * ROWS // 10
            assert set(paid.values()) == {1}

            worker.kill()
            shop.sql("UPDATE products SET price = price + 1")
            worker.start()
            eventually(is_equal, "the updates after the kill")
            assert worker.stop() == 0

            group = f"connect-{bench.sink_name(topic)}"
            offsets = KafkaGroupOffsets(group, {"bootstrap.servers": stack.kafka.bootstrap})
            places = range(stack.kafka.topics.partitions(topic))
            offsets.alter({TopicPartition(topic, number): 0 for number in places})
            shop.sql("UPDATE products SET price = price + 1")
            worker.start()
            eventually(is_equal, "the updates after the rewind")
            assert worker.stop() == 0

            named = {**keys, "name": f"anew-{topic}"}
            anew = bench.worker(topic, FIELDS["products"], METADATA["products"], named)
            anew.start("--until-caught-up")
            assert anew.wait() == 0, anew.log
            is_equal()
            assert provider.texts()["openai"] == paid
