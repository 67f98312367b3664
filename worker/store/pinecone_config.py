"""Settings of the Pinecone store."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from worker.store.creation import Creation
from worker.store.place import Place


class PineconeConfig(Creation):
    """Which index of which project, and how it is made."""

    index: str = Field(
        alias="store.index",
        min_length=1,
        description="Name of an index made with dimension and metric.",
    )
    api_key: SecretStr = Field(alias="store.api.key", description="API key of the project.")
    url: str | None = Field(
        default=None,
        alias="store.url",
        description="Control plane, such as http://127.0.0.1:5080; by default Pinecone's own.",
    )
    host: str | None = Field(
        default=None,
        alias="store.host",
        description="Host of the index, for keys that may not ask the control plane.",
    )
    cloud: str = Field(
        default="aws",
        alias="store.cloud",
        description="Where a serverless index is made: the cloud.",
    )
    region: str = Field(
        default="us-east-1",
        alias="store.region",
        description="Where a serverless index is made: the cloud's region.",
    )
    settle_ms: int = Field(
        default=10_000,
        alias="store.settle.ms",
        ge=0,
        description="Longest time in milliseconds until a write is visible to every reader.",
    )

    @property
    def place(self) -> Place:
        """Where the index is answers the control plane, unless the settings say it."""
        return Place(self.index, url=f"//{(self.host or '').rpartition('//')[2]}")

    @field_validator("url")
    @classmethod
    def _check_url(cls, given: str | None) -> str | None:
        if given and (
            urlsplit(given).scheme not in {"http", "https"} or not urlsplit(given).netloc
        ):
            raise ValueError("a URL that begins with http:// or https://")
        return given
