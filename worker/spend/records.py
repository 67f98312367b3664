"""How reservations are written in the state topic.

    spend/2026-11-26/<pod>/7            {"tokens": 900, "price": 120000, "limit": [100000, null]}
    spend/2026-11-26/<pod>/7/settled    {"tokens": 310}
    spend/2026-11-26/<pod>/8            {"tokens": 700, "most": 1900, …}
    spend/2026-11-26/<pod>/8/settled    {"tokens": 640, "kept": true}

Each key is written once, so compaction takes nothing of a day before its keys are deleted. A
reservation carries price and limit, so that its verdict follows from the log alone, also while pods
with an old and a new configuration run side by side. One that counts on what the day's calls have
cost so far (``Density``) also says what the call can cost at most. What is kept, as no answer came,
says so, as it tells nothing of what calls cost. A pod's name is new with each start.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from worker.immutable import immutable
from worker.spend.amount import Amount, Limit

if TYPE_CHECKING:
    from worker.state.port import Value

PREFIX = "spend/"

_SETTLED = "settled"


class ClaimId(NamedTuple):
    """Which reservation."""

    day: date
    pod: str
    number: int

    @property
    def key(self) -> str:
        """Of its record."""
        return f"{PREFIX}{self.day.isoformat()}/{self.pod}/{self.number}"

    @property
    def settled_key(self) -> str:
        """Of the record that ends it."""
        return f"{self.key}/{_SETTLED}"


@immutable
class Claim:
    """A reservation as it is asked for."""

    tokens: int
    price: int
    """Picodollars per token."""
    limit: Limit
    most: int = 0
    """What the call can cost at most; 0: what is reserved."""

    @property
    def upper_bound(self) -> int:
        """Tokens that the call can cost at most."""
        return self.most or self.tokens

    @property
    def amount(self) -> Amount:
        """What it may cost."""
        return self.costs(self.tokens)

    def costs(self, tokens: int) -> Amount:
        """So many tokens at its price."""
        return Amount(tokens, tokens * self.price)

    @property
    def value(self) -> Value:
        """As it is written."""
        limit = [self.limit.tokens, self.limit.cost]
        most: Value = {"most": self.most} if self.most else {}
        return {"tokens": self.tokens, **most, "price": self.price, "limit": limit}


@immutable
class Settlement:
    """The tokens that a reservation ended with."""

    tokens: int
    is_kept: bool = False
    """Whether nobody knows what the call was billed."""

    @property
    def value(self) -> Value:
        """As it is written."""
        return {"tokens": self.tokens} | ({"kept": True} if self.is_kept else {})


class Key(NamedTuple):
    """A key, taken apart."""

    claim: ClaimId
    is_settlement: bool


def key_of(text: str) -> Key | None:
    """The parts of a key; None if it is not of this form."""
    parts = text.removeprefix(PREFIX).split("/")
    try:
        day, pod, number, *rest = parts
        claim = ClaimId(date.fromisoformat(day), pod, int(number))
    except ValueError:
        return None
    return Key(claim, bool(rest)) if rest in ([], [_SETTLED]) else None


def record_of(key: Key, value: Value) -> Claim | Settlement | None:
    """What a record says; None if it cannot be understood."""
    try:
        if key.is_settlement:
            return Settlement(int(value["tokens"]), bool(value.get("kept")))
        tokens, cost = (None if one is None else int(one) for one in value["limit"])
        limit = Limit(tokens, cost)
        return Claim(int(value["tokens"]), int(value["price"]), limit, int(value.get("most", 0)))
    except (KeyError, TypeError, ValueError):
        return None
