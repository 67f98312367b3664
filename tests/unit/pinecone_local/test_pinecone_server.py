"""Start and stop, ports, and what is left after the process was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stack.ports import free_ports
from worker.pinecone_local.server import PineconeLocal, Settings

if TYPE_CHECKING:
    from pathlib import Path

HEADERS = {"Api-Key": "k", "X-Pinecone-Api-Version": "2026-07"}
FIELDS = {"_values": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}}
SERVE = """
import sys
from pathlib import Path
from worker.pinecone_local.server import Settings, serve
serve(Settings(data_dir=Path(sys.argv[1])), lambda url: print(url, flush=True))
"""


def create(url: str, name: str) -> httpx.Response:
    body = {"name": name, "schema": {"fields": FIELDS}}
    return httpx.post(f"{url}/indexes", json=body, headers=HEADERS)


def upsert(host: str, record_id: str) -> None:
    body = {"vectors": [{"id": record_id, "values": [1.0, 2.0], "metadata": {"n": record_id}}]}
    httpx.post(f"{host}/vectors/upsert", json=body, headers=HEADERS).raise_for_status()


def ids(host: str) -> list[str]:
    body = httpx.get(f"{host}/vectors/list", headers=HEADERS).json()
    return [item["id"] for item in body["vectors"]]


def test_stopping_leaves_no_thread_and_no_listener() -> None:
    before = set(threading.enumerate())
    with PineconeLocal() as local:
        host = create(local.url, "one").json()["host"]
        assert ids(host) == []

    assert set(threading.enumerate()) == before
    for url in (local.url, host):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_taken_control_port_is_an_error_at_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        local = PineconeLocal(Settings(control_port=taken.getsockname()[1]))
        with pytest.raises(OSError, match="in use"):
            local.start()


def test_indexes_take_the_data_ports_in_order_until_none_is_left() -> None:
    ports = free_ports(2)
    with PineconeLocal(Settings(data_ports=ports)) as local:
        hosts = [create(local.url, name).json()["host"] for name in ("a", "b")]
        refused = create(local.url, "c")
        httpx.delete(f"{local.url}/indexes/a", headers=HEADERS).raise_for_status()
        again = create(local.url, "d")

    assert hosts == [f"http://127.0.0.1:{port}" for port in ports]
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "FORBIDDEN"
    assert again.json()["host"] == hosts[0]


def test_advertised_name_is_in_the_host() -> None:
    with PineconeLocal(Settings(advertise="localhost")) as local:
        host = create(local.url, "a").json()["host"]

        assert host.startswith("http://localhost:")
        assert ids(host) == []


def test_restarted_server_has_indexes_records_and_ports(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with PineconeLocal(settings) as local:
        host = create(local.url, "kept").json()["host"]
        upsert(host, "a")
        upsert(create(local.url, "dropped").json()["host"], "b")
        httpx.delete(f"{local.url}/indexes/dropped", headers=HEADERS).raise_for_status()
        change = {"tags": {"team": "search"}}
        httpx.patch(f"{local.url}/indexes/kept", json=change, headers=HEADERS).raise_for_status()

    with PineconeLocal(settings) as local:
        listed = httpx.get(f"{local.url}/indexes", headers=HEADERS).json()["indexes"]
        assert [(index["name"], index["host"]) for index in listed] == [("kept", host)]
        assert listed[0]["tags"] == {"team": "search"}
        assert ids(host) == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog.json", "kept.journal"]


def test_recreated_index_does_not_get_old_records(tmp_path: Path) -> None:
    (tmp_path / "fresh.journal").write_bytes(b"left over by a crash")
    with PineconeLocal(Settings(data_dir=tmp_path)) as local:
        assert ids(create(local.url, "fresh").json()["host"]) == []


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    process, url = started(tmp_path)
    with process:
        host = create(url, "kept").json()["host"]
        for number in range(50):
            upsert(host, f"r{number:02}")
        os.kill(process.pid, signal.SIGKILL)

    with PineconeLocal(Settings(data_dir=tmp_path)):
        assert ids(host) == [f"r{number:02}" for number in range(50)]


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command(tmp_path: Path, kind: signal.Signals) -> None:
    process, url = started(tmp_path)
    with process:
        assert httpx.get(f"{url}/_local/health").is_success
        process.send_signal(kind)

        assert process.wait(timeout=30) == 0
