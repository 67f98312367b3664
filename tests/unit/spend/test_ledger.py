"""One day's log, folded."""

from __future__ import annotations

from datetime import date

from worker.spend.amount import Amount, Limit
from worker.spend.ledger import DayLedger
from worker.spend.records import Claim, ClaimId, Settlement

DAY = date(2026, 11, 26)


def claim(tokens: int, limit: int = 1000) -> Claim:
    return Claim(tokens, 2, Limit(limit))


def number(one: int) -> ClaimId:
    return ClaimId(DAY, "pod", one)


def test_a_reservation_counts_if_it_fits_beside_those_before_it() -> None:
    ledger = DayLedger()
    assert ledger.reserve(number(1), claim(700), 0.0)
    assert not ledger.reserve(number(2), claim(301), 0.0)
    assert ledger.reserve(number(3), claim(300), 0.0)
    assert ledger.held == Amount(1000, 2000)


def test_it_is_judged_by_the_limit_that_it_carries() -> None:
    ledger = DayLedger()
    assert ledger.reserve(number(1), claim(1000), 0.0)
    assert ledger.reserve(number(2), claim(500, limit=1500), 0.0)
    assert not ledger.reserve(number(3), claim(1), 0.0)


def test_an_end_that_stands_before_its_beginning_ends_it() -> None:
    ledger = DayLedger()
    ledger.settle(number(1), Settlement(0))
    ledger.settle(number(2), Settlement(50))
    assert ledger.reserve(number(1), claim(700), 0.0)
    assert ledger.reserve(number(2), claim(700), 0.0)
    assert (ledger.spent.tokens, ledger.reserved.tokens) == (50, 0)


def test_eighty_percent_are_passed_once() -> None:
    ledger = DayLedger()
    for one in range(10):
        ledger.reserve(number(one), claim(100), 0.0)
    passed = [ledger.settle(number(one), Settlement(100)) for one in range(10)]
    assert passed == [False] * 7 + [True, False, False]


def test_reservations_that_nobody_settles_are_found_by_their_age() -> None:
    ledger = DayLedger()
    ledger.reserve(number(1), claim(100), 10.0)
    ledger.reserve(number(2), claim(200), 20.0)
    ledger.settle(number(3), Settlement(1))
    assert ledger.stuck(15.0) == Amount(100, 200)
    assert ledger.stuck(25.0) == Amount(300, 600)
