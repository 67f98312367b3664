"""What calls really cost of their upper bound, as seen in those of the day that are settled.

A text has at most as many tokens as bytes, and mostly a quarter of that. While much of a budget is
left the upper bound only costs a little patience; at the end it would leave a part unused that a
few long texts still fit into.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_MARGIN = 1.5
"""Over the densest call seen."""
_ENOUGH = 3
"""Calls from which something can be learned."""
_SMALL_MARGIN = 1.2
"""Where calls are alike: ``_MANY`` at least, the densest no more than this above the leanest."""
_MANY = 5


@dataclass(slots=True)
class _Seen:
    calls: int = 0
    densest: float = 0.0
    leanest: float = math.inf


class Density:
    """Not thread-safe. The same calls in any order come to the same numbers."""

    def __init__(self) -> None:
        self._by_size: dict[int, _Seen] = {}
        """By binary digits of the upper bound."""

    def learn(self, most: int, billed: int) -> None:
        """A call that could cost ``most`` tokens was billed."""
        seen = self._by_size.setdefault(most.bit_length(), _Seen())
        seen.calls += 1
        seen.densest = max(seen.densest, billed / most)
        seen.leanest = min(seen.leanest, billed / most)

    def share(self, above: int) -> float:
        """What part of its upper bound a call costs at most, for bounds above so many tokens.

        1 as long as nobody knows. What small texts cost says little of a large one.
        """
        digits = above.bit_length() - 1
        near = [seen for size, seen in self._by_size.items() if size >= digits]
        calls = sum(seen.calls for seen in near)
        if calls < _ENOUGH:
            return 1.0
        densest = max(seen.densest for seen in near)
        leanest = min(seen.leanest for seen in near)
        are_alike = calls >= _MANY and densest <= _SMALL_MARGIN * leanest
        return min(1.0, (_SMALL_MARGIN if are_alike else _MARGIN) * densest)
