"""What is known of a provider's model, as data; each provider has a table of these."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from worker.embed.port import Price
from worker.immutable import immutable
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Sequence


@immutable
class KnownModel:
    """A row of the table."""

    lengths: Sequence[int]
    """The numbers of dimensions that it can make."""
    default: int
    """What it makes if nobody says."""
    text_tokens: int
    """Tokens of one text; what is longer is cut off or refused."""
    call_tokens: int | None = None
    """Tokens of a call, all texts together; None if the provider names no limit."""
    usd: float | None = None
    """Per million tokens; None if the provider names no price."""
    rates: Rates = field(default_factory=Rates)
    """Per minute and account, as published for the smallest paying account."""

    @property
    def is_shortened(self) -> bool:
        """Whether it can make more than one length, so that a call has to say which."""
        return len(self.lengths) > 1

    def price(self, as_of: str) -> Price | None:
        """What it costs, as looked up on that day (YYYY-MM-DD)."""
        return None if self.usd is None else Price(self.usd, as_of)

    @property
    def choices(self) -> str:
        """Its lengths for people: ``1024``, ``one of 256, 512`` or ``from 1 to 1536``."""
        if isinstance(self.lengths, range):
            return f"from {self.lengths[0]} to {self.lengths[-1]}"
        names = ", ".join(map(str, self.lengths))
        return f"one of {names}" if self.is_shortened else names
