"""Settings of the Weaviate store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from worker.config.values import Count
from worker.errors import ConfigError, FatalError
from worker.store.creation import Creation
from worker.store.pairs import Pairs
from worker.store.place import Place
from worker.store.weaviate_tenants import tenant_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PropertyType: TypeAlias = Literal["text", "number", "boolean", "text[]"]

_PROPERTY: Final = re.compile(r"[a-z][_0-9A-Za-z]{0,230}")
"""Of Weaviate's names (GraphQL's) those that its clients leave as they are."""
_RESERVED: Final = frozenset({"id", "vector"})
_COLLECTION: Final = re.compile(r"[A-Z][_0-9A-Za-z]{0,254}")


def _is_free(name: str) -> bool:
    return _PROPERTY.fullmatch(name) is not None and name not in _RESERVED


_PAIRS: Final = Pairs(
    get_args(PropertyType),
    _is_free,
    "category text, price number",
    "names begin with a small letter, have letters, digits and underscores, and are neither id "
    "nor vector",
)


class WeaviateConfig(Creation):
    """Which collection of which server, and how it is made."""

    index: str = Field(
        alias="store.index",
        description="Name of the collection, which begins with a capital letter; or of its alias.",
    )
    url: str = Field(
        default="http://localhost:8080",
        alias="store.url",
        description="Address of the server's REST API.",
    )
    grpc_address: str | None = Field(
        default=None,
        alias="store.grpc.address",
        description="`host:port` of the server's gRPC API, with TLS if `store.url` is `https`; by "
        "default port 50051 of the host of `store.url`.",
    )
    api_key: SecretStr | None = Field(
        default=None, alias="store.api.key", description="API key, where the server asks."
    )
    properties: Annotated[tuple[tuple[str, PropertyType], ...], BeforeValidator(_PAIRS)] = Field(
        default=(),
        alias="store.properties",
        description="Metadata that is kept as properties of their own, to filter by and to read, "
        "such as `category text, price number, live boolean, tags text[]`. Values of another type "
        "are absent there.",
        json_schema_extra={"kind": "list"},
    )
    timeout_ms: Count = Field(
        default=30_000,
        alias="store.timeout.ms",
        description="Milliseconds for a request; then it is tried again.",
    )
    settle_ms: int = Field(
        default=1_000,
        alias="store.settle.ms",
        ge=0,
        description="Longest time in milliseconds until a write is visible to every reader. A "
        "server of one node shows it at once.",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, given: str) -> str:
        parts = urlsplit(given)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a URL that begins with http:// or https://")
        return given.rstrip("/")

    @field_validator("index")
    @classmethod
    def _check_index(cls, given: str) -> str:
        if not _COLLECTION.fullmatch(given):
            raise ValueError(
                "a name that begins with a capital letter and has letters, digits and underscores"
            )
        return given

    def expect_namespace(self, namespace: str) -> None:
        """Whether there can be a tenant for it.

        Raises:
            ConfigError: its name would be too long.
        """
        try:
            tenant_of(namespace)
        except FatalError as error:
            raise ConfigError(str(error)) from error

    @property
    def place(self) -> Place:
        """Points go over gRPC, to the other address."""
        return Place(self.index, url=f"//{self.grpc_target}")

    @property
    def typed(self) -> Mapping[str, PropertyType]:
        """Metadata keys that are properties, and their types."""
        return dict(self.properties)

    @property
    def timeout_s(self) -> float:
        """Seconds for a request."""
        return self.timeout_ms / 1000

    @property
    def grpc_target(self) -> str:
        """Where gRPC is spoken."""
        host = urlsplit(self.url).hostname or ""
        return self.grpc_address or (f"[{host}]:50051" if ":" in host else f"{host}:50051")

    @property
    def is_secure(self) -> bool:
        """Whether both APIs speak TLS."""
        return self.url.startswith("https:")

    @property
    def login(self) -> Mapping[str, str]:
        """What each request carries."""
        if self.api_key is None:
            return {}
        return {"authorization": f"Bearer {self.api_key.get_secret_value()}"}
