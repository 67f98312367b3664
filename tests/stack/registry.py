"""A Confluent-compatible schema registry (Apicurio), whose schemas outlive a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from tests.stack import artifacts
from tests.stack.java import QUICK_JVM
from tests.stack.ports import HOST, answers
from tests.stack.process import Command, Process

if TYPE_CHECKING:
    from pathlib import Path


class Registry:
    """The registry. ``stop`` and ``start`` keep its schemas, their ids and its address."""

    def __init__(self, folder: Path, port: int) -> None:
        self._process = Process("registry", folder)
        self._data = folder / "registry"
        self._port = port
        self.url = f"http://{HOST}:{port}/apis/ccompat/v7"
        """What clients of Confluent's registry take as ``schema.registry.url``."""
        self.native_url = f"http://{HOST}:{port}/apis/registry/v3"
        """Apicurio's own API."""

    @property
    def process(self) -> Process:
        """For its pid and log."""
        return self._process

    def start(self) -> None:
        """Start and wait until it answers."""
        settings = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": self._port,
            "quarkus.management.host": HOST,
            "quarkus.management.port": 0,
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "h2",
            "apicurio.datasource.url": f"jdbc:h2:file:{self._data}",
        }
        options = [f"-D{name}={value}" for name, value in settings.items()]
        jar = artifacts.registry() / "quarkus-run.jar"
        java = artifacts.java_for_registry()
        command = Command([java, "-Xmx384m", *QUICK_JVM, *options, "-jar", jar])
        self._process.start(command, self._is_ready)

    def stop(self) -> None:
        """Shut down in order."""
        self._process.stop()

    def subjects(self) -> list[str]:
        """All subjects, sorted."""
        return sorted(self._get("/subjects"))

    def schema(self, schema_id: int) -> str:
        """The schema's JSON text, as registered."""
        return str(self._get(f"/schemas/ids/{schema_id}")["schema"])

    def register(self, subject: str, schema: str) -> int:
        """Register an Avro schema and return its id."""
        url = f"{self.url}/subjects/{subject}/versions"
        response = httpx.post(url, json={"schema": schema}, timeout=30.0)
        return int(response.raise_for_status().json()["id"])

    def _get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=30.0).raise_for_status().json()

    def _is_ready(self) -> bool:
        if not answers(self._port):
            return False
        try:
            return httpx.get(f"{self.url}/subjects", timeout=5.0).is_success
        except httpx.TransportError:
            return False
