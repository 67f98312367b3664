"""A Weaviate of one node, and a collection of it as the vendor's own client shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
import weaviate
from weaviate.classes.init import Auth

from tests.stack import artifacts
from tests.stack.index import Index, Seen
from tests.stack.ports import HOST, answers, free_ports
from tests.stack.process import Command, Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def require_weaviate() -> None:
    """Skip where the server was not built: minutes that no test waits for."""
    if artifacts.has_weaviate():
        return
    if artifacts.can_build_weaviate():
        pytest.skip("left out: make test-weaviate builds the server first")
    pytest.skip("left out, as Weaviate is built with Go, which is not here")


class Weaviate:
    """The server. ``stop`` and ``start`` keep its data and its address."""

    def __init__(self, folder: Path, key: str) -> None:
        self._process = Process("weaviate", folder)
        self._data = folder / "weaviate"
        self.key = key
        self.port, self.grpc_port, *self._others = free_ports(7)
        self.url = f"http://{HOST}:{self.port}"

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
            "AUTHENTICATION_APIKEY_ALLOWED_KEYS": self.key,
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
        options = ["--scheme", "http", "--host", HOST, "--port", str(self.port)]
        command = Command([artifacts.weaviate(), *options], environment=settings)
        self._process.start(command, self._is_ready)

    def stop(self) -> None:
        """Shut down in order."""
        self._process.stop()

    def kill(self) -> None:
        """As a crash does."""
        self._process.kill()

    def _is_ready(self) -> bool:
        if not (answers(self.port) and answers(self.grpc_port)):
            return False
        try:
            return httpx.get(f"{self.url}/v1/.well-known/ready", timeout=5.0).is_success
        except httpx.TransportError:
            return False


@dataclass(frozen=True, slots=True)
class WeaviateIndex(Index):
    """A collection that the worker makes."""

    server: Weaviate
    name: str = "Points"

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "store": "weaviate",
            "store.index": self.name,
            "store.create": "true",
            "store.url": self.server.url,
            "store.grpc.address": f"{HOST}:{self.server.grpc_port}",
            "store.api.key": self.server.key,
        }

    def points(self, namespace: str) -> Mapping[str, Seen]:
        tenant = re.sub(
            r"[^A-Za-z0-9-]",
            lambda found: "".join(f"_{byte:02x}" for byte in found[0].encode()),
            namespace,
        )
        with connected(self.server) as client:
            if not client.collections.exists(self.name):
                return {}
            collection = client.collections.get(self.name)
            if not collection.tenants.exists(tenant):
                return {}
            objects = list(collection.with_tenant(tenant).iterator(include_vector=True))
        found = {}
        for one in objects:
            stored = orjson.loads(str(one.properties["_stored"]))
            values: Any = one.vector["default"]
            found[stored["_id"]] = Seen(values, stored)
        return found


def connected(server: Weaviate) -> weaviate.WeaviateClient:
    """The vendor's client."""
    return weaviate.connect_to_custom(
        http_host=HOST,
        http_port=server.port,
        http_secure=False,
        grpc_host=HOST,
        grpc_port=server.grpc_port,
        grpc_secure=False,
        auth_credentials=Auth.api_key(server.key),
        skip_init_checks=True,
    )
