"""How numbers are spread: a histogram that is cheap to add to."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Spread:
    """Written by one thread, or under a lock; read by others, a moment late at worst."""

    __slots__ = ("bounds", "counts", "least", "most", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """``bounds`` are the upper bounds of the buckets, growing; one more bucket has none."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.least, self.most = math.inf, -math.inf

    def add(self, number: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, number)] += 1
        self.total += number
        self.least, self.most = min(self.least, number), max(self.most, number)

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def merged(self, other: Spread) -> Spread:
        """Both together, of the same bounds, as a new object."""
        made = Spread(self.bounds)
        made.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        made.total = self.total + other.total
        made.least, made.most = min(self.least, other.least), max(self.most, other.most)
        return made
