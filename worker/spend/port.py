"""What the pipeline needs of a budget: a reservation before each call, and its end after it.

The way of a call, for any purse:

    while (reservation := purse.reserve(tokens, parts)) is None:
        # try with fewer texts, of at most left() tokens; or, by outlook(one text): wait, or pause
    answer        -> reservation.settle(tokens billed)
    surely unpaid -> reservation.cancel()
    no answer     -> reservation.keep(tokens probably billed)
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from worker.immutable import immutable
from worker.spend.amount import dollars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


class Outlook(StrEnum):
    """Whether a call of some size can be made today."""

    FITS = "fits"
    """There is room for it now."""
    LATER = "later"
    """Others hold reservations that will probably leave room when they are settled: try again in
    some tenths of a second."""
    SPENT = "spent"
    """Not before the day turns or the budget is raised."""


class BudgetState(StrEnum):
    """How a connector stands today."""

    OPEN = "open"
    WARNED = "warned"
    """At least 80 % are spent."""
    SPENT = "spent"
    """What is left is too little for what was asked last: the connector pauses."""


class Part(NamedTuple):
    """What one table has in a call."""

    inputs: int
    """Texts."""
    size: int
    """By which the call's tokens are divided among its tables."""


@immutable
class TableSpend:
    """What went into one table's rows."""

    tokens: int = 0
    inputs: int = 0
    """Texts."""
    requests: int = 0
    """Calls with at least one of its texts: a call may count for several tables."""
    usd: float | None = None
    """None where no price is known."""


@immutable
class Spent:
    """What all pods of the group spent on one day."""

    day: date
    """In UTC."""
    tokens: int = 0
    """Billed, or perhaps billed."""
    usd: float | None = None
    """None where no price is known."""
    inputs: int = 0
    """Texts. This, requests and tables lag by up to a minute for other pods."""
    requests: int = 0
    tables: Mapping[str, TableSpend] = field(default_factory=dict)


@immutable
class Report:
    """How a connector stands."""

    spent: Spent
    state: BudgetState
    turns_at: datetime
    """When the next day begins."""
    reserved_tokens: int = 0
    """Of calls under way, and of pods that died in one."""
    limit_tokens: int | None = None
    limit_usd: float | None = None

    @property
    def share(self) -> float | None:
        """Spent, of the limit that is reached first; 1 is all of it. None without a budget."""
        spent = self.spent
        shares = []
        if self.limit_tokens is not None:
            shares.append(spent.tokens / self.limit_tokens)
        if self.limit_usd is not None:
            shares.append((spent.usd or 0.0) / self.limit_usd)
        return max(shares, default=None)

    @property
    def used(self) -> str | None:
        """In words; None without a budget."""
        spent = self.spent
        return used_in_words(spent.tokens, spent.usd, self.limit_tokens, self.limit_usd)


def used_in_words(
    tokens: int, usd: float | None, limit_tokens: int | None, limit_usd: float | None
) -> str | None:
    """How much of a budget is spent, such as ``$0.410000 of $5 spent``; None without limits."""
    parts = []
    if limit_usd is not None:
        parts.append(f"{dollars(usd or 0.0)} of ${limit_usd:,g}")
    if limit_tokens is not None:
        parts.append(f"{tokens:,} of {limit_tokens:,} tokens")
    return f"{' and '.join(parts)} spent" if parts else None


class Reservation(Protocol):
    """Tokens that one call may cost. It ends once: what is called first counts.

    Ending it never fails and waits for nothing. A reservation that is not ended, as its pod died,
    stays spent for its day.
    """

    @property
    def tokens(self) -> int:
        """How many were reserved; the upper bound of the call, or less by what others have cost."""
        ...

    def settle(self, tokens: int) -> None:
        """The provider billed so many; the others are free again."""
        ...

    def cancel(self) -> None:
        """The call was surely not billed: all are free again."""
        ...

    def keep(self, probably: int) -> None:
        """No answer came, and it may have been billed: what such a call may cost stays spent.

        That is all of it while the day has shown nothing of what calls cost. Totals say
        ``probably``.
        """
        ...


class Purse(Protocol):
    """The budget of a connector, shared by the pods of its group. Thread-safe."""

    def left(self) -> int | None:
        """The largest upper bound that a reservation made now may have; None is no limit.

        As far as this pod knows; ``reserve`` has the group's verdict. Never blocks.
        """
        ...

    def reserve(self, tokens: int, parts: Mapping[str, Part] | None = None) -> Reservation | None:
        """Reserve before a call; None if it does not fit. May take a round trip to Kafka.

        Args:
            tokens: an upper bound of what will be billed.
            parts: what each table has in the call, for the totals.

        Raises:
            RetriableError: the state topic is away; nothing is reserved for long.
            FatalError: it can be written or read no more.
        """
        ...

    def outlook(self, tokens: int) -> Outlook:
        """Whether a call of so many tokens can be made today. Never blocks.

        To be asked for the smallest piece of the work: where that is spent, ``report`` says so.
        """
        ...

    def report(self) -> Report:
        """How the connector stands. Never blocks."""
        ...

    def tick(self) -> None:
        """Hand totals to the state topic if a minute has passed. Never blocks; called often."""
        ...

    def close(self) -> None:
        """Hand the last totals to the state topic, which is closed by its owner."""
        ...
