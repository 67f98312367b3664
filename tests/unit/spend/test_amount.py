"""Money in whole numbers, limits, and what a budget needs."""

from __future__ import annotations

import pytest

from worker.errors import ConfigError
from worker.spend.amount import PICODOLLARS, Amount, Budget, Limit, budget_of, price_of


def test_a_price_per_million_is_whole_picodollars_per_token() -> None:
    assert price_of(0.12) == 120_000
    assert price_of(0.000_1) == 100
    assert price_of(None) == 0
    assert Amount(1_000_000, 1_000_000 * price_of(0.12)).usd == 0.12


def test_a_limit_in_dollars_leaves_what_they_buy() -> None:
    limit = Limit(cost=2 * PICODOLLARS)
    assert limit.tokens_beside(Amount(), price_of(0.1)) == 20_000_000
    assert limit.tokens_beside(Amount(5, PICODOLLARS), price_of(0.1)) == 10_000_000
    assert limit.tokens_beside(Amount(5, 3 * PICODOLLARS), price_of(0.1)) == 0


def test_of_two_limits_the_one_that_is_reached_first_counts() -> None:
    limit = Limit(tokens=100, cost=1000)
    assert limit.tokens_beside(Amount(40, 400), 10) == 60
    assert limit.tokens_beside(Amount(40, 900), 10) == 10
    assert limit.allows(Amount(100, 1000))
    assert not limit.allows(Amount(101, 0))
    assert not limit.allows(Amount(0, 1001))
    assert limit.share(Amount(50, 800)) == 0.8


def test_a_price_of_zero_is_no_limit_in_dollars() -> None:
    assert Limit(cost=1).tokens_beside(Amount(), 0) > 10**15


def test_without_a_budget_there_is_none() -> None:
    assert budget_of(tokens_per_day=None, usd_per_day=None, usd_per_million_tokens=0.1) is None


def test_a_budget_in_tokens_needs_no_price() -> None:
    found = budget_of(tokens_per_day=1000, usd_per_day=None, usd_per_million_tokens=None)
    assert found == Budget(Limit(1000, None), 0)


def test_a_budget_in_dollars_without_a_price_names_the_key_to_set() -> None:
    with pytest.raises(ConfigError, match=r"embedder\.price\.usd\.per\.million\.tokens"):
        budget_of(tokens_per_day=None, usd_per_day=5.0, usd_per_million_tokens=None)
