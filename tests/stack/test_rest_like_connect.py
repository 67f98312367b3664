"""The same questions to a real Kafka Connect worker and to ``vecsink run``, held side by side."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
from kafka_connect import KafkaConnect

from tests.stack.home import REPOSITORY
from tests.stack.ports import HOST, free_ports
from tests.stack.rest_dialogue import DIALOGUE, NAME, Answer, Ask, differences, hold
from tests.stack.worker_process import COMMAND, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.stack.stack import Stack

UNREADABLE = "A body that cannot be read"
CLASSLESS = "A config without a class"
SLASH = "A slash in a name"
OFFSETS = "Offsets that a topic does not have"
DEVIATIONS = {
    **dict.fromkeys(
        (
            "POST /connectors half a body",
            "POST /connectors no body",
            "POST /connectors null",
            "POST /connectors a list",
            "POST /connectors unknown field",
            "POST /connectors no config",
            "POST /connectors unknown state",
            "PUT /connectors/x/config half a body",
            "PUT /connectors/x/config a list as a value",
            "PUT /connector-plugins/{plugin}/config/validate half a body",
            f"PATCH /connectors/{NAME}/offsets half a body",
            f"PATCH /connectors/{NAME}/offsets unknown field",
        ),
        UNREADABLE,
    ),
    "PUT /connector-plugins/{plugin}/config/validate no class": CLASSLESS,
    "PUT /connector-plugins/NoSuch/config/validate unknown class": CLASSLESS,
    "GET /connectors/a%2Fb/status": SLASH,
    "GET /connectors//status": SLASH,
    "POST /connectors a space in a name": "Names",
    "DELETE /connectors/in%20two": "Names",
    f"PATCH /connectors/{NAME}/offsets beyond the end": OFFSETS,
    f"PATCH /connectors/{NAME}/offsets no such partition": OFFSETS,
    f"PATCH /connectors/{NAME}/config another name": "A patch that renames",
}
"""What ``docs/rest.md`` says about each answer that has another status."""
OWN_WORDS = {
    "POST /connectors empty config",
    "POST /connectors no name",
    "POST /connectors unknown class",
    "POST /connectors no number",
    "POST /connectors no topics",
    "POST /connectors topics null",
    "PUT /connectors/x/config no class",
    f"PATCH /connectors/{NAME}/config wrong",
    "PUT /connector-plugins/NoSuch/config/validate another plugin",  # it quotes the class
}
"""Answers whose sentence is another one: ``Mistakes of a config`` there."""
SINK = {
    "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
    "topics": NAME,
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
}
OURS = {
    "connector.class": "EmbeddingSink",
    "topics": NAME,
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "embedder.dimensions": "4",
    "store": "memory",
}
ASKED = [step for step in DIALOGUE if isinstance(step, Ask)]


class Pair(NamedTuple):
    """What both said, by ``Ask.id``, and where ours still answers."""

    theirs: Mapping[str, Answer]
    ours: Mapping[str, Answer]
    url: str


@contextmanager
def vecsink_run(stack: Stack, folder: Path) -> Iterator[str]:
    """The URL of a worker without connectors."""
    url = f"http://{HOST}:{free_ports(1)[0]}"
    environment = {
        "CONNECT_BOOTSTRAP_SERVERS": stack.kafka.bootstrap,
        "CONNECT_LISTENERS": url,
        "CONNECT_CONFIG_STORAGE_TOPIC": "alike-configs",
    }
    with (folder / "alike.log").open("wb") as log:
        running = subprocess.Popen(
            [COMMAND, "run", folder], env={**os.environ, **environment}, stdout=log, stderr=log
        )
    try:
        eventually(lambda: _is_ready(url), "the worker answers")
        yield url
    finally:
        running.terminate()
        running.wait(60)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=20).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def pair(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("alike")
    stack.kafka.topics.create(NAME, partitions=1)
    sink = {**SINK, "file": str(folder / "out.txt")}
    try:
        with vecsink_run(stack, folder) as url, ThreadPoolExecutor() as pool:
            theirs = pool.submit(hold, stack.connect.url, "FileStreamSinkConnector", sink)
            ours = hold(url, "EmbeddingSink", OURS)
            yield Pair(theirs.result(), ours, url)
    finally:
        httpx.delete(f"{stack.connect.url}/connectors/{NAME}", timeout=60)
        stack.kafka.topics.delete(NAME)


@pytest.mark.parametrize("asked", ASKED, ids=[one.id for one in ASKED])
def test_the_answer_is_the_same(pair: Pair, asked: Ask) -> None:
    theirs, ours = pair.theirs[asked.id], pair.ours[asked.id]
    if asked.id in DEVIATIONS:
        assert theirs.status != ours.status, "no deviation any more"
        return
    assert ours.status == theirs.status, f"{theirs.message} | {ours.message}"
    assert differences(theirs.shape, ours.shape) == []
    if asked.id in OWN_WORDS:
        assert theirs.message != ours.message, "the same sentence by now"
    else:
        assert ours.message == theirs.message


def test_a_real_client_leads_a_connector_through_its_life(pair: Pair) -> None:
    client = KafkaConnect(pair.url)

    def is_in(state: str) -> None:
        status = client.get_connector_status("led")
        assert [one["state"] for one in (status["connector"], *status["tasks"])] == [state] * 2

    client.create_connector({"name": "led", "config": OURS})
    eventually(lambda: is_in("RUNNING"), "it runs")
    client.pause_connector("led")
    eventually(lambda: is_in("PAUSED"), "it holds")
    client.resume_connector("led")
    eventually(lambda: is_in("RUNNING"), "it goes on")
    client.restart_connector("led", include_tasks=True)
    eventually(lambda: is_in("RUNNING"), "it runs again")
    assert client.get_connector_task_status("led", 0)["worker_id"] in pair.url
    client.delete_connector("led")
    assert client.list_connectors() == []


@pytest.mark.parametrize("deviation", [*sorted(set(DEVIATIONS.values())), "Mistakes of a config"])
def test_the_documentation_names_each_deviation(deviation: str) -> None:
    documentation = (REPOSITORY / "docs" / "rest.md").read_text(encoding="utf-8")
    assert f"**{deviation}**" in documentation


def test_another_shape_is_seen() -> None:
    theirs = {"a": [{"b": "…", "c": "…"}], "d": [None]}
    assert differences(theirs, {"a": [{"b": "…", "c": "…"}], "d": ["…"]}) == []
    assert differences(theirs, {"a": [{"b": "…"}], "d": [None]}) == ["$.a[].c is missing"]
    assert differences(theirs, {**theirs, "e": "…"}) == ["$.e is too much"]
    assert differences(theirs, {**theirs, "a": "…"}) != []
