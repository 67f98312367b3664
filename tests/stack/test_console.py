"""The console on a real broker: two workers, letters of a real failure, put back from the page."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from confluent_kafka import murmur2
from playwright.sync_api import expect

from tests.stack.pods import Pod
from tests.stack.worker_process import eventually
from worker.model import Record

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

PARTITIONS = 2
GOOD, BAD = 40, 5
POISON = "poison"
expect.set_options(timeout=60_000)
"""A replay reads Kafka first, and a new config waits for the tasks of the former one."""


def test_letters_of_a_real_failure_are_put_back_from_the_page(
    stack: Stack, bench: Bench, browser: Browser, tmp_path: Path
) -> None:
    name = f"shop-{uuid.uuid4().hex[:6]}"
    topic = f"shop.public.{name}"
    stack.kafka.topics.create(topic, PARTITIONS)
    pods = [
        Pod(tmp_path, stack, f"pod-{number}", config_storage_topic=f"{name}-configs")
        for number in range(2)
    ]
    first, second = pods
    try:
        for pod in pods:
            pod.start()
        eventually(lambda: first.is_ready() and second.is_ready(), "both ready")
        config = settings(bench, topic)
        first.ask("PUT", f"/connectors/{name}/config", {**config, "embedder.refuse": POISON})
        eventually(lambda: first.runs(name, first, second), "a task on each")
        rows = [row(topic, number, f"thing {number}") for number in range(GOOD)]
        rows += [row(topic, GOOD + number, f"{POISON} {number}") for number in range(BAD)]
        broken = replace(row(topic, 99, "cut off"), value=b'{"op": "c", "after": ')
        stack.kafka.topics.send([*rows, broken])
        eventually(lambda: len(bench.index.points(topic)) == GOOD, "the good rows")

        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"http://{first.worker_id}/")
        expect(page.locator(".notices")).to_contain_text(f"{BAD + 1} dead letters are open")
        line = page.locator(".fleet tr", has_text=name)
        expect(line).to_contain_text("2 tasks on 2 pods")
        page.locator(".fleet").get_by_role("link", name=f"{BAD + 1} open letters").click()
        expect(page.get_by_role("button", name=f"TextRefused {BAD}")).to_be_visible()
        page.get_by_role("button", name="Dry run").click()
        expect(page.locator(".outlook")).to_contain_text("would fail again")

        second.ask("PUT", f"/connectors/{name}/config", config)
        eventually(lambda: second.runs(name, first, second), "healed")
        page.get_by_role("button", name=f"Replay all {BAD + 1}…").click()
        page.locator("dialog").get_by_role("button", name="Replay").click()
        expect(page.locator(".progress")).to_contain_text(f"Replay done: {BAD + 1} letters")
        expect(page.locator(".progress")).to_contain_text(f"{BAD} replayed")
        expect(page.locator(".letters tbody tr")).to_have_count(1)  # what is broken stays so
        page.close()

        eventually(lambda: len(bench.index.points(topic)) == GOOD + BAD, "all rows")
        letters = second.ask("GET", f"/console/api/connectors/{name}/letters")
        assert letters["states"] == {"open": 1, "replayed": BAD, "returned": 1}
        page = browser.new_page()
        page.goto(f"http://{second.worker_id}/console/#/connectors/{name}")
        expect(page.locator(".tiles")).to_contain_text("up to date")
        page.close()
        assert all("Traceback" not in pod.log for pod in pods)
    finally:
        for pod in pods:
            pod.close()


def settings(bench: Bench, topic: str) -> dict[str, str]:
    common = bench.config(topic, "name", "name", {})
    own = {key: text for key, text in common.items() if "converter" not in key and key != "name"}
    converters = {
        f"{part}.converter{key}": text
        for part in ("key", "value")
        for key, text in (("", "json"), (".schemas.enable", "false"))
    }
    return {**own, **converters, "tasks.max": "2"}


def row(topic: str, number: int, name: str) -> Record:
    source = {"db": "shop", "schema": "public", "table": "products", "ts_ms": 1, "lsn": number}
    after = {"id": number, "name": name}
    value = {"op": "c", "before": None, "after": after, "source": source, "ts_ms": 1}
    key = json.dumps({"id": number}).encode()
    return Record(topic, murmur2(key, PARTITIONS), -1, key, json.dumps(value).encode())
