"""``vecsink status`` says of real Kafka what workers do, left, and spent."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stack.index import DIMENSIONS
from tests.stack.ports import free_ports
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, open_shop
from tests.stack.worker_process import eventually, vecsink
from worker.provider_local.faults import Faults
from worker.provider_local.server import ProviderLocal, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

KEY = "sk-local"
INSERT = "INSERT INTO products SELECT n, 'p ' || n, 'tools', n, 'Described ' || n FROM "


@pytest.fixture
def provider() -> Iterator[ProviderLocal]:
    faults = Faults.model_validate({"markers": {"POISON": "refused"}})
    server = ProviderLocal(Settings(port=0, api_key=KEY, faults=faults))
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
    }


def metrics(listener: str) -> str:
    return httpx.get(f"{listener}/metrics", timeout=20).text


def fresh_rows(listener: str) -> float:
    counts = re.findall(r"vecsink_freshness_seconds_count.* ([0-9.]+)", metrics(listener))
    return sum(map(float, counts))


def standing(stack: Stack, file: Path) -> Mapping[str, Any]:
    done = vecsink("status", str(file), "--json", CONNECT_BOOTSTRAP_SERVERS=stack.kafka.bootstrap)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["connectors"]
    return dict(found)


def test_status_before_during_and_after_runs_without_a_budget(
    stack: Stack, bench: Bench, provider: ProviderLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = f"http://127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("CONNECT_LISTENERS", listener)
    with open_shop(stack, "postgres", "status") as shop:
        shop.sql(PRODUCTS)
        shop.sql(INSERT + "generate_series(1, 50) n")
        with bench.captured(shop, "products", records=50) as topic:
            worker = bench.worker(
                topic, FIELDS["products"], METADATA["products"], billed_by(provider)
            )
            name = bench.sink_name(topic)
            file, state = bench.folder / f"{name}.json", f"connect-{name}-state"

            before = standing(stack, file)
            assert (before["state"], before["behind"]) == ("not running", 50)
            assert before["spend"] is None
            assert state not in stack.kafka.topics.names()
            asked = vecsink("estimate", str(file), CONNECT_BOOTSTRAP_SERVERS=stack.kafka.bootstrap)
            assert asked.returncode == 0, asked.stderr
            assert state not in stack.kafka.topics.names()

            worker.start("--until-caught-up")
            assert worker.wait() == 0, worker.log
            billed = provider.stats["openai"]
            after = standing(stack, file)
            assert (after["state"], after["behind"]) == ("not running", 0)
            today = after["spend"][0]
            assert list(today["tables"]) == ["products"]
            spent = today["tables"]["products"]
            assert (spent["texts"], spent["tokens"]) == (50, billed["tokens"])
            assert spent["usd"] == pytest.approx(billed["tokens"] * 0.02 / 1e6)
            assert today["calls"] == billed["calls"]
            assert f"{billed['tokens']:,} tokens" in worker.log

            shop.sql("INSERT INTO products VALUES (60, 'p', 'POISON', 1, 'No text')")
            worker.start()
            eventually(lambda: standing(stack, file)["dead_letters"]["records"] == 1, "a letter")
            during = standing(stack, file)
            assert during["state"] == "running"
            (member,) = during["members"]
            assert member["client_id"] == f"connector-consumer-{name}-0"
            assert len(member["partitions"]) == stack.kafka.topics.partitions(topic)
            assert during["topics"][0]["held"] == during["topics"][0]["partitions"]
            assert during["dead_letters"]["last_kind"] == "TextRefused"

            shop.sql("UPDATE products SET description = 'Another' WHERE id = 1")
            eventually(lambda: fresh_rows(listener) == 1, "an update in the histogram")
            assert "vecsink_dead_letters_total{" in metrics(listener)
            lag = f'vecsink_consumer_lag{{connector="{name}"'
            eventually(lambda: lag in metrics(listener), "the lag of the group")

            assert worker.stop() == 0
            last = standing(stack, file)
            assert last["spend"][0]["tokens"] > today["tokens"]
            shown = vecsink("status", str(file), CONNECT_BOOTSTRAP_SERVERS=stack.kafka.bootstrap)
            assert f"{name}-dlq: 1, the last" in " ".join(shown.stdout.split())
