"""The last line of a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

from worker.cli.summary import summary
from worker.model import Outcome
from worker.spend.port import BudgetState, Report, Spent
from worker.telemetry.bill import Bill
from worker.telemetry.counters import Counters

DAY = date(2026, 11, 26)
TURNS = datetime(2026, 11, 27, tzinfo=UTC)


def report(limit_tokens: int | None = None, limit_usd: float | None = None) -> Report:
    spent = Spent(DAY, tokens=900, usd=0.41)
    return Report(spent, BudgetState.OPEN, TURNS, limit_tokens=limit_tokens, limit_usd=limit_usd)


def counters(**tables: int) -> Counters:
    return Counters(
        outcomes=Counter({Outcome.WRITTEN: 30}),
        bill=Bill(requests=2, texts=30, tokens=sum(tables.values()), usd=0.5),
        tokens_by_table=Counter(tables),
    )


def test_texts_calls_tokens_and_dollars_are_named() -> None:
    assert summary(counters(products=900), 3.0, {}) == (
        "30 records in 3.0 s (10/s): 30 written; 30 texts embedded in 2 calls, 900 tokens, "
        "$0.500000."
    )


def test_little_money_is_written_as_status_writes_it() -> None:
    bill = Bill(requests=1, texts=1, tokens=450, usd=0.000009)
    assert "450 tokens, $0.000009." in summary(Counters(bill=bill), 1.0, {})
    assert "$1.50." in summary(Counters(bill=replace(bill, usd=1.5)), 1.0, {})


def test_tokens_of_which_some_are_an_estimate_are_marked_and_so_are_their_dollars() -> None:
    bill = Bill(requests=2, texts=30, tokens=900, usd=0.5, estimated=100)
    line = summary(Counters(bill=bill, tokens_by_table=Counter(products=900)), 3.0, {})
    assert line.endswith("30 texts embedded in 2 calls, ~900 tokens, ~$0.500000.")


def test_several_tables_have_their_tokens_each_the_largest_first() -> None:
    assert "1,200 tokens (stock 1,000, products 200)" in summary(
        counters(products=200, stock=1000), 1.0, {}
    )


def test_budgets_say_how_they_stand_and_who_has_none_says_nothing() -> None:
    budgets = {
        "products": report(limit_usd=5),
        "stock": report(limit_tokens=1000, limit_usd=0.5),
        "free": report(),
    }
    assert summary(counters(), 1.0, budgets).endswith(
        " Budget of products: $0.410000 of $5 spent today."
        " Budget of stock: $0.410000 of $0.5 and 900 of 1,000 tokens spent today."
    )
