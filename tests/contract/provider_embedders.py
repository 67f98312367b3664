"""The providers' embedders, opened on a server of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.plugins import EMBEDDERS, Registry

if TYPE_CHECKING:
    from worker.embed.port import Embedder
    from worker.provider_local.server import ProviderLocal

KEY = "sk-a-very-secret-key"
PATHS = {"cohere": "/cohere", "openai": "/openai/v1", "voyage": "/voyage/v1"}


def opened(
    server: ProviderLocal, provider: str, keys: dict[str, str] | None = None, *, path: str = ""
) -> Embedder:
    """The embedder of this name, with the server as its provider."""
    plugin = Registry(EMBEDDERS).load(provider)
    common = {
        "embedder.base.url": server.url + (path or PATHS[provider]),
        "embedder.api.key": KEY,
        "embedder.timeout.ms": "20000",
    }
    made: Embedder = plugin(plugin.Config.model_validate({**common, **(keys or {})}))
    return made
