"""A Pinecone-compatible server that can go away and come back with its data and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stack.ports import free_ports
from worker.pinecone_local.faults import Faults
from worker.pinecone_local.server import PineconeLocal, Settings

if TYPE_CHECKING:
    from pathlib import Path


class LocalStore:
    """``start`` and ``stop`` as often as wanted; data and addresses stay."""

    def __init__(self, folder: Path) -> None:
        control, *data = free_ports(3)
        self._settings = Settings(control_port=control, data_ports=data, data_dir=folder)
        self._server: PineconeLocal | None = None
        self.url = self._settings.url(control)

    def start(self) -> None:
        """Serve."""
        self._server = PineconeLocal(self._settings)
        self._server.start()

    def delay(self, seconds: float) -> None:
        """Calls that come from now on are carried out so much later, whoever still waits."""
        assert self._server is not None
        self._server.faults = Faults(latency_s=seconds)

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.stop()
            self._server = None
