"""Rows of the table that histories are about, and the changes that a statement makes of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tests.stack.shops import Expected

if TYPE_CHECKING:
    from decimal import Decimal

FIELDS = "Name: name, body"
METADATA = "name, price, live"
WHEN = "live"
COLUMNS = ("id", "name", "body", "price", "live", "note")
LARGE = 9_000
"""Characters from which on a body is large: PostgreSQL keeps it out of line."""
_WORDS = ("oak", "pine", "steel", "wool", "soft", "light", "round", "tall", "warm", "grey", "für")


@dataclass(frozen=True, slots=True)
class Row:
    """A row; ``note`` is in no document."""

    id: int
    name: str | None
    body: str | None
    price: Decimal | None
    live: bool
    note: str | None = None

    @property
    def is_large(self) -> bool:
        """Whether PostgreSQL leaves its body out of updates that do not touch it."""
        return self.body is not None and len(self.body) >= LARGE

    @property
    def text(self) -> str | None:
        """What the index should have embedded; None if the row has no place in it."""
        if not self.live:
            return None
        name, body = (self.name or "").strip(), (self.body or "").strip()
        return "\n".join([*([f"Name: {name}"] if name else []), *([body] if body else [])]) or None

    @property
    def expected(self) -> Expected | None:
        """The point that it should be."""
        if self.text is None:
            return None
        price = None if self.price is None else float(self.price)
        metadata = {"name": self.name, "price": price, "live": self.live}
        return Expected(
            self.text, {key: value for key, value in metadata.items() if value is not None}
        )


@dataclass(frozen=True, slots=True)
class Written:
    """A row is there, or is there in another form."""

    row: Row
    moved_from: int | None = None
    """Its key before this change."""


@dataclass(frozen=True, slots=True)
class Gone:
    """No row has this key any more."""

    id: int
    moves: bool = False
    """Whether the row lives on under another key."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """The table was truncated."""


Change: TypeAlias = Written | Gone | Emptied


def large_text(opening: str, number: int) -> str:
    """The same for equal arguments, and longer than ``LARGE``."""
    draw = random.Random(number)
    words = [opening, f"large {number}"]
    size = 0
    while size < LARGE:
        words.append(f"{draw.choice(_WORDS)}{draw.randrange(10**6)}")
        size += len(words[-1]) + 1
    return " ".join(words)
