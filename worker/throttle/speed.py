"""Slower for a minute, where a provider asks for it again and again."""

from __future__ import annotations

import math
from collections import deque

from worker.throttle.pace import Pace

_SOON_S = 60.0
"""A limit that is hit so soon after the last one was over is a sign of being too fast."""
_LOWERED = 0.7
_RECOVERY_S = 60.0
_SEEN_S = 10.0
"""How far back the rate of calls is looked at."""


class Speed:
    """The rate of calls, and what is left of it after repeated limits. Not thread-safe.

    Times are those of a clock that stands still while no calls are allowed: a rate is one of
    calls per second in which they could go.
    """

    def __init__(self) -> None:
        self._calls: deque[float] = deque()
        self._stopped_s: float | None = None
        self._standing_s = 0.0
        self._ended_s = -math.inf
        self._lowered_s = -math.inf
        self._seen_per_s = 0.0
        self._pace = Pace(0.0)

    def wait_s(self, ahead: int, in_flight: int, now_s: float) -> float:
        """Seconds until a call may go, after those ahead; one at a time may always go."""
        if ahead + in_flight == 0:
            return 0.0
        at_s = self._at_s(now_s)
        self._pace.flow(self._allowed_per_s(at_s), at_s)
        return self._pace.wait_s(ahead, at_s)

    def call(self, now_s: float) -> None:
        """A call goes."""
        at_s = self._at_s(now_s)
        self._calls.append(at_s)
        self._forget(at_s)
        # One that went because it was alone is not owed by the others.
        if self._pace.wait_s(0, at_s) <= 0:
            self._pace.take(1, at_s)

    def stop(self, now_s: float) -> None:
        """No calls are allowed from now on, or still not."""
        if self._stopped_s is None:
            self._stopped_s = now_s

    def go(self, now_s: float) -> None:
        """Calls are allowed again."""
        if self._stopped_s is not None:
            self._standing_s += now_s - self._stopped_s
        self._stopped_s = None

    def limited(self, now_s: float) -> None:
        """The provider begins to ask us to slow down."""
        at_s = self._at_s(now_s)
        if at_s - self._ended_s < _SOON_S:
            self._lower(at_s)

    def ended(self, now_s: float) -> None:
        """It does not ask any more."""
        self._ended_s = self._at_s(now_s)

    def _lower(self, at_s: float) -> None:
        self._seen_per_s = min(self._rate_per_s(at_s), self._allowed_per_s(at_s))
        self._lowered_s = at_s
        self._pace = Pace(at_s, self._allowed_per_s(at_s))

    def _allowed_per_s(self, at_s: float) -> float:
        recovered = (at_s - self._lowered_s) / _RECOVERY_S
        if recovered >= 1:
            return math.inf
        return self._seen_per_s * (_LOWERED + (1 - _LOWERED) * recovered)

    def _rate_per_s(self, at_s: float) -> float:
        self._forget(at_s)
        if not self._calls:
            return 1 / _SEEN_S
        return len(self._calls) / max(at_s - self._calls[0], 1.0)

    def _forget(self, at_s: float) -> None:
        while self._calls and self._calls[0] < at_s - _SEEN_S:
            self._calls.popleft()

    def _at_s(self, now_s: float) -> float:
        return (now_s if self._stopped_s is None else self._stopped_s) - self._standing_s
