"""Where embeddings are asked for: OpenAI, a server like it, or Azure in its two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENAI: Final = "https://api.openai.com/v1"

_AZURE: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_AZURE_VERSION: Final = "2024-10-21"
"""The last dated version that is generally available; ``/openai/v1`` needs none."""


def url_of(base: str, model: str, version: str | None) -> str:
    """The address to send texts to.

    Args:
        base: as in ``embedder.base.url``.
        model: on Azure the name of the deployment.
        version: ``embedder.api.version``; it also says that a server is Azure's.
    """
    base = base.rstrip("/")
    if not is_azure(base, version):
        return f"{base}/embeddings"
    query = f"?api-version={version or _AZURE_VERSION}"
    if base.endswith("/openai/v1"):
        return f"{base}/embeddings{query if version else ''}"
    if "/deployments/" in base:
        return f"{base}/embeddings{query}"
    root = base.removesuffix("/openai")
    return f"{root}/openai/deployments/{quote(model, safe='')}/embeddings{query}"


def headers_of(base: str, key: str, version: str | None) -> Mapping[str, str]:
    """How the key is shown."""
    if not key:
        return {}
    return {"api-key": key} if is_azure(base, version) else {"authorization": f"Bearer {key}"}


def is_azure(base: str, version: str | None) -> bool:
    """Whether the server is Azure's, by its name or because a version is asked for."""
    return version is not None or (urlsplit(base).hostname or "").endswith(_AZURE)
