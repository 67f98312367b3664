"""The stand-ins for provider and Pinecone, each a process of its own, and what they have seen."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from pinecone import Pinecone, ServerlessSpec

from benchmarks.main_job.kernel import cpu_s
from tests.stack.worker_process import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

_NONE = dict.fromkeys(("calls", "texts", "records", "repeated", "limited"), 0)
_ADDRESS = re.compile(r"http://[\d.:]+")


@dataclass(slots=True)
class Server:
    """``vecsink provider-local`` or ``pinecone-local``."""

    url: str
    pid: int
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30.0))

    def set_faults(self, **faults: object) -> None:
        """Latency, failing calls and the like; what is not said is healthy."""
        self.http.put(f"{self.url}/_local/faults", json=faults).raise_for_status()

    def stats(self, name: str) -> dict[str, int]:
        """Counts of a provider or of an operation; all zero before its first call."""
        found: dict[str, dict[str, int]] = self.http.get(f"{self.url}/_local/stats").json()
        return {**_NONE, **found.get(name, {})}

    def reset(self) -> None:
        """Count from zero."""
        self.http.delete(f"{self.url}/_local/stats").raise_for_status()


@dataclass(frozen=True, slots=True)
class Servers:
    """Both of them."""

    provider: Server
    pinecone: Server

    def set_latency(self, embedding_ms: float, store_ms: float) -> None:
        """For each call of either; with it all faults end."""
        self.provider.set_faults(latency_s=embedding_ms / 1000)
        self.pinecone.set_faults(latency_s=store_ms / 1000)

    @property
    def cpu_s(self) -> float:
        """CPU that both have taken."""
        return cpu_s(self.provider.pid) + cpu_s(self.pinecone.pid)

    def reset(self) -> None:
        """Count from zero."""
        self.provider.reset()
        self.pinecone.reset()

    @contextmanager
    def index(self, dimensions: int) -> Iterator[str]:
        """An empty index, gone afterwards."""
        name = f"bench-{dimensions}-{time.monotonic_ns()}"
        with Pinecone(api_key="any", host=self.pinecone.url) as client:
            spec = ServerlessSpec(cloud="aws", region="us-east-1")
            client.create_index(name=name, dimension=dimensions, metric="cosine", spec=spec)
            try:
                yield name
            finally:
                client.delete_index(name)

    def vectors(self, index: str) -> int:
        """How many the index holds."""
        with Pinecone(api_key="any", host=self.pinecone.url) as client:
            stats: Any = client.Index(name=index).describe_index_stats()
            return int(stats.total_vector_count)


@contextmanager
def servers() -> Iterator[Servers]:
    """Started, and gone afterwards."""
    with (
        local_server("provider-local", "--port", "0") as provider,
        local_server("pinecone-local", "--port", "0", "--data-ports", "") as pinecone,
    ):
        yield Servers(provider, pinecone)


@contextmanager
def local_server(*command: str) -> Iterator[Server]:
    """One of them, by its command; gone afterwards."""
    with subprocess.Popen([COMMAND, *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = _ADDRESS.search(process.stdout.readline())
        assert found is not None, f"{command[0]} did not start"
        try:
            yield Server(found[0], process.pid)
        finally:
            process.terminate()
