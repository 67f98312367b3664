"""What is asked of an embedder in one call, and on whose behalf."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Self

from worker.embed.port import Purpose
from worker.immutable import immutable
from worker.pipeline.cutting import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.pipeline.patience import Patience
    from worker.spend.port import Part


class OverBudgetError(Exception):
    """The budget does not cover a call, or not beside others; it covers ``left`` tokens."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} tokens are left of the budget")
        self.left = left


class NeverAnsweredError(Exception):
    """These texts together get no answer, again and again; fewer of them may."""


@immutable
class Errand:
    """On whose behalf a call is made."""

    patience: Patience
    check: Callable[[], None]
    """Raises if the answer would not be needed any more."""
    is_late: Callable[[], bool] = lambda: False
    """Whether to wait no longer for answers that have not come."""
    aside: Callable[[Order, int], None] = lambda order, tokens: None  # noqa: ARG005
    """Told of what was billed beside the answer, and of its tokens; 0: nobody says how many."""
    purpose: Purpose = Purpose.DOCUMENT


@immutable
class Order:
    """The texts of one call."""

    texts: Sequence[str]
    tokens: int
    """Estimated; the limits per minute are counted in it until the bill comes."""
    most_tokens: int
    """What it can cost at most."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """What each table has in it."""

    @classmethod
    def of_one(cls, text: str) -> Self:
        """A text that is no row's."""
        most = Size.of(text).most_tokens
        return cls([text], tokens=most, most_tokens=most)


PROBE = Order.of_one("A short text that every model can embed.")
"""Tells whether a provider works at all, for a few tokens."""
