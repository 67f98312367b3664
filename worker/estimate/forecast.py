"""From what was found to what it takes: texts, tokens, dollars, hours, days; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.embed.port import Limits, Price
    from worker.estimate.found import Found
    from worker.estimate.plan import Part, Plan
    from worker.throttle.rates import Rates

_MINUTES_PER_HOUR = 60
_SECONDS_PER_HOUR = 3600
_DEVIATIONS = 2
"""Of a sample: the truth lies within them 19 times of 20."""


@immutable
class Range:
    """A number that is not known exactly."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> Range:
        """All of it so many times."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    @property
    def whole(self) -> Range:
        """Without fractions."""
        return Range(round(self.low), round(self.expected), round(self.high))

    def spread(self, share: float) -> Range:
        """The ends that much further out."""
        return Range(self.low * max(0.0, 1 - share), self.expected, self.high * (1 + share))


@immutable
class Pace:
    """What decides how fast texts can be embedded."""

    rates: Rates
    limits: Limits
    latency_s: float | None
    """Assumed, of one call; None where nobody can know, as the model runs on this machine."""


@immutable
class Purse:
    """What a token costs, and what may be spent in a day; None where that is not said."""

    price: Price | None
    tokens_per_day: int | None = None
    usd_per_day: float | None = None


@immutable
class Forecast:
    """What reading to the end takes."""

    texts: Range
    tokens: Range
    calls: Range
    usd: Range | None
    """None without a price."""
    hours: Range | None
    """Of embedding alone; None where nothing limits it but this machine."""
    limited_by: str | None
    """What decides the hours: a key of the connector, or the assumed latency."""
    days: Range | None
    """Under the budget; None without one."""


def forecast(found: Found, pace: Pace, purse: Purse) -> Forecast:
    """Scale what was found up to the whole, and divide it by what limits it."""
    tally, plan = found.tally, found.plan
    paid, most = tally.paid, tally.most
    least_texts, least_tokens = found.newest
    texts = Range(least_texts, paid.texts, most.texts)
    tokens = Range(least_tokens, paid.expected, most.high)
    if plan.is_sample:
        texts = texts.times(found.factor).spread(_spread(plan, tally.texts_by_part)).whole
        tokens = tokens.times(found.factor).spread(_spread(plan, tally.tokens_by_part)).whole
    calls = _calls(texts, found, pace.limits)
    hours, limited_by = _hours(calls, texts, tokens, pace)
    return Forecast(
        texts=texts,
        tokens=tokens,
        calls=calls,
        usd=None if purse.price is None else tokens.times(purse.price.usd(1)),
        hours=hours,
        limited_by=limited_by,
        days=_days(tokens, purse),
    )


def _spread(plan: Plan, sums: Mapping[Part, int]) -> float:
    """How far the sum of a sample may be off, as a share of it: from how its parts differ.

    The standard error of a ratio of cluster samples, with the correction for a finite population.
    """
    lengths, total = plan.lengths, sum(sums.values())
    if not total:
        return 0.0
    parts = len(lengths)
    if parts == 1:
        return 1.0
    mean = total / plan.chosen
    squares = sum((sums.get(part, 0) - mean * size) ** 2 for part, size in lengths.items())
    left_out = 1 - plan.chosen / plan.offsets
    return _DEVIATIONS * math.sqrt(left_out * squares * parts / (parts - 1)) / total


def _calls(texts: Range, found: Found, limits: Limits) -> Range:
    """Never fewer than full ones, never more than one for each text."""
    per_text = found.tally.calls / found.tally.paid.texts if found.tally.paid.texts else 0.0
    return Range(
        math.ceil(texts.low / limits.texts),
        math.ceil(texts.expected * per_text),
        math.ceil(texts.high * per_text),
    )


def _hours(
    calls: Range, texts: Range, tokens: Range, pace: Pace
) -> tuple[Range | None, str | None]:
    """The slowest of all limits decides."""
    rates = pace.rates
    needed = {
        key: units.times(1 / rate / _MINUTES_PER_HOUR)
        for key, units, rate in (
            ("embedder.requests.per.minute", calls, rates.requests),
            ("embedder.inputs.per.minute", texts, rates.inputs),
            ("embedder.tokens.per.minute", tokens, rates.tokens),
        )
        if rate
    }
    if pace.latency_s is not None:
        side_by_side = pace.limits.in_flight * _SECONDS_PER_HOUR
        needed["embedder.max.in.flight"] = calls.times(pace.latency_s / side_by_side)
    if not needed:
        return None, None
    slowest = max(needed, key=lambda key: needed[key].expected)
    return _longest(list(needed.values())), slowest


def _days(tokens: Range, purse: Purse) -> Range | None:
    """Full days of budget; the one that is reached first counts."""
    needed = []
    if purse.tokens_per_day is not None:
        needed.append(tokens.times(1 / purse.tokens_per_day))
    if purse.usd_per_day is not None and purse.price is not None:
        needed.append(tokens.times(purse.price.usd(1) / purse.usd_per_day))
    return _longest(needed) if needed else None


def _longest(ranges: list[Range]) -> Range:
    return Range(
        max(one.low for one in ranges),
        max(one.expected for one in ranges),
        max(one.high for one in ranges),
    )
