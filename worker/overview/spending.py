"""What the state topic says of money, folded as the workers do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import orjson

from worker.overview.standing import BudgetUse, DaySpend, Spend
from worker.spend import records, totals
from worker.spend.amount import PICODOLLARS, Limit
from worker.spend.day import is_over
from worker.spend.ledger import DayLedger
from worker.spend.port import Spent, used_in_words
from worker.spend.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.model import Record

_WEEK = 7
_NOBODY = ""
"""No pod's name."""


class Spending:
    """Is handed the topic's records, in their order."""

    def __init__(self) -> None:
        self._totals = Totals(_NOBODY, price=0)
        self._ledgers: dict[date, DayLedger] = {}

    def take(self, found: Iterable[Record], today: date) -> None:
        """More of the topic; what others keep there is passed over."""
        for record in found:
            key = (record.key or b"").decode(errors="replace")
            if key.startswith(totals.PREFIX):
                self._totals.read(record.offset, key, _value(record))
            elif key.startswith(records.PREFIX):
                self._book(key, record, today)

    def days(self, today: date) -> tuple[DaySpend, ...]:
        """The last seven, today first."""
        days = (today - timedelta(days=back) for back in range(_WEEK))
        return tuple(_day(self._totals.spent(day)) for day in days)

    def budget(self, limit: Limit, today: date) -> BudgetUse:
        """How much of the limit is gone; what is reserved for calls under way counts."""
        ledger = self._ledgers.get(today, DayLedger())
        spent = ledger.spent
        used = used_in_words(spent.tokens, spent.usd, limit.tokens, _usd(limit.cost))
        return BudgetUse(used or "", limit.share(ledger.held))

    def _book(self, text: str, record: Record, today: date) -> None:
        key, value = records.key_of(text), _value(record)
        if key is None or value is None or is_over(key.claim.day, today):
            return
        ledger = self._ledgers.setdefault(key.claim.day, DayLedger())
        match records.record_of(key, value):
            case records.Claim() as claim:
                ledger.reserve(key.claim, claim, 0.0)
            case records.Settlement() as settlement:
                ledger.settle(key.claim, settlement)


def _value(record: Record) -> dict[str, object] | None:
    """None for a deletion, and for what is not ours."""
    try:
        value = orjson.loads(record.value or b"null")
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _day(spent: Spent) -> DaySpend:
    tables = {
        table: Spend(one.inputs, one.requests, one.tokens, _known(one.usd))
        for table, one in spent.tables.items()
    }
    whole = Spend(spent.inputs, spent.requests, spent.tokens, _known(spent.usd))
    return DaySpend(spent.day, whole, tables)


def _known(usd: float | None) -> float | None:
    """What cost nothing is of a model whose price nobody knows."""
    return usd or None


def _usd(cost: int | None) -> float | None:
    return None if cost is None else cost / PICODOLLARS
