"""Tokens and what they cost, in whole numbers, so that every pod comes to the same sums.

Money is counted in picodollars (10⁻¹² USD): a price per million tokens is a whole number of them
per token.
"""

from __future__ import annotations

from worker.errors import ConfigError
from worker.immutable import immutable

PICODOLLARS = 10**12
"""In one dollar."""
_PICODOLLARS_PER_TOKEN = 10**6
"""At one dollar per million tokens."""


@immutable
class Amount:
    """Tokens, and their cost in picodollars."""

    tokens: int = 0
    cost: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.tokens - other.tokens, self.cost - other.cost)

    @property
    def usd(self) -> float:
        """The cost in dollars."""
        return self.cost / PICODOLLARS


@immutable
class Limit:
    """The most that may be spent on a day; None is no limit."""

    tokens: int | None = None
    cost: int | None = None

    def allows(self, amount: Amount) -> bool:
        """Whether so much may be spent in all."""
        return (self.tokens is None or amount.tokens <= self.tokens) and (
            self.cost is None or amount.cost <= self.cost
        )

    def tokens_beside(self, held: Amount, price: int) -> int:
        """Tokens that fit beside what is held, at picodollars per token."""
        fitting = []
        if self.tokens is not None:
            fitting.append(self.tokens - held.tokens)
        if self.cost is not None:
            room = self.cost - held.cost
            fitting.append(room // price if price else _ANY_NUMBER)
        return max(0, min(fitting, default=_ANY_NUMBER))

    def share(self, amount: Amount) -> float:
        """How much of the limit that is; the larger share where there are two limits."""
        shares = [0.0]
        if self.tokens:
            shares.append(amount.tokens / self.tokens)
        if self.cost:
            shares.append(amount.cost / self.cost)
        return max(shares)


_ANY_NUMBER = 2**62


@immutable
class Budget:
    """A connector's limits and what it pays."""

    limit: Limit
    price: int = 0
    """Picodollars per token; 0 if nobody knows."""


def dollars(usd: float) -> str:
    """As every command writes it, with as many digits as a few embeddings need."""
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:,.6f}"


def budget_of(
    *, tokens_per_day: int | None, usd_per_day: float | None, usd_per_million_tokens: float | None
) -> Budget | None:
    """From settings and the embedder's price; None without a budget.

    Raises:
        ConfigError: a budget in dollars, and no price.
    """
    if tokens_per_day is None and usd_per_day is None:
        return None
    if usd_per_day is not None and usd_per_million_tokens is None:
        raise ConfigError(
            "budget.usd.per.day: the price of this embedder's model is not known: set "
            "embedder.price.usd.per.million.tokens, or use budget.tokens.per.day"
        )
    cost = None if usd_per_day is None else round(usd_per_day * PICODOLLARS)
    return Budget(Limit(tokens_per_day, cost), price_of(usd_per_million_tokens))


def price_of(usd_per_million_tokens: float | None) -> int:
    """Picodollars per token; 0 if the price is not known."""
    return round((usd_per_million_tokens or 0.0) * _PICODOLLARS_PER_TOKEN)
