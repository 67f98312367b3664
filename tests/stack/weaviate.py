"""A Weaviate of one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.stack import artifacts
from tests.stack.ports import HOST, answers, free_ports
from tests.stack.process import Command, Process

if TYPE_CHECKING:
    from pathlib import Path


class Weaviate:
    """The server. ``stop`` and ``start`` keep its data and its address."""

    def __init__(self, folder: Path, key: str) -> None:
        self._process = Process("weaviate", folder)
        self._data = folder / "weaviate"
        self._key = key
        self._port, self.grpc_port, *self._others = free_ports(7)
        self.url = f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Start and wait until it answers."""
        names = (
            "CLUSTER_GOSSIP_BIND_PORT",
            "CLUSTER_DATA_BIND_PORT",
            "RAFT_PORT",
            "RAFT_INTERNAL_RPC_PORT",
            "GO_PROFILING_PORT",
        )
        settings = {
            "AUTHENTICATION_APIKEY_ENABLED": "true",
            "AUTHENTICATION_APIKEY_ALLOWED_KEYS": self._key,
            "AUTHENTICATION_APIKEY_USERS": "tests",
            "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
            "PERSISTENCE_DATA_PATH": str(self._data),
            "DEFAULT_VECTORIZER_MODULE": "none",
            "CLUSTER_HOSTNAME": "node1",
            "CLUSTER_ADVERTISE_ADDR": HOST,
            "RAFT_BOOTSTRAP_EXPECT": "1",
            "GRPC_PORT": str(self.grpc_port),
            "DISABLE_TELEMETRY": "true",
            "LOG_LEVEL": "warning",
            **dict(zip(names, map(str, self._others), strict=True)),
        }
        options = ["--scheme", "http", "--host", HOST, "--port", str(self._port)]
        command = Command([artifacts.weaviate(), *options], environment=settings)
        self._process.start(command, self._is_ready)

    def stop(self) -> None:
        """Shut down in order."""
        self._process.stop()

    def kill(self) -> None:
        """As a crash does."""
        self._process.kill()

    def _is_ready(self) -> bool:
        if not (answers(self._port) and answers(self.grpc_port)):
            return False
        try:
            return httpx.get(f"{self.url}/v1/.well-known/ready", timeout=5.0).is_success
        except httpx.TransportError:
            return False
