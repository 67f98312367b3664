"""The index that a Pinecone store writes to, opened when it is needed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from pinecone.errors import PineconeValueError

from worker.errors import ConfigError, FatalError
from worker.store import pinecone_index as opening
from worker.store.creation import MADE_ANEW
from worker.store.pinecone_errors import FAILURES
from worker.store.port import MissingIndexError

if TYPE_CHECKING:
    from worker.store.pinecone_config import PineconeConfig

log = logging.getLogger(__name__)


class PineconeConnection:
    """Thread-safe; connects at the first call."""

    def __init__(self, config: PineconeConfig) -> None:
        self._config = config
        self._opened: opening.Opened | None = None
        self._in_doubt = False
        self._left: list[opening.Opened] = []
        self._lock = threading.Lock()

    def index(self) -> tuple[opening.IndexWithoutRetries, opening.Shape]:
        """The index, and what it takes.

        Raises:
            ConfigError: the client does not take the key or an address.
            FatalError: there is no such index, or it takes no dense vectors.
            RetriableError: it is still being made.
            PineconeError, httpx.DecodingError, httpx.InvalidURL: what the client says.
        """
        if self._in_doubt:
            self._look_again()
        opened = self._opened or self._open()
        return opened.index, opened.shape

    def doubt(self) -> None:
        """Nobody answers at the index's address: it may be gone, or be at another one.

        The next call asks the control plane, unless the settings say where the index is.
        """
        self._in_doubt = self._opened is not None and self._config.host is None

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        with self._lock:
            opened, self._opened, self._left = [*self._left, self._opened], None, []
            self._in_doubt = False
        for one in opened:
            if one is not None:
                one.index.close()

    def _open(self) -> opening.Opened:
        with self._lock:
            if self._opened is None:
                self._opened = self._connect()
            return self._opened

    def _look_again(self) -> None:
        with self._lock:
            if not self._in_doubt or self._opened is None:
                return
            try:
                found = self._connect()
            except MissingIndexError as error:
                raise FatalError(
                    f"the Pinecone index {self._config.index!r} is gone: {MADE_ANEW}"
                ) from error
            except FAILURES:
                return  # nobody knows better than to try the same address
            before, self._in_doubt = self._opened, False
            if found.index.host == before.index.host:
                found.index.close()
                self._opened = opening.Opened(before.index, found.shape)
            else:
                # not closed yet, as others may be in the middle of a call
                self._left.append(before)
                self._opened = found
                log.warning(
                    "The Pinecone index %r is at another address, so it was made anew: rows that "
                    "were committed before may not be in it (docs/stores.md, An index that is "
                    "gone).",
                    self._config.index,
                )

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
