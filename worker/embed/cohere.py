"""Embeddings by Cohere, through its own client."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from pydantic import Field

from worker.embed import cohere_models
from worker.embed.connections import Connections
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.embed.remote import RemoteConfig
from worker.model import ModelId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.config.section import Section
    from worker.embed.cohere_client import CohereClient

# The client takes a second to import. That happens when the model is first asked about: were it at
# the first call, that would arrive later than the limits per minute believe. What is missing is
# said here.
if find_spec("cohere") is None:
    raise ImportError("no cohere", name="cohere")

_URL: Final = "https://api.cohere.com"
_INPUT_TYPES: Final = {Purpose.DOCUMENT: "search_document", Purpose.QUERY: "search_query"}


class CohereConfig(RemoteConfig):
    """Settings of the Cohere embedder."""

    MODELS = cohere_models.MODELS
    PRICES_AS_OF = cohere_models.AS_OF
    MOST_TEXTS = 96

    model: str = Field(
        default="embed-v4.0",
        alias="embedder.model",
        min_length=1,
        description="One of Cohere's embedding models, v3 or newer.",
    )


class CohereEmbedder:
    """Cohere's v2 interface. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = CohereConfig

    def __init__(self, config: CohereConfig) -> None:
        self._config = config
        self._url = (config.base_url or _URL).rstrip("/")
        self._connections = Connections(self.terms.account)
        self._made: CohereClient | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> ModelId:
        """Rows are ``search_document``. Imports the client the first time."""
        self._client()
        return ModelId(
            "cohere", self._config.model, self._config.length, _INPUT_TYPES[Purpose.DOCUMENT]
        )

    @property
    def limits(self) -> Limits:
        """Cohere cuts texts by itself."""
        return self._config.limits()

    @property
    def terms(self) -> Terms:
        """Cohere limits texts per minute, rather than calls or tokens."""
        return self._config.terms("cohere", self._url)

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """One call of ``/v2/embed``."""
        if not texts:
            return Embeddings(np.empty((0, self._config.length), np.float32), tokens=0)
        truncate = "END" if overlong is Overlong.TRUNCATE else "NONE"
        return self._client().embed(texts, _INPUT_TYPES[purpose], truncate)

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        with self._lock:
            self._made = None
            self._connections.close()

    def _client(self) -> CohereClient:
        with self._lock:
            if self._made is None:
                from worker.embed.cohere_client import CohereClient  # noqa: PLC0415 - see above

                self._made = CohereClient(self._config, self._url, self._connections.client)
            return self._made
