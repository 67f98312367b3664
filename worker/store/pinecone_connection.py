"""The index that a Pinecone store writes to, opened when it is needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pinecone.errors import PineconeValueError

from worker.errors import ConfigError
from worker.store import pinecone_index as opening

if TYPE_CHECKING:
    from worker.store.pinecone_config import PineconeConfig


class PineconeConnection:
    """Thread-safe; connects at the first call."""

    def __init__(self, config: PineconeConfig) -> None:
        self._config = config
        self._opened: opening.Opened | None = None
        self._lock = threading.Lock()

    def index(self) -> tuple[opening.IndexWithoutRetries, opening.Shape]:
        """The index, and what it takes.

        Raises:
            ConfigError: the client does not take the key or an address.
            FatalError: there is no such index, or it takes no dense vectors.
            RetriableError: it is still being made.
            PineconeError: what the client says.
        """
        opened = self._opened or self._open()
        return opened.index, opened.shape

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.index.close()

    def _open(self) -> opening.Opened:
        with self._lock:
            if self._opened is None:
                self._opened = self._connect()
            return self._opened

    def _connect(self) -> opening.Opened:
        config = self._config
        try:
            if config.host is not None:
                return opening.by_host(config.host, config.api_key.get_secret_value())
            return opening.by_name(config)
        except PineconeValueError as error:
            raise ConfigError(
                "store.api.key, store.url or store.host: expected a key without blanks and "
                "addresses with a host name"
            ) from error
