"""Texts of like length together, so that a model computes little padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BYTES_PER_TOKEN = 4
"""Of UTF-8, about right for subword vocabularies; the bound is about memory, not about money."""


def estimated_tokens(text: str, longest: int) -> int:
    """Tokens that a model sees of a text, which it cuts off at ``longest``."""
    return min(longest, 2 + len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def by_length(
    tokens: Sequence[int], bound: int, among: Iterable[int] | None = None
) -> Iterator[list[int]]:
    """Indexes (of all, or ``among`` these) in batches; padded, one has at most ``bound`` tokens.

    A text that is longer than the bound stands alone. The longest come first, so that memory that
    does not suffice shows at once.
    """
    chosen = range(len(tokens)) if among is None else among
    order = sorted(chosen, key=lambda index: -tokens[index])
    start = 0
    while start < len(order):
        rows = max(1, bound // max(1, tokens[order[start]]))
        yield order[start : start + rows]
        start += rows
