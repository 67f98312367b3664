"""How many tokens texts have: counted where the model is at hand, else estimated by their bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

from worker.embed.port import CountsTokens
from worker.pipeline.cutting import SPECIAL_TOKENS, Size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.embed.port import Embedder

MOST_BYTES_PER_TOKEN = 6.0
"""Hardly any text has longer tokens than this on average: English has four to five."""
ASCII_BYTES_PER_TOKEN = 4.2
"""Of what is written in Latin letters without accents; other letters have shorter tokens."""


class Tokens(NamedTuple):
    """Tokens of a text, or of several."""

    low: int
    expected: int
    high: int
    """A safe upper bound."""


class Meter(Protocol):
    """Measures texts."""

    is_exact: bool

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each."""
        ...


class ByteMeter:
    """Estimates by the bytes; a text never has more tokens than bytes."""

    is_exact = False

    def __init__(self, bytes_per_token: float, longest: int | None) -> None:
        """``longest`` are the tokens after which a text is cut; None if that is not known."""
        self._bytes_per_token = bytes_per_token
        self._longest = math.inf if longest is None else longest

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """From the leanest tokens to one token for each byte."""
        return [self._of(Size.of(text), _ascii(text)) for text in texts]

    def _of(self, size: Size, ascii_bytes: int) -> Tokens:
        low = max(1, int(size.bytes / MOST_BYTES_PER_TOKEN))
        others = (size.bytes - ascii_bytes) / self._bytes_per_token
        expected = math.ceil(ascii_bytes / ASCII_BYTES_PER_TOKEN + others)
        most = size.bytes + SPECIAL_TOKENS
        return Tokens(self._cut(low), self._cut(expected), self._cut(most))

    def _cut(self, tokens: int) -> int:
        return int(min(tokens, self._longest))


def _ascii(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("ascii", "ignore"))


class CountingMeter:
    """Counts with the model's own tokenizer."""

    is_exact = True

    def __init__(self, embedder: CountsTokens) -> None:
        self._embedder = embedder

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """No doubt is left."""
        return [Tokens(count, count, count) for count in self._embedder.count(texts)]


def meter_of(embedder: Embedder) -> Meter:
    """The best that there is for an embedder."""
    if isinstance(embedder, CountsTokens):
        return CountingMeter(embedder)
    limits = embedder.limits
    return ByteMeter(limits.bytes_per_token, limits.text_tokens)
