"""Texts cut into calls that are as full as a provider's limits allow; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.embed.port import Limits

SPECIAL_TOKENS = 8
"""Models put a few tokens around each text; some providers bill them."""


@immutable
class Size:
    """How large a text is."""

    bytes: int
    """Of UTF-8."""

    @classmethod
    def of(cls, text: str) -> Size:
        """Lone surrogates count as what they are replaced by."""
        return cls(len(text.encode("utf-8", "replace")))

    @property
    def most_tokens(self) -> int:
        """More tokens than this it never has, as each has at least one byte."""
        return self.bytes + SPECIAL_TOKENS


def shortened(text: str, most_bytes: int) -> str:
    """The beginning of a text, of at most so many bytes of UTF-8, cut between words if there are.

    No character is torn.
    """
    head = text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")
    words = head.rsplit(maxsplit=1)
    is_torn = len(words) > 1 and len(head) < len(text) and not text[len(head)].isspace()
    return words[0] if is_torn and len(words[1]) < _LONGEST_WORD else head


_LONGEST_WORD = 100


@immutable
class Measure:
    """What one call may hold."""

    texts: int
    tokens: float
    """Estimated, of all texts together."""
    bytes_per_token: float

    @classmethod
    def of(cls, limits: Limits, most_inputs: int | None, most_tokens: int | None) -> Measure:
        """The provider's limits for a call, and what our limits per minute can ever let pass."""
        return cls(
            texts=min(limits.texts, most_inputs or limits.texts),
            tokens=min(limits.tokens or math.inf, most_tokens or math.inf),
            bytes_per_token=limits.bytes_per_token,
        )

    def tokens_of(self, size: Size) -> int:
        """About how many tokens a text has."""
        return math.ceil(size.bytes / self.bytes_per_token) + SPECIAL_TOKENS


def cut(sizes: Sequence[Size], measure: Measure) -> list[list[int]]:
    """Indexes of the texts, call by call and in order; what is too large for any stands alone."""
    calls: list[list[int]] = []
    call: list[int] = []
    tokens = 0
    for index, size in enumerate(sizes):
        more = measure.tokens_of(size)
        if call and (len(call) == measure.texts or tokens + more > measure.tokens):
            calls.append(call)
            call, tokens = [], 0
        call.append(index)
        tokens += more
    if call:
        calls.append(call)
    return calls
