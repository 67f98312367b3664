"""What random rows hold: short and long texts, common and new ones, odd ones, none."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.stack.histories.rows import LARGE, Row

if TYPE_CHECKING:
    from tests.stack.histories.kinds import Key, Odd

_WORDS = ("oak", "pine", "steel", "wool", "soft", "light", "round", "tall", "warm", "grey", "für")
_PARAGRAPH = 1_000
"""Characters: one is small, three are large."""
_BREAK = "\n\n"


class Values:
    """Draws them for one table."""

    def __init__(self, draw: random.Random, opening: str, odd: Odd) -> None:
        """``opening`` is how its texts begin, so that those of several tables differ."""
        self._draw = draw
        self._opening = opening
        self._odd = odd
        self._numbers = 0

    def row(self, key: Key, *, has_grade: bool) -> Row:
        """A new one."""
        return Row(
            key,
            self.name(),
            self.body(),
            self.price(),
            live=self._draw.random() < 0.85,
            note=self.note(),
            label=self.label(),
            grade=self.grade() if has_grade else None,
            odd=self.odd(),
        )

    def name(self) -> str | None:
        """Of the text."""
        number = self._number()
        return self._draw.choice(
            [
                f"{self._opening} new {number}",
                f"{self._opening} new {number}",
                f"{self._opening} common {number % 7}",
                f"  {self._opening} blanks {number % 50} ",
                f"{self._opening} Größe 雨 👩‍👩‍👧‍👦 e\u0301 {number % 50}",
                f'{self._opening} "quotes" \'n {{ braces }} %s {number % 50}',
                "",
                None,
            ]
        )

    def body(self) -> str | None:
        """Of the text, too."""
        number = self._number()
        return self._draw.choice(
            [
                self._paragraphs(number, 3),
                self._paragraphs(number, 9),
                self._paragraphs(number % 5, 4),
                self._paragraphs(number, self._draw.choice([1, 5, 25])),
                f"{self._opening} short {number}",
                f"{self._opening} short\r\nand common {number % 7}",
                "",
                None,
            ]
        )

    def edited(self, body: str | None) -> str | None:
        """The same with a paragraph more, less, or another one; never of two."""
        parts = (body or "").split(_BREAK)
        if len(parts) < 3:
            return self._paragraphs(self._number(), 3)
        place = self._draw.randrange(len(parts))
        new = self._paragraph(self._number())
        match self._draw.choice(["more", "less", "other", "short", "turned"]):
            case "more":
                parts.insert(place, new)
            case "less" if len(parts) > 3:
                del parts[place]
            case "short":
                parts = parts[:1]
            case "turned":
                parts.reverse()
            case _:
                parts[place] = new
        return _BREAK.join(parts)

    def label(self) -> str | None:
        """Metadata, sometimes large."""
        number = self._number()
        large = f"label {number} " * (LARGE // 6)
        return self._draw.choice([None, f"label {number}", large])

    def price(self) -> Decimal | None:
        return self._draw.choice([None, Decimal(self._draw.randrange(10**6)) / 100])

    def grade(self) -> int | None:
        return self._draw.choice([None, 1, 2, 3])

    def odd(self) -> int:
        return self._draw.randrange(len(self._odd.choices))

    def note(self) -> str:
        """In no document."""
        return f"note {self._number()}"

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _paragraphs(self, number: int, count: int) -> str:
        return _BREAK.join(self._paragraph(1_000 * number + place) for place in range(count))

    def _paragraph(self, number: int) -> str:
        """The same for equal numbers."""
        draw = random.Random(number)
        words = [self._opening, f"part {number}"]
        while sum(map(len, words)) + len(words) < _PARAGRAPH:
            words.append(f"{draw.choice(_WORDS)}{draw.randrange(10**6)}")
        return " ".join(words)
