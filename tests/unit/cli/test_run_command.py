"""``vecsink run`` and the signals that end it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stack.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-c", "from worker.cli.app import main; main()", "run"]
CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}
NOBODY = "127.0.0.1:9"
PATIENCE_S = 120.0
"""Other tests run at the same time."""
BATCHES = 'vecsink_batches_total{connector="products"} 0.0'


@pytest.mark.parametrize(
    ("options", "expected"), [([], 0), (["--until-caught-up"], 128 + signal.SIGTERM)]
)
def test_a_signal_is_a_good_end_only_of_a_run_without_one(
    tmp_path: Path, options: list[str], expected: int
) -> None:
    file = tmp_path / "products.json"
    file.write_text(json.dumps(CONNECTOR))
    running = subprocess.Popen(
        [*COMMAND, str(file), *options],
        env={**os.environ, "CONNECT_BOOTSTRAP_SERVERS": NOBODY},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    next(line for line in running.stderr if "Connection refused" in line)

    running.terminate()

    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == expected


def test_a_running_worker_answers_metrics(tmp_path: Path) -> None:
    with running(tmp_path, CONNECT_LISTENERS=f"http://127.0.0.1:{free_port()}") as (worker, url):
        deadline_s = time.monotonic() + PATIENCE_S
        while BATCHES not in httpx.get(f"{url}/metrics", timeout=20).text:
            assert time.monotonic() < deadline_s, "no metric of the connector"
            time.sleep(0.3)
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0


def test_a_worker_that_waits_for_kafka_is_alive_and_ready(tmp_path: Path) -> None:
    where = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, CONNECT_LISTENERS=where, CONNECT_LOG_FORMAT="json") as (worker, url):
        deadline_s = time.monotonic() + PATIENCE_S
        while (ready := httpx.get(f"{url}/health/ready", timeout=20)).status_code == 503:
            assert ready.json()["status"] == "starting"
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        live = httpx.get(f"{url}/health/live", timeout=20)
        assert (live.status_code, ready.status_code) == (200, 200)
        assert live.json()["status"] == ready.json()["status"] == "healthy"
        worker.terminate()
        _, said = worker.communicate(timeout=PATIENCE_S)
    events = [json.loads(line) for line in said.splitlines()]
    assert {"time", "level", "logger", "task", "message"} <= events[0].keys()


def test_an_address_that_somebody_chose_must_be_free(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with running(tmp_path, CONNECT_LISTENERS=where) as (worker, _):
            _, said = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 3
    assert f"listeners: {where} cannot be had" in said


@contextmanager
def running(
    folder: Path, path: Path | None = None, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    file = folder / "products.json"
    file.write_text(json.dumps(CONNECTOR))
    worker = subprocess.Popen(
        [*COMMAND, str(path or file)],
        env={**os.environ, "CONNECT_BOOTSTRAP_SERVERS": NOBODY, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    url = environment["CONNECT_LISTENERS"]
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while worker.poll() is None and not is_open(url) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        yield worker, url
    finally:
        worker.kill()
        worker.communicate()


def is_open(url: str) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def free_port() -> int:
    (port,) = free_ports(1)
    return port


def test_without_files_there_must_be_a_topic_with_connectors(tmp_path: Path) -> None:
    done = subprocess.run(
        COMMAND,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "config.storage.topic" in done.stderr


def test_a_folder_may_have_a_broken_file_and_named_files_may_not(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    where = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, tmp_path, CONNECT_LISTENERS=where) as (worker, url):
        deadline_s = time.monotonic() + PATIENCE_S
        while httpx.get(f"{url}/connectors", timeout=20).json() != ["products"]:
            assert time.monotonic() < deadline_s
            time.sleep(0.3)
        worker.terminate()
        _, said = worker.communicate(timeout=PATIENCE_S)
    assert "broken.json: not valid JSON" in said
    with running(tmp_path, tmp_path / "broken.json", CONNECT_LISTENERS=where) as (worker, _):
        assert worker.wait(PATIENCE_S) == 2
