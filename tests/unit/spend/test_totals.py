"""What status can say of a day: by table, over all pods, with and without a budget."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.spend.pods import Group
from worker.errors import FatalError
from worker.spend.amount import Budget, Limit, price_of
from worker.spend.port import BudgetState, Outlook, Part, TableSpend
from worker.spend.totals import shares
from worker.spend.unlimited import UnlimitedPurse
from worker.state.memory import MemoryStateTopic

if TYPE_CHECKING:
    from worker.state.port import Value

TODAY = date(2026, 11, 26)


def unlimited(group: Group, price: int | None = None) -> UnlimitedPurse:
    topic = MemoryStateTopic(group.log)
    return UnlimitedPurse(topic, price=price, clock=group.clock, now=group.wall)


def test_without_a_budget_everything_fits_and_is_counted() -> None:
    group = Group()
    purse = unlimited(group, price_of(0.5))
    assert purse.left() is None  # type: ignore[func-returns-value]  # as the port says it
    assert purse.outlook(10**12) is Outlook.FITS
    purse.reserve(9000, {"products": Part(2, 400), "reviews": Part(1, 200)}).settle(3000)
    purse.reserve(500, {"reviews": Part(1, 50)}).keep(200)
    purse.reserve(500, {"reviews": Part(1, 50)}).cancel()
    report = purse.report()
    assert report.state is BudgetState.OPEN
    assert report.limit_tokens is None
    spent = report.spent
    assert (spent.day, spent.tokens, spent.inputs, spent.requests) == (TODAY, 3200, 4, 2)
    assert spent.usd == pytest.approx(0.0016)
    assert spent.tables == {
        "products": TableSpend(2000, 2, 1, 0.001),
        "reviews": TableSpend(1200, 2, 2, 0.0006),
    }


def test_without_a_price_no_dollars_are_made_up() -> None:
    purse = unlimited(Group())
    purse.reserve(10).settle(10)
    assert purse.report().spent.usd is None


def test_calls_write_nothing_but_once_a_minute_the_totals() -> None:
    group = Group()
    purse = unlimited(group)
    for _ in range(10):
        purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    assert group.log.keys() == []
    group.clock.advance(61)
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    assert len(group.log.keys()) == 1
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    assert unlimited(group).report().spent.tokens == 110
    purse.close()
    assert unlimited(group).report().spent.tokens == 120


def test_what_was_spent_last_is_written_down_without_another_call() -> None:
    group = Group()
    purse = unlimited(group)
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    purse.tick()
    assert group.log.keys() == []
    group.clock.advance(61)
    purse.tick()
    assert unlimited(group).report().spent.tables == {"t": TableSpend(10, 1, 1)}


def test_what_cannot_be_kept_is_said_once_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Forbidden(MemoryStateTopic):
        def post(self, key: str, value: Value | None) -> None:
            raise FatalError("the user may not WRITE")

    group = Group()
    purse = UnlimitedPurse(Forbidden(group.log), clock=group.clock, now=group.wall)
    for _ in range(3):
        group.clock.advance(61)
        purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    assert purse.report().spent.tokens == 30
    assert [one.message for one in caplog.records] == [
        "What is spent is not kept: the user may not WRITE."
    ]


def test_pods_see_what_the_others_wrote_down() -> None:
    group = Group()
    purses = [unlimited(group) for _ in range(3)]
    for purse in purses:
        purse.reserve(10, {"t": Part(1, 10)}).settle(10)
        purse.close()
    assert [purse.report().spent.tokens for purse in purses] == [30, 30, 30]


def test_with_a_budget_the_tables_are_counted_too() -> None:
    group = Group(1000, price=price_of(0.1))
    purse = group.purse()
    reservation = purse.reserve(900, {"products": Part(3, 900)})
    assert reservation is not None
    reservation.settle(300)
    spent = purse.report().spent
    assert spent.tables == {"products": TableSpend(300, 3, 1, 0.00003)}
    assert (spent.tokens, spent.requests, spent.inputs) == (300, 1, 3)
    assert spent.usd == pytest.approx(0.00003)


def test_the_report_says_the_limits() -> None:
    group = Group()
    purse = group.pod(Budget(Limit(5000, 2 * 10**12), 100)).purse
    assert (purse.report().limit_tokens, purse.report().limit_usd) == (5000, 2.0)


def test_while_the_state_topic_is_away_totals_wait() -> None:
    group = Group()
    topic = MemoryStateTopic(group.log)
    purse = UnlimitedPurse(topic, clock=group.clock, now=group.wall)
    topic.down()
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    purse.close()
    topic.up()
    assert unlimited(group).report().spent.tokens == 10


def test_totals_that_the_state_topic_refused_are_written_later() -> None:
    group = Group()
    topic = MemoryStateTopic(group.log)
    purse = UnlimitedPurse(topic, clock=group.clock, now=group.wall)
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    topic.refuse_posts()
    purse.close()
    topic.up()
    assert group.log.keys() == []
    purse.close()
    assert unlimited(group).report().spent.tokens == 10


def test_a_call_after_midnight_is_the_new_days() -> None:
    group = Group()
    purse = unlimited(group)
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    group.wall.turn()
    purse.reserve(5, {"t": Part(1, 10)}).settle(5)
    assert purse.report().spent.tokens == 5


def test_totals_are_kept_for_two_months() -> None:
    group = Group()
    purse = unlimited(group)
    purse.reserve(10, {"t": Part(1, 10)}).settle(10)
    purse.close()
    group.wall.turn(62)
    purse.close()
    assert len(group.log.keys()) == 1
    group.wall.turn()
    unlimited(group).close()
    assert group.log.keys() == []


def test_totals_of_another_version_are_left_out() -> None:
    group = Group()
    topic = MemoryStateTopic(group.log)
    topic.append("totals/2026-11-26/other", {"tokens": 10})
    sums = {"tokens": 1, "cost": 1, "requests": 1}
    topic.append("totals/2026-11-26/third", {**sums, "tables": [1]})
    topic.append("totals/2026-11-26/first", {**sums, "tables": {"t": [310, 96]}})
    topic.append("totals/someday/third", {})
    assert unlimited(group).report().spent.tokens == 0


@given(st.integers(0, 10**9), st.dictionaries(st.text(), st.integers(1, 1000), min_size=1))
def test_tokens_are_divided_without_a_rest(tokens: int, inputs: dict[str, int]) -> None:
    divided = shares(tokens, inputs)
    assert sum(divided.values()) == tokens
    assert divided.keys() == inputs.keys()
    total = sum(inputs.values())
    assert all(abs(divided[one] - tokens * n / total) < 2 for one, n in inputs.items())
