"""Embeddings by Voyage AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from worker.embed import json_calls, voyage_models
from worker.embed.connections import Connections
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.embed.remote import RemoteConfig
from worker.model import ModelId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.config.section import Section

_VOYAGE: Final = "https://api.voyageai.com/v1"
_ATLAS: Final = "https://ai.mongodb.com/v1"
_ATLAS_KEY: Final = "al-"
"""With this begin the keys that MongoDB Atlas gives out; they are valid at its address alone."""
_INPUT_TYPES: Final = {Purpose.DOCUMENT: "document", Purpose.QUERY: "query"}


class VoyageConfig(RemoteConfig):
    """Settings of the Voyage embedder."""

    MODELS = voyage_models.MODELS
    PRICES_AS_OF = voyage_models.AS_OF
    MOST_TEXTS = 1000

    model: str = Field(
        default="voyage-4",
        alias="embedder.model",
        min_length=1,
        description="One of Voyage's text embedding models.",
    )
    texts_per_call: int = Field(
        default=256,
        alias="embedder.texts.per.call",
        ge=1,
        description="Texts in one call, at most; Voyage takes 1000.",
    )


class VoyageEmbedder:
    """``/v1/embeddings``. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = VoyageConfig

    def __init__(self, config: VoyageConfig) -> None:
        self._config = config
        self._url = (config.base_url or _address(config.key)).rstrip("/")
        self._endpoint = json_calls.Endpoint(
            provider="Voyage",
            url=f"{self._url}/embeddings",
            headers={"authorization": f"Bearer {config.key}"} if config.key else {},
            timeout_s=config.timeout_s,
        )
        self._connections = Connections(self.terms.account)
        self._parameters: dict[str, Any] = {"model": config.model, "encoding_format": "base64"}
        if config.shortened_to is not None:
            self._parameters["output_dimension"] = config.shortened_to

    @property
    def model(self) -> ModelId:
        """Rows are ``document``."""
        return ModelId(
            "voyage", self._config.model, self._config.length, _INPUT_TYPES[Purpose.DOCUMENT]
        )

    @property
    def limits(self) -> Limits:
        """Voyage cuts texts by itself."""
        return self._config.limits()

    @property
    def terms(self) -> Terms:
        """Voyage limits calls and tokens per minute."""
        return self._config.terms("voyage", self._url)

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """One call."""
        length = self._config.length
        if not texts:
            return Embeddings(np.empty((0, length), np.float32), tokens=0)
        body = {
            **self._parameters,
            "input": list(texts),
            "input_type": _INPUT_TYPES[purpose],
            "truncation": overlong is Overlong.TRUNCATE,
        }
        return json_calls.embed(
            self._connections, self._endpoint, body, texts=len(texts), length=length
        )

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        self._connections.close()


def _address(key: str) -> str:
    return _ATLAS if key.startswith(_ATLAS_KEY) else _VOYAGE
