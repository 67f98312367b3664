"""What would be lost of a budget if the process died now."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest

from worker.embed.port import Price
from worker.pipeline.exposure import Exposure
from worker.spend.port import BudgetState, Report, Spent

MOMENT = datetime(2026, 11, 27, tzinfo=UTC)


def budget(tokens: int | None = None, usd: float | None = None) -> Report:
    spent = Spent(date(2026, 11, 26))
    return Report(spent, BudgetState.OPEN, MOMENT, limit_tokens=tokens, limit_usd=usd)


@pytest.mark.parametrize(
    ("report", "most"),
    [
        (budget(), None),
        (budget(tokens=10_000), 500),
        (budget(tokens=3), 1),
        (budget(usd=0.5), 12_500),
        (budget(tokens=10_000, usd=0.5), 500),
    ],
)
def test_it_is_a_twentieth_of_the_budget(report: Report, most: int | None) -> None:
    assert Exposure.of(report, Price(2.0, "2026-11-26")).most == most


def test_calls_beyond_it_wait_until_others_have_ended() -> None:
    exposure = Exposure(500)
    assert exposure.begin(300)
    assert exposure.begin(200)
    assert not exposure.begin(1)
    exposure.end(300)
    assert exposure.begin(300)


def test_a_call_that_is_too_large_goes_alone() -> None:
    exposure = Exposure(500)
    assert exposure.begin(1600)
    assert not exposure.begin(1)
    exposure.end(1600)
    assert exposure.begin(1)
    assert not exposure.begin(1600)


def test_there_is_always_room_for_one_call() -> None:
    exposure = Exposure(500)
    assert exposure.room(least=1600) == 1600
    assert exposure.begin(200)
    assert exposure.room(least=1600) == 300
    exposure.end(200)
    assert exposure.room(least=10) == 500


def test_without_a_budget_nothing_waits() -> None:
    exposure = Exposure()
    assert exposure.room(least=1) == math.inf
    assert all(exposure.begin(10**9) for _ in range(100))
