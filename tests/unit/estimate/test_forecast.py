"""From what was found to tokens, dollars, hours and days."""

from __future__ import annotations

import pytest

from worker.embed.port import Limits, Price
from worker.estimate.forecast import Forecast, Pace, Purse, Range, forecast
from worker.estimate.found import Found
from worker.estimate.meter import Tokens
from worker.estimate.plan import Part, Plan
from worker.estimate.tally import Tally
from worker.model import TopicPartition
from worker.source.port import Span
from worker.throttle.rates import Rates

PLACE = TopicPartition("t", 0)
LIMITS = Limits(texts=100, in_flight=10)


def found(texts: int, tokens: Tokens, *, offsets: int | None = None) -> Found:
    """So many like texts in one partition, read in three parts."""
    tally = Tally()
    for number in range(texts):
        tally.pay(Part(number % 3, PLACE), tokens)
        tally.may_pay([tokens])
    tally.calls = -(-texts // 100)
    third = max(1, texts // 3)
    rounds = [{PLACE: Span(third * n, third * n + third)} for n in range(3)]
    whole = third * 3
    return Found(Plan(rounds, offsets or whole), tally, (texts, texts * tokens.low))


def of(
    texts: int,
    *,
    rates: Rates | None = None,
    latency_s: float | None = 0.5,
    purse: Purse | None = None,
) -> Forecast:
    return forecast(
        found(texts, Tokens(50, 100, 300)),
        Pace(rates or Rates(), LIMITS, latency_s),
        purse or Purse(None),
    )


def test_the_range_of_tokens_goes_from_the_leanest_to_the_safe_bound() -> None:
    assert of(3000).tokens == Range(150_000, 300_000, 900_000)


def test_dollars_are_tokens_by_the_price_and_none_without_one() -> None:
    usd = of(3000, purse=Purse(Price(2.0, "2026-11-26"))).usd
    assert usd is not None
    assert (usd.low, usd.expected, usd.high) == pytest.approx((0.3, 0.6, 1.8))
    assert of(3000).usd is None


@pytest.mark.parametrize(
    ("rates", "hours", "limited_by"),
    [
        (Rates(requests=1), 0.5, "embedder.requests.per.minute"),
        (Rates(inputs=50), 1.0, "embedder.inputs.per.minute"),
        (Rates(tokens=1000), 5.0, "embedder.tokens.per.minute"),
        (Rates(), 30 * 0.5 / 10 / 3600, "embedder.max.in.flight"),
    ],
)
def test_the_slowest_limit_decides_the_hours(rates: Rates, hours: float, limited_by: str) -> None:
    made = of(3000, rates=rates)
    assert made.hours is not None
    assert made.hours.expected == pytest.approx(hours)
    assert made.limited_by == limited_by


def test_where_nothing_limits_nobody_knows_the_hours() -> None:
    assert of(3000, latency_s=None).hours is None


def test_days_are_those_of_the_budget_that_is_reached_first() -> None:
    price = Price(2.0, "")
    days = of(3000, purse=Purse(price, tokens_per_day=100_000, usd_per_day=0.1)).days
    assert days is not None
    assert days.expected == pytest.approx(6.0)
    assert of(3000).days is None


def test_a_sample_is_multiplied_and_like_parts_widen_nothing() -> None:
    sampled = found(300, Tokens(50, 100, 300), offsets=3000)
    made = forecast(sampled, Pace(Rates(), LIMITS, 0.5), Purse(None))
    assert made.texts == Range(3000, 3000, 3000)


def test_parts_that_differ_widen_the_range_of_a_sample() -> None:
    tally = Tally()
    for number, texts in enumerate((100, 10, 40)):
        for _ in range(texts):
            tally.pay(Part(number, PLACE), Tokens(1, 1, 1))
            tally.may_pay([Tokens(1, 1, 1)])
    rounds = [{PLACE: Span(n * 1000, n * 1000 + 100)} for n in range(3)]
    sampled = Found(Plan(rounds, 3000), tally, (150, 150))
    made = forecast(sampled, Pace(Rates(), LIMITS, 0.5), Purse(None))
    assert made.texts.expected == 1500
    assert made.texts.low < 1000
    assert made.texts.high > 2000


def test_nothing_to_embed_takes_nothing() -> None:
    made = of(0, purse=Purse(Price(2.0, ""), tokens_per_day=1))
    assert made.texts == made.tokens == made.calls == Range(0, 0, 0)
