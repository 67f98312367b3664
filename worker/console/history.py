"""The last hour of a connector: cumulative numbers, from which rates and percentiles are made."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.telemetry.freshness import BOUNDS_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.overview.standing import Standing
    from worker.telemetry.reading import Reading

EVERY_S = 10.0
"""Between two samples."""
_MOST = 361
"""An hour."""
_SMOOTH = 6
"""Samples that a rate or a percentile looks back: a minute."""
_FEW = 2
"""Samples that a rate needs."""


@immutable
class Sample:
    """One moment. What is counted grows from the start of the process."""

    at_ms: int
    """Unix time."""
    behind: int | None = None
    """Rows that the whole group has before it; None while nobody knows."""
    behind_s: float | None = None
    finished: int = 0
    """Records, of this pod; as all that follows."""
    texts: int = 0
    """Embedded."""
    tokens: int = 0
    usd: float = 0.0
    ages: tuple[int, ...] = ()
    """Freshness: changes by bucket of ``BOUNDS_S``."""

    @classmethod
    def of(cls, at_ms: int, reading: Reading | None, standing: Standing | None) -> Sample:
        """What is known of a connector; ``standing`` is the newer word on what is behind."""
        if reading is None:
            return cls(at_ms, None if standing is None else standing.behind)
        counters = reading.counters
        lag = sum(reading.lag.values()) if reading.lag else None
        return cls(
            at_ms=at_ms,
            behind=lag if standing is None else standing.behind,
            behind_s=max(reading.lag_s.values(), default=None),
            finished=counters.finished,
            texts=counters.bill.texts,
            tokens=counters.bill.tokens,
            usd=counters.bill.usd,
            ages=_ages(reading),
        )


class History:
    """Bounded. One thread adds, others read."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=_MOST)

    def add(self, sample: Sample) -> None:
        """The newest."""
        self._samples.append(sample)

    def samples(self) -> Sequence[Sample]:
        """The oldest first."""
        return list(self._samples)


@immutable
class Moment:
    """What a chart shows of a sample."""

    at_ms: int
    behind: int | None
    behind_s: float | None
    p50_s: float | None
    """Freshness; None where nothing was written in the minute before."""
    p95_s: float | None
    rows_per_s: float | None
    texts_per_s: float | None
    tokens_per_s: float | None
    usd_per_h: float | None


def moments(samples: Sequence[Sample]) -> Iterator[Moment]:
    """One for each sample."""
    for number, sample in enumerate(samples):
        yield _moment(samples[max(0, number - _SMOOTH) : number], sample)


def last_minute(samples: Sequence[Sample]) -> Moment | None:
    """The newest moment; None without samples."""
    return _moment(samples[-_SMOOTH - 1 : -1], samples[-1]) if samples else None


def _moment(before: Sequence[Sample], sample: Sample) -> Moment:
    first = before[0] if before else sample
    seconds = (sample.at_ms - first.at_ms) / 1000
    counts = _grown(first.ages, sample.ages)

    def rate(then: float, now: float) -> float | None:
        return _growth(then, now) / seconds if seconds > 0 else None

    usd_per_s = rate(first.usd, sample.usd)
    return Moment(
        at_ms=sample.at_ms,
        behind=sample.behind,
        behind_s=sample.behind_s,
        p50_s=percentile(counts, 0.5),
        p95_s=percentile(counts, 0.95),
        rows_per_s=rate(first.finished, sample.finished),
        texts_per_s=rate(first.texts, sample.texts),
        tokens_per_s=rate(first.tokens, sample.tokens),
        usd_per_h=None if usd_per_s is None else usd_per_s * 3600,
    )


def percentile(counts: Sequence[int], share: float) -> float | None:
    """In seconds, as Prometheus estimates it from buckets; None where nothing was counted."""
    total = sum(counts)
    if not total:
        return None
    wanted, below, lower = share * total, 0.0, 0.0
    for count, upper in zip(counts, BOUNDS_S, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below += count
        lower = upper
    return BOUNDS_S[-1]


def _ages(reading: Reading) -> tuple[int, ...]:
    """Of all tables together."""
    by_table = list(dict(reading.counters.freshness.by_table).values())
    return tuple(int(sum(column)) for column in zip(*(one.counts for one in by_table), strict=True))


def _grown(then: Sequence[int], now: Sequence[int]) -> list[int]:
    """By bucket; from nothing where counting began, or began anew."""
    if len(then) != len(now) or sum(then) > sum(now):
        return list(now)
    return [int(_growth(one, other)) for one, other in zip(then, now, strict=True)]


def _growth(then: float, now: float) -> float:
    """Tasks that restart begin at zero."""
    return now - then if now >= then else now
