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
        self._faults = Faults()
        self.url = self._settings.url(control)

    def start(self) -> None:
        """Serve."""
        self._server = PineconeLocal(self._settings)
        self._server.faults = self._faults
        self._server.start()

    def delay(self, seconds: float) -> None:
        """Calls that come from now on are carried out so much later, whoever still waits."""
        self._set(Faults(latency_s=seconds))

    def show_late(self, seconds: float) -> None:
        """Readers see a write so much later."""
        self._set(Faults(visibility_s=seconds))

    def _set(self, faults: Faults) -> None:
        assert self._server is not None
        self._server.faults = self._faults = faults

    def kill(self) -> None:
        """Refuse connections; what was answered is on the disk."""
        self.stop()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.stop()
            self._server = None
