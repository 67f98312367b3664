"""What calls of an embedding provider came to."""

from __future__ import annotations

from worker.immutable import immutable


@immutable
class Bill:
    """Calls, texts and tokens; add them up with ``+``."""

    requests: int = 0
    """Calls that were answered, refusals included."""
    texts: int = 0
    """Texts that were embedded."""
    tokens: int = 0
    """As the provider bills them; an estimate where it does not say."""
    usd: float = 0.0
    """At the price that is known; 0 without one."""
    truncated: int = 0
    """Texts of which only the beginning was embedded, as far as the backend knows."""
    estimated: int = 0
    """Those of the tokens of which the provider did not say that it bills them."""

    def __add__(self, other: Bill) -> Bill:
        return Bill(
            self.requests + other.requests,
            self.texts + other.texts,
            self.tokens + other.tokens,
            self.usd + other.usd,
            self.truncated + other.truncated,
            self.estimated + other.estimated,
        )
