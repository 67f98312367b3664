"""Embeddings by Cohere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from worker.embed import cohere_models, json_calls
from worker.embed.connections import Connections
from worker.embed.packed import unpacked, unreadable
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.embed.remote import RemoteConfig
from worker.model import ModelId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.config.section import Section

_NAME: Final = "Cohere"
_URL: Final = "https://api.cohere.com"
_INPUT_TYPES: Final = {Purpose.DOCUMENT: "search_document", Purpose.QUERY: "search_query"}
_MONTHLY: Final = "/ month"
"""In the message of a 429: a trial key's calls of the month are used up."""


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
    """``/v2/embed``. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = CohereConfig

    def __init__(self, config: CohereConfig) -> None:
        self._config = config
        self._url = (config.base_url or _URL).rstrip("/")
        self._endpoint = json_calls.Endpoint(
            provider=_NAME,
            url=f"{self._url}/v2/embed",
            headers={"authorization": f"Bearer {config.key}"} if config.key else {},
            timeout_s=config.timeout_s,
            used_up=_MONTHLY,
        )
        self._connections = Connections(self.terms.account)
        self._parameters: dict[str, Any] = {"model": config.model, "embedding_types": ["base64"]}
        if config.shortened_to is not None:
            self._parameters["output_dimension"] = config.shortened_to

    @property
    def model(self) -> ModelId:
        """Rows are ``search_document``."""
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
        """One call."""
        length = self._config.length
        if not texts:
            return Embeddings(np.empty((0, length), np.float32), tokens=0)
        body = {
            **self._parameters,
            "texts": list(texts),
            "input_type": _INPUT_TYPES[purpose],
            "truncate": "END" if overlong is Overlong.TRUNCATE else "NONE",
        }
        answer = json_calls.ask(self._connections, self._endpoint, body)
        rows = _part(answer, "embeddings").get("base64")
        if not isinstance(rows, list):
            raise unreadable(_NAME)
        vectors = unpacked(rows, texts=len(texts), length=length, provider=_NAME)
        return Embeddings(vectors, tokens=_tokens(answer))

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        self._connections.close()


def _tokens(answer: Mapping[str, Any]) -> int:
    """As billed; 0 if the answer does not say."""
    tokens = _part(_part(answer, "meta"), "billed_units").get("input_tokens")
    return int(tokens) if isinstance(tokens, int | float) else 0


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}
