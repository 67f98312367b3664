"""Rows of the tables that histories are about, and the changes that a statement makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tests.stack.histories.kinds import ODD_NAMES

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.stack.histories.kinds import Key, Odd

FIELDS = "Name: name, body"
METADATA = ", ".join(("name", "price", "live", "label", "grade", *ODD_NAMES))
WHEN = "live"
COLUMNS = ("name", "body", "price", "live", "note", "label", "grade", "odd")
"""Beside the key; ``odd`` says what the odd columns hold."""
GRADE = "grade"
"""A column that comes and goes."""
LARGE = 2_500
"""Characters from which on PostgreSQL keeps a text out of line; none has fewer, and more than half
as many."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row; ``note`` is in no document."""

    key: Key
    name: str | None
    body: str | None
    price: Decimal | None
    live: bool
    note: str | None = None
    label: str | None = None
    grade: int | None = None
    odd: int = 0

    @property
    def large(self) -> frozenset[str]:
        """Columns that PostgreSQL leaves out of updates that do not touch them."""
        texts = {"body": self.body, "label": self.label}
        return frozenset(name for name, text in texts.items() if text and len(text) >= LARGE)

    @property
    def text(self) -> str | None:
        """What the index should have embedded; None if the row has no place in it."""
        if not self.live:
            return None
        name, body = (_line(one) for one in (self.name, self.body))
        return "\n".join([*([f"Name: {name}"] if name else []), *([body] if body else [])]) or None

    def metadata(self, odd: Odd) -> dict[str, object]:
        """What goes with it."""
        price = None if self.price is None else float(self.price)
        held = {
            "name": self.name,
            "price": price,
            "live": self.live,
            "label": self.label,
            "grade": self.grade,
            **odd.choices[self.odd].metadata,
        }
        return {key: value for key, value in held.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Written:
    """A row is there, or is there in another form."""

    row: Row
    moved_from: Key | None = None
    """Its key before this change."""


@dataclass(frozen=True, slots=True)
class Gone:
    """No row has this key any more."""

    key: Key
    moves: bool = False
    """Whether the row lives on under another key."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """The table was truncated."""


Change: TypeAlias = Written | Gone | Emptied


def _line(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()
