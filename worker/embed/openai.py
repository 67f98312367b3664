"""Embeddings by OpenAI, by Azure OpenAI, and by servers that speak like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from worker.embed import json_calls, openai_address, openai_models
from worker.embed.connections import Connections
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.embed.remote import RemoteConfig
from worker.model import ModelId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.config.section import Section


class OpenAIConfig(RemoteConfig):
    """Settings of the OpenAI embedder."""

    MODELS = openai_models.MODELS
    PRICES_AS_OF = openai_models.AS_OF
    MOST_TEXTS = 2048

    model: str = Field(
        default="text-embedding-3-small",
        alias="embedder.model",
        min_length=1,
        description="Name of the model; on Azure the name of the deployment.",
    )
    base_url: str | None = Field(
        default=None,
        alias="embedder.base.url",
        description="Address of a server that speaks like OpenAI, up to before `/embeddings`, such "
        "as `http://vllm:8000/v1`; or of Azure OpenAI: `https://<name>.openai.azure.com`.",
    )
    api_version: str | None = Field(
        default=None,
        alias="embedder.api.version",
        pattern=r"^[A-Za-z0-9.-]+$",
        description="Azure only: its `api-version`; by default the last one that is generally "
        "available.",
    )
    texts_per_call: int = Field(
        default=256,
        alias="embedder.texts.per.call",
        ge=1,
        description="Texts in one call, at most; OpenAI takes 2048, other servers often fewer "
        "(text-embeddings-inference 32).",
    )
    text_tokens: int | None = Field(
        default=None,
        alias="embedder.text.tokens",
        ge=1,
        description="Tokens of one text that the model takes; OpenAI refuses longer ones, so they "
        "are cut before. By default the model's limit, and none for a model that is not known.",
    )


class OpenAIEmbedder:
    """``/v1/embeddings``. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = OpenAIConfig

    def __init__(self, config: OpenAIConfig) -> None:
        self._config = config
        base, version = config.base_url or openai_address.OPENAI, config.api_version
        self._endpoint = json_calls.Endpoint(
            provider="OpenAI" if config.base_url is None else "The OpenAI-compatible server",
            url=openai_address.url_of(base, config.model, version),
            headers=openai_address.headers_of(base, config.key, version),
            timeout_s=config.timeout_s,
        )
        self._connections = Connections(self.terms.account)
        self._parameters: dict[str, Any] = {"model": config.model, "encoding_format": "base64"}
        if config.shortened_to is not None:
            self._parameters["dimensions"] = config.shortened_to

    @property
    def model(self) -> ModelId:
        """Rows and questions are embedded alike."""
        return ModelId("openai", self._config.model, self._config.length)

    @property
    def limits(self) -> Limits:
        """OpenAI cuts no text."""
        known = self._config.known
        longest = known.text_tokens if known is not None else None
        return self._config.limits(self._config.text_tokens or longest)

    @property
    def terms(self) -> Terms:
        """OpenAI limits calls and tokens per minute."""
        base = self._config.base_url or openai_address.OPENAI
        return self._config.terms("openai", base.rstrip("/"))

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """One call. A text that is too long is refused, whatever ``overlong`` says."""
        del purpose, overlong
        length = self._config.length
        if not texts:
            return Embeddings(np.empty((0, length), np.float32), tokens=0)
        body = {**self._parameters, "input": list(texts)}
        return json_calls.embed(
            self._connections, self._endpoint, body, texts=len(texts), length=length
        )

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        self._connections.close()
