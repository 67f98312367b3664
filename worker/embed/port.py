"""What the pipeline needs of an embedding backend: texts to vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from worker.errors import RecordError
    from worker.model import ModelId


class Purpose(StrEnum):
    """Many models embed stored texts and questions differently."""

    DOCUMENT = "document"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call takes, as data."""

    texts: int
    """Texts per call; batches are filled up to a multiple of it."""
    in_flight: int
    """Calls that may run side by side."""


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """The answer to one call of ``embed``."""

    vectors: NDArray[np.float32]
    """Shape (texts, dimensions); the rows of refused texts are undefined."""
    tokens: int
    """Tokens as the provider bills them; 0 if it does not say."""
    refused: Mapping[int, RecordError] = field(default_factory=dict)
    """By index: texts that cannot be embedded, while their neighbours could."""


class Embedder(Protocol):
    """An embedding model. Safe to call from several threads at once."""

    @property
    def model(self) -> ModelId:
        """Identity of the vectors it makes. May load a model the first time."""
        ...

    @property
    def limits(self) -> Limits:
        """Limits of one call."""
        ...

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        """Embed any number of non-empty texts; cuts into calls by itself.

        Raises:
            RetriableError: the provider is away or overloaded.
            FatalError: it would refuse everything (key, model, dimension).
        """
        ...

    def close(self) -> None:
        """Release connections or memory."""
        ...
