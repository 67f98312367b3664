"""Pods of one group, over a state topic in memory and with clocks that tests set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from worker.clock import FakeClock
from worker.errors import RetriableError
from worker.spend.amount import Budget, Limit
from worker.spend.limited import LimitedPurse
from worker.spend.port import Outlook
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from worker.spend.port import Purse


class Wall:
    """The time of day."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def turn(self, days: int = 1) -> None:
        self.moment += timedelta(days=days)


class Pod:
    """A purse and what it stands on."""

    def __init__(self, log: MemoryLog, budget: Budget, wall: Wall, clock: FakeClock) -> None:
        self.topic = MemoryStateTopic(log)
        self.purse = LimitedPurse(self.topic, budget, connector="shop", clock=clock, now=wall)


class Group:
    """Makes pods that share log and time."""

    def __init__(self, tokens: int = 1000, *, price: int = 0) -> None:
        self.log = MemoryLog()
        self.wall = Wall()
        self.clock = FakeClock()
        self.budget = Budget(Limit(tokens), price)

    def pod(self, budget: Budget | None = None) -> Pod:
        return Pod(self.log, budget or self.budget, self.wall, self.clock)

    def purse(self) -> LimitedPurse:
        return self.pod().purse


def spend_greedily(
    purse: Purse, *, call: int, text: int, overestimate: int, call_s: float = 0.0005
) -> int:
    """Make calls until the day is spent, as the pipeline would; what was billed."""
    billed = 0
    while True:
        left = purse.left()
        assert left is not None
        most = min(call, left)
        try:
            reservation = purse.reserve(most) if left >= text else None
        except RetriableError:
            continue
        if reservation is not None:
            cost = -(-most // overestimate)
            billed += cost
            time.sleep(call_s)
            reservation.settle(cost)
            continue
        outlook = purse.outlook(text)
        if outlook is Outlook.SPENT:
            return billed
        if outlook is Outlook.LATER:
            time.sleep(0.001)
