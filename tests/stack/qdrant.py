"""Qdrant's engine as a server, and a collection of it as the vendor's own client shows it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from qdrant_client import QdrantClient, models

from tests.stack.home import REPOSITORY
from tests.stack.index import Index, Seen
from tests.stack.ports import HOST, answers, free_ports
from tests.stack.process import Command, Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PAGE = 500


class Qdrant:
    """The server. ``kill`` and ``start`` keep its data and its addresses."""

    def __init__(self, folder: Path) -> None:
        self._process = Process("qdrant", folder)
        self._data = folder / "qdrant"
        self._port, self.grpc_port = free_ports(2)
        self.url = f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Start and wait until it answers."""
        module: list[str | Path] = [sys.executable, "-m", "tests.contract.qdrant_server"]
        command = [*module, self._data, str(self._port), str(self.grpc_port)]
        self._process.start(Command(command, {"PYTHONPATH": str(REPOSITORY)}), self._is_ready)

    def kill(self) -> None:
        """As a crash does."""
        self._process.kill()

    def _is_ready(self) -> bool:
        if not (answers(self._port) and answers(self.grpc_port)):
            return False
        try:
            return httpx.get(self.url, timeout=5.0).is_success
        except httpx.TransportError:
            return False


@dataclass(frozen=True, slots=True)
class QdrantIndex(Index):
    """A collection that the worker makes."""

    server: Qdrant
    transport: str
    """``rest`` or ``grpc``."""

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "store": "qdrant",
            "store.index": "points",
            "store.create": "true",
            "store.url": self.server.url,
            "store.transport": self.transport,
            "store.grpc.port": str(self.server.grpc_port),
        }

    def points(self, namespace: str) -> Mapping[str, Seen]:
        mine = models.FieldCondition(key="_ns", match=models.MatchValue(value=namespace))
        found: dict[str, Seen] = {}
        offset: Any = None
        client = QdrantClient(url=self.server.url, check_compatibility=False)
        if not client.collection_exists("points"):
            return found
        while True:
            records, offset = client.scroll(
                "points",
                scroll_filter=models.Filter(must=[mine]),
                limit=_PAGE,
                offset=offset,
                with_vectors=True,
            )
            for record in records:
                payload: dict[str, Any] = record.payload or {}
                values: Any = record.vector
                found[payload["_id"]] = Seen(values, payload)
            if offset is None:
                client.close()
                return found
