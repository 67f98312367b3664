"""What the pipeline needs of an embedding backend: one call, texts to vectors.

A backend knows its provider's words and nothing else. Cutting texts into calls, waiting for limits
and outages, finding the text that a provider refuses, and counting the money is done once for all
of them, in ``worker.pipeline.embedding``.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from worker.immutable import immutable
from worker.throttle.rates import Rates

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


class Overlong(StrEnum):
    """What becomes of a text over the model's limit (``document.overlong``)."""

    TRUNCATE = "truncate"
    """Its beginning is embedded."""
    FAIL = "fail"
    """It is refused."""


@immutable
class Limits:
    """What one call takes, as data."""

    texts: int
    """Texts per call; batches are filled up to a multiple of it."""
    in_flight: int
    """Calls that may run side by side."""
    tokens: int | None = None
    """Tokens per call, of all texts together; None is no limit."""
    text_tokens: int | None = None
    """Tokens of one text; None where the backend cuts texts by itself."""
    longest_text: int | None = None
    """Tokens that the model takes of one text, those that it adds not counted; None where nobody
    knows."""
    bytes_per_token: float = 3.0
    """Of UTF-8, for estimates; a text never has more tokens than bytes."""


@immutable
class Price:
    """What a provider takes."""

    usd_per_million_tokens: float
    as_of: str
    """The day on which it was looked up, as YYYY-MM-DD; empty if the connector says it."""

    def usd(self, tokens: float) -> float:
        """What so many tokens cost."""
        return tokens * self.usd_per_million_tokens / 1e6


@immutable
class Terms:
    """Whose account a call goes to, how much of it there is, and what it costs."""

    account: str
    """Provider, address and a digest of the key: embedders of one account share its limits."""
    rates: Rates = field(default_factory=Rates)
    price: Price | None = None
    """None: it costs nothing, or nobody knows."""


@immutable(eq=False)
class Embeddings:
    """The answer to one call."""

    vectors: NDArray[np.float32]
    """Shape (texts, dimensions); the rows of refused texts are undefined."""
    tokens: int
    """Tokens as the provider bills them; 0 if it does not say."""
    refused: Mapping[int, RecordError] = field(default_factory=dict)
    """By index: texts that cannot be embedded, while their neighbours could."""
    truncated: int = 0
    """Texts of which only the beginning was embedded, as far as the backend knows."""


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

    @property
    def terms(self) -> Terms:
        """Account, limits per minute and price."""
        ...

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """One call, with at most ``limits.texts`` non-empty texts; never tries twice.

        Raises:
            RetriableError: the provider is away; ``LimitedError`` if it asks to slow down,
                ``UnansweredError`` if it may have done the work and billed it.
            RecordError: it refuses the call, perhaps for the sake of one of the texts.
            FatalError: it would refuse everything (key, quota, model).
        """
        ...

    def close(self) -> None:
        """Release connections or memory."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """An embedder that has its model's tokenizer at hand, so that nothing has to be estimated."""

    def count(self, texts: Sequence[str]) -> Sequence[int]:
        """Tokens of each text as ``embed`` counts them, without computing anything."""
        ...


@runtime_checkable
class HasTokenizer(Protocol):
    """An embedder that can give its model's tokenizer away."""

    @property
    def tokenizer(self) -> str | None:
        """As JSON of Hugging Face's tokenizers; None if this model has none of that kind."""
        ...
