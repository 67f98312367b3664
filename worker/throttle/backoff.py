"""Growing waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_JITTER = 0.2
"""A wait is up to so much shorter, so that processes do not ask in step."""


class Backoff:
    """Waits that double from ``first_s`` to ``longest_s``, with jitter. Not thread-safe."""

    def __init__(self, first_s: float, longest_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng
        self._next_s = first_s

    def next_s(self) -> float:
        """The next wait."""
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, self._longest_s)
        return wait_s * self._rng.uniform(1 - _JITTER, 1)
