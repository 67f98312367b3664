"""Several workers on a real broker: killed, added, restarted, asked for anything at any of them."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.stack.pods import Pod
from tests.stack.worker_process import committed, eventually
from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

PARTITIONS = 4
SESSION_S = 4.0
SLOW_SESSION_S = 60.0
"""Longer than a restart takes."""


class Deployment:
    """Pods, a topic with rows, and the index that they fill."""

    def __init__(self, stack: Stack, bench: Bench, folder: Path) -> None:
        self.stack = stack
        self.topic = f"shop.public.pods_{uuid.uuid4().hex[:8]}"
        self.storage = f"configs-{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self._bench = bench
        self._pods: list[Pod] = []
        stack.kafka.topics.create(self.topic, PARTITIONS)

    def pod(self, session_s: float = SESSION_S, **settings: str) -> Pod:
        shared = {
            "config_storage_topic": self.storage,
            "consumer_session_timeout_ms": str(int(1000 * session_s)),
        }
        made = Pod(self.folder, self.stack, f"pod-{len(self._pods)}", **{**shared, **settings})
        self._pods.append(made)
        made.start()
        return made

    def config(self, name: str, **more: str) -> dict[str, str]:
        common = self._bench.config(self.topic, "name", "name", {})
        own = {key: text for key, text in common.items() if "converter" not in key}
        converters = {
            "key.converter": "json",
            "value.converter": "json",
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
        }
        return {**own, **converters, "name": name, "tasks.max": "2", **more}

    def insert(self, first: int, last: int) -> None:
        self.stack.kafka.topics.send([self._row(number) for number in range(first, last + 1)])

    def rows(self, namespace: str | None = None) -> int:
        return len(self._bench.index.points(namespace or self.topic))

    def close(self) -> None:
        for pod in self._pods:
            pod.close()

    def _row(self, number: int) -> Record:
        source = {"db": "shop", "schema": "public", "table": "products", "ts_ms": 1, "lsn": number}
        after = {"id": number, "name": f"thing {number}"}
        value = {"op": "c", "before": None, "after": after, "source": source, "ts_ms": 1}
        key = json.dumps({"id": number}).encode()
        return Record(self.topic, number % PARTITIONS, -1, key, json.dumps(value).encode())


@pytest.fixture
def deployment(stack: Stack, bench: Bench, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(stack, bench, tmp_path)
    yield made
    made.close()


def test_one_pod_is_killed_one_is_added_and_each_answers_for_all(deployment: Deployment) -> None:
    first, second = deployment.pod(), deployment.pod()
    eventually(lambda: first.is_ready() and second.is_ready(), "both ready")
    config = deployment.config("docs")
    first.ask("POST", "/connectors", {"name": "docs", "config": config})
    eventually(lambda: second.runs("docs", first, second), "a task on each")
    deployment.insert(1, 200)
    eventually(lambda: deployment.rows() == 200, "all rows")
    assert second.ask("GET", "/connectors/docs/topics") == {"docs": {"topics": [deployment.topic]}}

    first.kill()
    killed_s = time.monotonic()
    deployment.insert(201, 300)
    eventually(lambda: second.runs("docs", second), "replaced")
    replaced_s = time.monotonic() - killed_s
    eventually(lambda: deployment.rows() == 300, "all rows after the kill")
    print(f"replaced after {replaced_s:.1f} s, rows there after {time.monotonic() - killed_s:.1f}")
    assert replaced_s < 4 * SESSION_S

    third = deployment.pod()
    eventually(third.is_ready, "the third is ready")
    eventually(lambda: third.runs("docs", second, third), "shared again")

    third.ask("PUT", "/connectors/docs/pause")
    eventually(lambda: {state for state, _ in second.tasks("docs")} == {"PAUSED"}, "paused")
    deployment.insert(301, 310)
    time.sleep(1.5)
    assert deployment.rows() == 300
    second.ask("PUT", "/connectors/docs/resume")
    eventually(lambda: deployment.rows() == 310, "resumed")

    file = deployment.folder / "connectors" / "mirror.json"
    file.write_text(json.dumps(deployment.config("mirror", **{"store.namespace": "mirror"})))
    eventually(lambda: third.ask("GET", "/connectors") == ["docs", "mirror"], "the file is seen")
    eventually(lambda: second.runs("mirror", second, third), "the file's connector runs on both")

    eventually(lambda: deployment.rows("mirror") == 310, "all rows once more")
    third.ask("PUT", "/connectors/mirror/stop")
    eventually(lambda: sum(offsets(second).values()) == 310, "all committed")
    place = {"kafka_topic": deployment.topic, "kafka_partition": 0}
    for offset in ({"kafka_offset": 5}, None):
        change = {"partition": place, "offset": offset}
        second.ask("PATCH", "/connectors/mirror/offsets", {"offsets": [change]})
        assert offsets(third).get(0) == (offset and 5)
    assert sorted(offsets(third)) == [1, 2, 3]
    second.ask("DELETE", "/connectors/mirror/offsets")
    assert committed(deployment.stack, "connect-mirror", deployment.topic) == {}

    second.ask("DELETE", "/connectors/docs")
    assert third.ask("GET", "/connectors") == ["mirror"]
    file.unlink()
    eventually(lambda: third.ask("GET", "/connectors") == [], "the file is gone")
    assert (second.stop(), third.stop()) == (0, 0)


def offsets(pod: Pod) -> dict[int, int]:
    found = pod.ask("GET", "/connectors/mirror/offsets")["offsets"]
    return {one["partition"]["kafka_partition"]: one["offset"]["kafka_offset"] for one in found}


def test_a_restart_under_the_same_worker_id_moves_no_task_of_the_others(
    deployment: Deployment,
) -> None:
    first = deployment.pod(SLOW_SESSION_S, worker_id="first")
    second = deployment.pod(SLOW_SESSION_S, worker_id="second")
    eventually(lambda: first.is_ready() and second.is_ready(), "both ready")
    name = "static"
    first.ask("PUT", f"/connectors/{name}/config", deployment.config(name))
    eventually(lambda: first.runs(name, first, second), "a task on each")
    share = PARTITIONS // 2
    eventually(lambda: len(first.held) == len(second.held) == share, "shared out")
    deployment.insert(1, 40)
    eventually(lambda: deployment.rows() == 40, "all rows")
    before = first.tasks(name)
    moves = moved(first)

    assert second.stop() == 0
    second.start()
    eventually(second.is_ready, "it is back")
    eventually(lambda: first.tasks(name) == before, "as before")
    deployment.insert(41, 80)
    eventually(lambda: deployment.rows() == 80, "the rest")

    assert moved(first) == moves


def moved(pod: Pod) -> list[str]:
    """What it said about tasks and partitions that came or went."""
    words = ("Tasks of ", "Assigned: ", "Giving up: ", "Lost: ")
    return [line for line in pod.log.splitlines() if any(word in line for word in words)]
