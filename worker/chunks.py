"""How a connector's texts are cut, by its keys and by what its model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.document.chunking import Chunking
from worker.embed.port import HasTokenizer
from worker.errors import ConfigError
from worker.pipeline.model_guard import Form

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig
    from worker.embed.port import Embedder


def chunking_of(config: ConnectorConfig, embedder: Embedder) -> Chunking | None:
    """How the connector's texts are cut; None if they stay whole. May load a model.

    Raises:
        ConfigError: a chunk could have more tokens than the model takes.
        FatalError: the model's tokenizer cannot be used.
    """
    tokens, overlap = config.document.chunk_tokens, config.document.chunk_overlap
    if tokens == 0:
        return None
    own = embedder.tokenizer if isinstance(embedder, HasTokenizer) else None
    longest = embedder.limits.longest_text
    if longest is not None:
        _check_chunks(tokens, longest if own is not None else longest // 2, longest)
    return Chunking(tokens, overlap, own)


def form_of(config: ConnectorConfig) -> Form:
    """What the connector's points are."""
    return Form.CHUNKS if config.document.chunk_tokens else Form.WHOLE


def _check_chunks(tokens: int, most: int, longest: int) -> None:
    """With another model's tokenizer a text of usual languages can have almost twice as many."""
    if tokens <= most:
        return
    why = "" if most == longest else ", half of that, as its tokens can only be estimated"
    raise ConfigError(
        f"document.chunk.tokens: the model takes {longest:,} tokens of a text; "
        f"expected at most {most:,}{why}"
    )
