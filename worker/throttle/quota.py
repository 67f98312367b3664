"""Requests, inputs and tokens per minute, each by a window (never more) and a pace (evenly)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from worker.throttle.pace import Pace
from worker.throttle.window import Taken, Window

if TYPE_CHECKING:
    from worker.throttle.rates import Load, Rates

Receipt: TypeAlias = tuple[Taken, ...]
"""What a call took, in the order of the fields of ``Load``."""

_MINUTE_S = 60.0
_FASTER = 1.1
"""The pace is a little faster than the limit: what calls of unequal size leave unused in one second
can be used in the next, and in the long run the window alone decides."""
_LEARNED = 0.1
"""How much of the estimate's scale is learned from one call."""


class Quota:
    """The limits of an account. Not thread-safe."""

    def __init__(self, now_s: float) -> None:
        self._limits = (_Limit(now_s), _Limit(now_s), _Limit(now_s))

    def allow(self, rates: Rates, now_s: float) -> None:
        """Set the limits; what was taken before counts."""
        for limit, per_minute in zip(
            self._limits, (rates.requests, rates.inputs, rates.tokens), strict=True
        ):
            limit.allow(math.inf if per_minute is None else per_minute, now_s)

    def wait_s(self, load: Load, ahead: Load, now_s: float) -> float:
        """Seconds until a call may go, after those ahead of it; 0 is now."""
        return max(
            limit.wait_s(amount, before, now_s)
            for limit, amount, before in zip(self._limits, load, ahead, strict=True)
        )

    def take(self, load: Load, now_s: float) -> Receipt:
        """A call goes."""
        return tuple(
            limit.take(amount, now_s) for limit, amount in zip(self._limits, load, strict=True)
        )

    def correct(self, receipt: Receipt, load: Load, now_s: float) -> None:
        """A call took something else than was thought."""
        for limit, taken, amount in zip(self._limits, receipt, load, strict=True):
            limit.correct(taken, amount, now_s)


class _Limit:
    """Window and pace of one unit.

    The window counts estimates in full until they are corrected. The pace counts what such
    estimates have turned out to be; else calls would wait for each other's corrections.
    """

    def __init__(self, now_s: float) -> None:
        self._window = Window()
        self._pace = Pace(now_s)
        self._billed = 1.0

    def allow(self, per_minute: float, now_s: float) -> None:
        self._window.limit = per_minute
        self._pace.flow(_FASTER * per_minute / _MINUTE_S, now_s)

    def wait_s(self, amount: int, ahead: int, now_s: float) -> float:
        return max(
            self._window.wait_s(amount, ahead, now_s),
            self._pace.wait_s(ahead * self._billed, now_s),
        )

    def take(self, amount: int, now_s: float) -> Taken:
        self._pace.take(amount * self._billed, now_s)
        return self._window.take(amount, now_s)

    def correct(self, taken: Taken, amount: int, now_s: float) -> None:
        self._pace.take(amount - taken.amount * self._billed, now_s)
        if amount and taken.amount:
            self._billed += _LEARNED * (amount / taken.amount - self._billed)
        self._window.correct(taken, amount, now_s)
