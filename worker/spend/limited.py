"""The purse of a connector with a budget: every call is first reserved in the state topic."""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from worker.clock import SystemClock
from worker.errors import FatalError, WorkerError
from worker.spend.account import Account
from worker.spend.amount import PICODOLLARS, Amount
from worker.spend.day import day_of, is_over, turn_after, utc_now
from worker.spend.ledger import WARNING_SHARE, DayLedger
from worker.spend.port import BudgetState, Outlook, Report
from worker.spend.records import PREFIX, Claim, ClaimId, Settlement, key_of, record_of
from worker.spend.reservation import Held

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from worker.clock import Clock
    from worker.spend.amount import Budget
    from worker.spend.day import Now
    from worker.spend.port import Part
    from worker.spend.reservation import Bill
    from worker.state.port import StateTopic, Value

_log = logging.getLogger(__name__)

_PROMISED = 0.9
"""This part of a budget can be used, whatever the upper bounds are."""
_READ_TIMEOUT_S = 10.0
_SETTLED_WITHIN_S = 300.0
"""Calls are over by then; who did not settle has died."""


@dataclass(slots=True)
class _Asked:
    """A reservation of ours on its way through the log."""

    amount: Amount
    """Nothing, once it is read: then the ledger has it, or it is void."""
    counts: bool | None = None
    """The verdict, once it is read."""


class LimitedPurse:
    """Shares a day's budget with the purses of the group's other pods. Thread-safe.

    A reservation counts once it is read back and fits beside everything before it in the log.

    What is reserved is the upper bound of a call. Where that does not fit, and less than
    ``_PROMISED`` of the budget is taken, it is what such calls have cost so far, and up to half as
    much again: so a budget is used that would otherwise be left over by a few long texts. To go
    over the budget, a call would have to cost more than all that is left, a tenth of it at least.
    The same is kept for a call whose answer never came, once it is known.
    """

    def __init__(
        self,
        topic: StateTopic,
        budget: Budget,
        *,
        connector: str,
        clock: Clock | None = None,
        now: Now = utc_now,
    ) -> None:
        self._topic = topic
        self._budget = budget
        self._connector = connector
        self._clock = clock or SystemClock()
        self._now = now
        self._pod = uuid4().hex[:12]
        self._lock = threading.Lock()
        self._days: dict[date, DayLedger] = {}
        self._asked: dict[ClaimId, _Asked] = {}
        self._last_number: dict[date, int] = {}
        self._wanted = 1
        price = budget.price or None
        self._account = Account(topic, self._pod, price, self._clock, now)
        topic.attach(PREFIX, self._read)

    def left(self) -> int:
        """What is neither spent nor reserved, here or elsewhere, as an upper bound."""
        with self._lock:
            day = self._today
            return self._covered(self._held(day), self._ledger(day))

    def reserve(self, tokens: int, parts: Mapping[str, Part] | None = None) -> Held | None:
        """Write the reservation down, and read the log up to it."""
        asked = self._ask(tokens)
        if asked is None:
            return None
        claim_id, claim = asked
        try:
            offset = self._topic.append(claim_id.key, claim.value)
            self._topic.read_up_to(offset, _READ_TIMEOUT_S)
            if not self._verdict(claim_id):
                return None
        except WorkerError:
            self._withdraw(claim_id)
            raise
        return Held(
            claim.tokens,
            dict(parts or {}),
            end=lambda bill: self._end(claim_id, bill),
            most=lambda: self._most(claim_id, claim),
        )

    def outlook(self, tokens: int) -> Outlook:
        """What is stuck will not be freed; other reservations probably will."""
        with self._lock:
            found = self._outlook(tokens)
            self._wanted = tokens if found is Outlook.SPENT else 1
            return found

    def report(self) -> Report:
        """Tokens and dollars are exact; what the totals say lags."""
        now = self._now()
        today, limit = day_of(now), self._budget.limit
        spent = self._account.spent(today)
        with self._lock:
            ledger, state = self._ledger(today), self._state()
            settled, reserved = ledger.spent, ledger.reserved
        return Report(
            spent=replace(
                spent,
                tokens=settled.tokens,
                usd=settled.usd if self._budget.price else None,
            ),
            state=state,
            turns_at=turn_after(now),
            reserved_tokens=reserved.tokens,
            limit_tokens=limit.tokens,
            limit_usd=None if limit.cost is None else limit.cost / PICODOLLARS,
        )

    def tick(self) -> None:
        """Write the totals down if it is time to."""
        self._account.tick()

    def close(self) -> None:
        """Write the last totals down."""
        self._account.write()

    @property
    def _today(self) -> date:
        return day_of(self._now())

    def _ledger(self, day: date) -> DayLedger:
        if day not in self._days:
            today = self._today
            self._days = {one: book for one, book in self._days.items() if not is_over(one, today)}
            self._days[day] = DayLedger()
        return self._days[day]

    def _free(self, held: Amount) -> int:
        return self._budget.limit.tokens_beside(held, self._budget.price)

    def _share(self, held: Amount, ledger: DayLedger) -> float:
        """Of its upper bound, what a call that is larger than what is free has to reserve."""
        if self._budget.limit.share(held) >= _PROMISED:
            return 1.0
        return ledger.density.share(self._free(held))

    def _covered(self, held: Amount, ledger: DayLedger) -> int:
        """The highest upper bound of a call that fits beside what is held."""
        return int(self._free(held) / self._share(held, ledger))

    def _held(self, day: date) -> Amount:
        """Ours that are on their way may count, so no thread of ours asks for the same tokens."""
        asked = [one.amount for claim_id, one in self._asked.items() if claim_id.day == day]
        return sum(asked, start=self._ledger(day).held)

    def _outlook(self, tokens: int) -> Outlook:
        day = self._today
        ledger = self._ledger(day)
        if tokens <= self._covered(self._held(day), ledger):
            return Outlook.FITS
        gone = ledger.spent + ledger.stuck(self._clock.now_s() - _SETTLED_WITHIN_S)
        return Outlook.LATER if tokens <= self._covered(gone, ledger) else Outlook.SPENT

    def _state(self) -> BudgetState:
        if self._outlook(self._wanted) is Outlook.SPENT:
            return BudgetState.SPENT
        if self._budget.limit.share(self._ledger(self._today).spent) >= WARNING_SHARE:
            return BudgetState.WARNED
        return BudgetState.OPEN

    def _ask(self, tokens: int) -> tuple[ClaimId, Claim] | None:
        with self._lock:
            day = self._today
            claim = self._claim(tokens, day)
            if claim is None:
                return None
            number = self._last_number[day] = self._last_number.get(day, 0) + 1
            claim_id = ClaimId(day, self._pod, number)
            self._asked[claim_id] = _Asked(claim.amount)
            return claim_id, claim

    def _claim(self, tokens: int, day: date) -> Claim | None:
        """What to reserve for a call with this upper bound; None if it is too much."""
        held, ledger = self._held(day), self._ledger(day)
        price, limit, free = self._budget.price, self._budget.limit, self._free(held)
        if tokens <= free:
            return Claim(tokens, price, limit)
        if tokens <= self._covered(held, ledger):
            share = self._share(held, ledger)
            return Claim(min(free, math.ceil(tokens * share)), price, limit, most=tokens)
        return None

    def _verdict(self, claim_id: ClaimId) -> bool:
        with self._lock:
            asked = self._asked.get(claim_id)
            if asked is None or asked.counts is None:
                raise FatalError(
                    "the state topic does not have what was written to it: it was deleted or lost "
                    "records; restart the task to begin with what is there"
                )
            del self._asked[claim_id]
            return asked.counts

    def _withdraw(self, claim_id: ClaimId) -> None:
        """It may be in the log all the same, or come later; nothing was billed for it."""
        with self._lock:
            self._asked.pop(claim_id, None)
        self._post_end(claim_id, Settlement(0))

    def _most(self, claim_id: ClaimId, claim: Claim) -> int:
        """What such calls have cost, and a margin; all that they can while that is unknown."""
        with self._lock:
            share = self._ledger(claim_id.day).density.share(claim.upper_bound)
        return math.ceil(claim.upper_bound * share)

    def _end(self, claim_id: ClaimId, bill: Bill) -> None:
        self._post_end(claim_id, bill.settlement)
        self._account.book(claim_id.day, bill)

    def _post_end(self, claim_id: ClaimId, settlement: Settlement) -> None:
        try:
            self._topic.post(claim_id.settled_key, settlement.value)
        except WorkerError as error:
            _log.warning("A reservation of %s stays spent: %s.", self._connector, error)

    def _read(self, _offset: int, text: str, value: Value | None) -> None:
        """A record of the log, in the topic's thread."""
        key = key_of(text)
        if key is None or value is None:
            return
        match record_of(key, value):
            case Claim() as claim:
                self._read_claim(key.claim, claim)
            case Settlement() as settlement:
                self._read_settlement(key.claim, settlement)

    def _read_claim(self, claim_id: ClaimId, claim: Claim) -> None:
        with self._lock:
            if is_over(claim_id.day, self._today):
                return
            counts = self._ledger(claim_id.day).reserve(claim_id, claim, self._clock.now_s())
            asked = self._asked.get(claim_id)
            if asked is not None:
                asked.counts, asked.amount = counts, Amount()

    def _read_settlement(self, claim_id: ClaimId, settlement: Settlement) -> None:
        with self._lock:
            if is_over(claim_id.day, self._today):
                return
            warns = self._ledger(claim_id.day).settle(claim_id, settlement)
        if warns and claim_id.pod == self._pod:  # so one pod of the group says it, once
            _log.warning(
                "80 %% of the budget of %s for %s are spent.", self._connector, claim_id.day
            )
