"""What ``vecsink estimate`` says of a real topic is what the run then pays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.stack.index import DIMENSIONS
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, open_shop
from tests.stack.worker_process import committed, vecsink
from worker.provider_local.server import ProviderLocal, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

KEY = "sk-local"
DESCRIBED = "'Good for the job no. ' || n || ', and for some others'"


@pytest.fixture
def provider() -> Iterator[ProviderLocal]:
    server = ProviderLocal(Settings(port=0, api_key=KEY))
    server.start()
    yield server
    server.stop()


def billed_by(provider: ProviderLocal) -> dict[str, str]:
    return {
        "embedder": "openai",
        "embedder.model": "text-embedding-3-small",
        "embedder.dimensions": str(DIMENSIONS),
        "embedder.base.url": f"{provider.url}/openai/v1",
        "embedder.api.key": KEY,
        "budget.tokens.per.day": "1000000",
    }


def estimated(stack: Stack, file: Path, *options: str) -> Mapping[str, Any]:
    done = vecsink(
        "estimate", str(file), "--json", *options,
        CONNECT_BOOTSTRAP_SERVERS=stack.kafka.bootstrap,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def test_a_snapshot_costs_what_the_estimate_says_and_only_what_the_index_lacks(
    stack: Stack, bench: Bench, provider: ProviderLocal
) -> None:
    with open_shop(stack, "postgres", "estimated") as shop:
        shop.sql(PRODUCTS)
        insert = f"INSERT INTO products SELECT n, 'p ' || n, 'tools', n, {DESCRIBED} "
        shop.sql(insert + "FROM generate_series(1, 100) n")
        with bench.captured(shop, "products", records=100) as topic:
            first = bench.worker(
                topic, FIELDS["products"], METADATA["products"], billed_by(provider)
            )
            first.start("--until-caught-up")
            assert first.wait() == 0, first.log
            shop.sql(insert + "FROM generate_series(101, 300) n")
            shop.sql("UPDATE products SET price = price + 1 WHERE id <= 100")
            stack.kafka.topics.wait_for(topic, 400)
            before = provider.stats["openai"]
            group = f"connect-{bench.sink_name(topic)}"
            offsets = committed(stack, group, topic)
            file = bench.folder / f"{bench.sink_name(topic)}.json"

            made = estimated(stack, file)
            sampled = estimated(stack, file, "--sample", "60")

            assert (made["offsets"], made["records_read"]) == (300, 300)
            assert made["records"]["embed"] == 200
            assert made["records"]["in_index"] == 100
            assert made["texts"] == {"low": 200, "expected": 200, "high": 200}
            assert sampled["sampled"]
            assert sampled["texts"]["low"] <= 200 <= sampled["texts"]["high"]
            assert committed(stack, group, topic) == offsets
            assert provider.stats["openai"] == before

            second = bench.worker(
                topic, FIELDS["products"], METADATA["products"], billed_by(provider)
            )
            second.start("--until-caught-up")
            assert second.wait() == 0, second.log
            assert "200 texts embedded" in second.log, second.log
            billed = provider.stats["openai"]["tokens"] - before["tokens"]
            assert made["tokens"]["low"] <= billed <= made["tokens"]["high"]
            assert estimated(stack, file)["records_read"] == 0
