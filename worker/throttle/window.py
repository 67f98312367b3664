"""The hard limit: never more than so much in any minute, whenever the minute begins."""

from __future__ import annotations

import math
from collections import deque

SPAN_S = 60.5
"""A minute, and half a second more: calls that leave 60 s apart may arrive closer together."""


class Taken:
    """What one call took, and when."""

    __slots__ = ("amount", "at_s")

    def __init__(self, amount: int, at_s: float) -> None:
        self.amount = amount
        self.at_s = at_s


class Window:
    """A log of what was taken of one unit in the last ``SPAN_S``. Not thread-safe.

    An amount above the limit can never fit; it passes alone, when nothing else is in the window.
    """

    def __init__(self) -> None:
        self.limit = math.inf
        self._log: deque[Taken] = deque()
        self._total = 0

    def wait_s(self, amount: int, ahead: int, now_s: float) -> float:
        """Seconds until an amount fits, with what others ahead of it will have taken by then.

        An estimate, never too long, if what is ahead does not fit into one window.
        """
        self._forget(now_s)
        excess = self._total + ahead + amount - self.limit
        if excess <= 0 or (self._total == 0 and ahead == 0):
            return 0.0
        for taken in self._log:
            excess -= taken.amount
            if excess <= 0:
                return taken.at_s + SPAN_S - now_s
        return self._log[-1].at_s + SPAN_S - now_s if self._total else SPAN_S

    def take(self, amount: int, now_s: float) -> Taken:
        """Enter an amount into the log, whether or not it fits."""
        taken = Taken(amount, now_s)
        self._log.append(taken)
        self._total += amount
        return taken

    def correct(self, taken: Taken, amount: int, now_s: float) -> None:
        """It was another amount; without effect after it has left the window."""
        self._forget(now_s)
        if taken.at_s + SPAN_S > now_s:
            self._total += amount - taken.amount
            taken.amount = amount

    def _forget(self, now_s: float) -> None:
        while self._log and self._log[0].at_s + SPAN_S <= now_s:
            self._total -= self._log.popleft().amount
