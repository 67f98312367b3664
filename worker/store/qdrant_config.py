"""Settings of the Qdrant store."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from worker.config.values import Count
from worker.store.creation import Creation
from worker.store.pairs import Pairs
from worker.store.place import Place
from worker.store.stamp import OURS

IndexType: TypeAlias = Literal["bool", "datetime", "float", "integer", "keyword", "text", "uuid"]


def _is_free(name: str) -> bool:
    return bool(name) and not name.startswith(OURS)


_PAIRS: Final = Pairs(get_args(IndexType), _is_free, "category keyword, price float")


class QdrantConfig(Creation):
    """Which collection of which server, and how it is made."""

    index: str = Field(alias="store.index", min_length=1, description="Name of the collection.")
    url: str = Field(
        default="http://localhost:6333",
        alias="store.url",
        description="Address of the server's REST API.",
    )
    api_key: SecretStr | None = Field(
        default=None, alias="store.api.key", description="API key or JWT, where the server asks."
    )
    transport: Literal["rest", "grpc"] = Field(
        default="rest",
        alias="store.transport",
        description="`rest`, or `grpc` at the host of `store.url`.",
    )
    grpc_port: int = Field(
        default=6334,
        alias="store.grpc.port",
        ge=1,
        le=65_535,
        description="Port for `store.transport` `grpc`.",
    )
    vector: str = Field(
        default="",
        alias="store.vector",
        description="Name of the vector, in collections that have named ones.",
    )
    payload_indexes: Annotated[tuple[tuple[str, IndexType], ...], BeforeValidator(_PAIRS)] = Field(
        default=(),
        alias="store.payload.indexes",
        description="With `store.create`: metadata that is filtered by, and the type of its "
        "payload index, such as `category keyword, price float`.",
        json_schema_extra={"kind": "list"},
    )
    tombstone_ttl_ms: Count = Field(
        default=7 * 24 * 3600 * 1000,
        alias="store.tombstone.ttl.ms",
        description="Milliseconds that a deletion is remembered, against older writes that come "
        "after it.",
    )
    timeout_ms: Count = Field(
        default=30_000,
        alias="store.timeout.ms",
        description="Milliseconds for a request; then it is tried again.",
    )
    settle_ms: int = Field(
        default=0,
        alias="store.settle.ms",
        ge=0,
        description="Longest time in milliseconds until a write is visible to every reader.",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, given: str) -> str:
        parts = urlsplit(given)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("a URL that begins with http:// or https://")
        return given

    @property
    def place(self) -> Place:
        """Of gRPC the port is another one."""
        host = urlsplit(self.url).hostname or ""
        url = self.url if self.transport == "rest" else f"//{host}:{self.grpc_port}"
        return Place(self.index, url=url)

    @property
    def timeout_s(self) -> int:
        """Seconds for a request, of which the client takes whole ones."""
        return math.ceil(self.timeout_ms / 1000)
