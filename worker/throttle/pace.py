"""An even flow: a provider that says *per minute* may well count per second."""

from __future__ import annotations

import math

SLACK_S = 0.25
"""How much of the flow may be caught up with, as threads wake up a little late.

Long enough for a busy machine, too short to be a burst for a provider that counts per second.
"""


class Pace:
    """A bucket that leaks: what was taken and is not yet paid for by time. Not thread-safe.

    The next call goes when nothing is owed any more. Time in which nobody called is worth at most
    ``SLACK_S``, so neither a pause nor a suspended machine ends in a burst.
    """

    def __init__(self, now_s: float, per_s: float = math.inf) -> None:
        self._per_s = per_s
        self._owed = 0.0
        self._now_s = now_s

    def flow(self, per_s: float, now_s: float) -> None:
        """Set how much flows from now on."""
        self._leak(now_s)
        self._per_s = per_s
        self._owed = max(self._owed, -SLACK_S * per_s)

    def wait_s(self, ahead: float, now_s: float) -> float:
        """Seconds until nothing is owed, counting what others ahead will take."""
        self._leak(now_s)
        owed = self._owed + ahead
        return owed / self._per_s if owed > 0 else 0.0

    def take(self, amount: float, now_s: float) -> None:
        """Owe an amount more, or less if it is negative."""
        self._leak(now_s)
        self._owed += amount

    def _leak(self, now_s: float) -> None:
        if now_s <= self._now_s:
            return
        self._owed -= (now_s - self._now_s) * self._per_s
        self._owed = max(self._owed, -SLACK_S * self._per_s)
        self._now_s = now_s
