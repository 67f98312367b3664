"""Two small plug-ins, and the surroundings in which connectors are read in these tests."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr, field_validator

from worker.config.read import Check, Plugins, Reading, Surroundings, read_connector
from worker.config.section import Section
from worker.config.worker import WorkerConfig
from worker.plugins import EMBEDDERS, STORES, Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = "tests.unit.config.tiny_plugins"

VALID = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "shop.products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "tiny",
    "store": "shelf",
    "store.index": "main",
    "store.api.key": "pc-123456",
}


class TinyConfig(Section):
    model: str = Field(default="small", alias="embedder.model", description="Its model.")
    dimensions: int = Field(default=8, alias="embedder.dimensions", ge=1, description="Length.")


class DearConfig(TinyConfig):
    price: float | None = Field(
        default=None, alias="embedder.price.usd.per.million.tokens", description="Its price."
    )


class ShelfConfig(Section):
    index: str = Field(alias="store.index", description="Its index.")
    api_key: SecretStr = Field(alias="store.api.key", description="Its key.")
    url: str = Field(default="http://localhost", alias="store.url", description="Its address.")

    @field_validator("url")
    @classmethod
    def _check(cls, url: str) -> str:
        if not url.startswith("http"):
            raise ValueError(f"{url} is no URL")
        return url

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value().startswith("bad"):
            raise ValueError(f"the key {key.get_secret_value()} is bad")
        return key


class Tiny:
    Config: ClassVar[type[Section]] = TinyConfig


class Dear:
    Config: ClassVar[type[Section]] = DearConfig


class Shelf:
    Config: ClassVar[type[Section]] = ShelfConfig


PLUGINS = Plugins(
    embedders=Registry(
        EMBEDDERS,
        [
            EntryPoint("tiny", f"{_HERE}:Tiny", EMBEDDERS),
            EntryPoint("dear", f"{_HERE}:Dear", EMBEDDERS),
            EntryPoint("heavy", "library_that_nobody_has:Heavy", EMBEDDERS),
        ],
    ),
    stores=Registry(STORES, [EntryPoint("shelf", f"{_HERE}:Shelf", STORES)]),
)


def surroundings(
    environ: Mapping[str, str] | None = None,
    worker: WorkerConfig | None = None,
    checks: tuple[Check, ...] = (),
) -> Surroundings:
    return Surroundings(worker or WorkerConfig(), environ or {}, PLUGINS, checks)


def read(
    changes: Mapping[str, str | None] | None = None, environ: Mapping[str, str] | None = None
) -> Reading:
    """A valid connector with some keys changed; None takes a key away."""
    merged: dict[str, str | None] = {**VALID, **(changes or {})}
    raw = {key: value for key, value in merged.items() if value is not None}
    return read_connector(raw, surroundings(environ), file="x.json")
