"""How much of a budget is under way at once, as it is lost if this process dies.

Nobody knows what calls cost whose answers never came, so their upper bounds stay spent for the day:
several times what they really cost. A small part of the budget at a time makes that bearable. It is
hardly a brake: a budget, however large, still lasts for some tens of rounds, four in a second.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.embed.port import Price
    from worker.spend.port import Report

_PART = 20


class Exposure:
    """Upper bounds of the calls under way. Thread-safe; never waits itself."""

    def __init__(self, most: int | None = None) -> None:
        """``most`` tokens at once; None is no limit."""
        self.most = most
        self._held = 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, budget: Report, price: Price | None) -> Exposure:
        """A part of the day's budget."""
        limits = [] if budget.limit_tokens is None else [budget.limit_tokens]
        if budget.limit_usd is not None and price is not None and price.usd(1) > 0:
            limits.append(int(budget.limit_usd / price.usd(1)))
        return cls(max(1, min(limits) // _PART) if limits else None)

    def begin(self, tokens: int) -> bool:
        """Whether a call may begin, to be ended by ``end``; one at a time always may."""
        with self._lock:
            if self.most is not None and self._held and self._held + tokens > self.most:
                return False
            self._held += tokens
            return True

    def room(self, least: int) -> float:
        """Tokens for which calls may begin; ``least`` at least where none is under way."""
        with self._lock:
            if self.most is None:
                return math.inf
            return max(0, self.most - self._held) if self._held else max(self.most, least)

    def end(self, tokens: int) -> None:
        """It is over."""
        with self._lock:
            self._held -= tokens
