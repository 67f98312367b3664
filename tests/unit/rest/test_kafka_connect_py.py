"""A real client, ``kafka-connect-py``: its library and its command, over a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from kafka_connect import KafkaConnect

from tests.unit.rest.conftest import CONFIG
from tests.unit.rest.test_server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.rest.memory_herder import MemoryHerder

KC = Path(sys.executable).with_name("kc")


@pytest.fixture
def url(herder: MemoryHerder) -> Iterator[str]:
    with running(herder, REST_BASIC_AUTH_USER_INFO="kc:secret") as found:
        yield found


@pytest.fixture
def client(url: str) -> KafkaConnect:
    return KafkaConnect(url, auth="kc:secret")


def test_its_library_does_all_it_can(client: KafkaConnect, herder: MemoryHerder) -> None:
    assert client.get_cluster_info()["kafka_cluster_id"] == "cluster-1"
    assert client.list_connectors() == []
    assert client.create_connector({"name": "docs", "config": CONFIG})["type"] == "sink"
    assert client.list_connectors(pattern="d.*", state="running") == ["docs"]
    assert client.list_connectors(expand="status")["docs"]["status"]["name"] == "docs"
    assert client.update_connector("docs", {**CONFIG, "tasks.max": 3})["tasks"][2]["task"] == 2
    assert client.get_connector("docs")["name"] == "docs"
    assert client.get_connector_config("docs")["tasks.max"] == "3"

    client.pause_connector("docs")
    assert client.get_connector_status("docs")["connector"]["state"] == "PAUSED"
    client.resume_all_connectors()
    client.stop_all_connectors(state="RUNNING")
    assert client.get_connector_status("docs")["tasks"] == []
    client.resume_connector("docs")

    assert client.restart_connector("docs") is None
    found = client.restart_connector("docs", include_tasks=True, only_failed=False)
    assert found["connector"]["state"] == "RESTARTING"
    client.restart_connector_task("docs", 1)
    assert herder.restarted == ["docs", "docs-0", "docs-1", "docs-2", "docs", "docs-1"]
    assert len(client.list_connector_tasks("docs")) == 3
    assert client.get_connector_task_status("docs", 2)["state"] == "RUNNING"

    herder.read("docs", "shop.public.products")
    assert client.list_connector_topics("docs") == {"docs": {"topics": ["shop.public.products"]}}
    client.reset_connector_topics("docs")
    assert client.list_connector_topics("docs") == {"docs": {"topics": []}}

    assert client.list_connector_plugins()[0]["class"] == "EmbeddingSink"
    checked = client.validate_connector_config("EmbeddingSink", {**CONFIG, "name": "docs"})
    assert checked["error_count"] == 0
    client.delete_connector("docs")
    assert client.list_connectors() == []
    with pytest.raises(requests.HTTPError, match="404"):
        client.get_connector("docs")


def test_it_is_told_what_is_wrong(client: KafkaConnect) -> None:
    with pytest.raises(requests.HTTPError, match="400 Client Error"):
        client.create_connector({"name": "docs", "config": {**CONFIG, "tasks.max": "x"}})
    client.create_connector({"name": "docs", "config": CONFIG})
    with pytest.raises(requests.HTTPError, match="409 Client Error"):
        client.create_connector({"name": "docs", "config": CONFIG})


def kc(url: str, *arguments: str) -> str:
    command = [str(KC), "--url", url, "--auth", "kc:secret", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_its_command_creates_and_shows_a_connector(url: str, tmp_path: Path) -> None:
    file = tmp_path / "docs.json"
    file.write_text(json.dumps({"name": "docs", "config": CONFIG}))
    assert json.loads(kc(url, "create", "--config-file", str(file)))["name"] == "docs"
    assert json.loads(kc(url, "list")) == ["docs"]
    assert json.loads(kc(url, "status", "docs"))["connector"]["state"] == "RUNNING"
