"""One pool of kept-alive connections per account, shared by all embedders of the process."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import httpx

from worker.answers import read_in_time
from worker.tls import trusted
from worker.wire.transport import transport


@dataclass(slots=True)
class _Pool:
    client: httpx.Client
    users: int = 0


_pools: dict[str, _Pool] = {}
_lock = threading.Lock()


class Connections:
    """An embedder's hold on the connections of its account. Thread-safe."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._client: httpx.Client | None = None

    @property
    def client(self) -> httpx.Client:
        """The shared client, made at first use; it knows neither key nor time-out."""
        client = self._client
        if client is not None:
            return client
        with _lock:
            if self._client is None:
                if self._account not in _pools:
                    _pools[self._account] = _Pool(_opened())
                pool = _pools[self._account]
                pool.users += 1
                self._client = pool.client
            return self._client

    def close(self) -> None:
        """Give it back; the last one closes the connections."""
        with _lock:
            if self._client is None:
                return
            self._client = None
            pool = _pools[self._account]
            pool.users -= 1
            if pool.users == 0:
                del _pools[self._account]
                pool.client.close()


def _opened() -> httpx.Client:
    return httpx.Client(transport=transport(trusted()), event_hooks={"response": [read_in_time]})
