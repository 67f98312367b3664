"""The purse of a connector without a budget: it only counts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from worker.clock import SystemClock
from worker.spend.account import Account
from worker.spend.day import day_of, turn_after, utc_now
from worker.spend.port import BudgetState, Outlook, Report
from worker.spend.reservation import Held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock
    from worker.spend.day import Now
    from worker.spend.port import Part
    from worker.spend.reservation import Bill
    from worker.state.port import StateTopic


class UnlimitedPurse:
    """Lets every call pass, without a word to Kafka; writes the totals once a minute."""

    def __init__(
        self,
        topic: StateTopic,
        *,
        price: int | None = None,
        clock: Clock | None = None,
        now: Now = utc_now,
    ) -> None:
        """``price`` is in picodollars per token (``amount.price_of``); None if nobody knows."""
        self._now = now
        self._account = Account(topic, uuid4().hex[:12], price, clock or SystemClock(), now)

    def left(self) -> None:
        """No limit."""
        return

    def reserve(self, tokens: int, parts: Mapping[str, Part] | None = None) -> Held:
        """Always, and at once."""
        return Held(tokens, dict(parts or {}), self._end)

    def outlook(self, tokens: int) -> Outlook:  # noqa: ARG002 - any number fits
        """Everything fits."""
        return Outlook.FITS

    def report(self) -> Report:
        """What all pods wrote down, and what this one spent."""
        now = self._now()
        return Report(self._account.spent(day_of(now)), BudgetState.OPEN, turn_after(now))

    def tick(self) -> None:
        """Write the totals down if it is time to."""
        self._account.tick()

    def close(self) -> None:
        """Write the last totals down."""
        self._account.write()

    def _end(self, bill: Bill) -> None:
        self._account.book(day_of(self._now()), bill)
