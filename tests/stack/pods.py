"""Workers that share their connectors: ``vecsink run FOLDER`` with a storage topic, and REST."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import httpx

from tests.stack.ports import HOST, free_ports
from tests.stack.worker_process import COMMAND, PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.stack import Stack


class Pod:
    """One of them, at an address of its own; a second ``start`` is a restart at the same."""

    def __init__(self, folder: Path, stack: Stack, name: str, **settings: str) -> None:
        (port,) = free_ports(1)
        self.worker_id = f"{HOST}:{port}"
        self._connectors = folder / "connectors"
        self._connectors.mkdir(exist_ok=True)
        self._log = folder / f"{name}.log"
        self._environment = {
            **os.environ,
            "CONNECT_BOOTSTRAP_SERVERS": stack.kafka.bootstrap,
            "CONNECT_LISTENERS": f"http://{self.worker_id}",
            **{f"CONNECT_{key.upper()}": value for key, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "run", str(self._connectors)],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def held(self) -> set[str]:
        """The partitions that it has by what it said."""
        partitions: set[str] = set()
        for line in self.log.splitlines():
            named = set(re.findall(r"[^ ]+\[\d+\]", line))
            if "Assigned: " in line:
                partitions |= named
            elif "Giving up: " in line or "Lost: " in line:
                partitions -= named
        return partitions

    def ask(self, verb: str, path: str, body: object = None) -> Any:
        """What it answers; fails where that is no success."""
        answer = httpx.request(verb, f"http://{self.worker_id}{path}", json=body, timeout=60.0)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def is_ready(self) -> bool:
        try:
            return bool(self.ask("GET", "/health")["status"] == "healthy")
        except (httpx.TransportError, AssertionError):
            return False

    def tasks(self, connector: str) -> list[tuple[str, str]]:
        """State and worker of each."""
        status = self.ask("GET", f"/connectors/{connector}/status")
        return [(task["state"], task["worker_id"]) for task in status["tasks"]]

    def runs(self, connector: str, *pods: Pod) -> bool:
        """Whether all tasks run, and on just these pods, as this one tells."""
        tasks = self.tasks(connector)
        workers = {worker for _, worker in tasks}
        is_running = bool(tasks) and all(state == "RUNNING" for state, _ in tasks)
        return is_running and workers == {pod.worker_id for pod in pods}

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _end(self, number: int) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)
