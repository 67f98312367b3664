"""An hour of cumulative numbers becomes rates and percentiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.console.history import EVERY_S, History, Sample, last_minute, moments, percentile
from worker.telemetry.freshness import BOUNDS_S

NOTHING = (0,) * (len(BOUNDS_S) + 1)


def sample(number: int, **more: object) -> Sample:
    return Sample(at_ms=int(number * EVERY_S * 1000), **more)  # type: ignore[arg-type]


def aged(**by_bucket: int) -> tuple[int, ...]:
    return tuple(by_bucket.get(f"b{bucket}", 0) for bucket in range(len(NOTHING)))


def test_a_rate_is_what_has_grown_in_the_minute_before() -> None:
    samples = [sample(number, finished=number * 50, tokens=number * 10) for number in range(20)]
    newest = last_minute(samples)
    assert newest is not None
    assert newest.rows_per_s == pytest.approx(5.0)
    assert newest.tokens_per_s == pytest.approx(1.0)


def test_the_first_sample_has_no_rate() -> None:
    (only,) = moments([sample(0, finished=100)])
    assert only.rows_per_s is None


def test_tasks_that_restart_count_from_nothing() -> None:
    before, after = (
        sample(0, finished=1000, ages=aged(b1=90)),
        sample(1, finished=30, ages=aged(b3=3)),
    )
    newest = last_minute([before, after])
    assert newest is not None
    assert newest.rows_per_s == pytest.approx(3.0)
    assert newest.p95_s is not None
    assert 0.5 < newest.p95_s <= 1.0


def test_no_change_in_the_minute_means_that_nobody_knows_how_fresh_it_is() -> None:
    samples = [sample(number, ages=aged(b1=7)) for number in range(10)]
    assert [one.p95_s for one in moments(samples)] == [None] * 10


def test_the_first_change_of_all_has_its_freshness() -> None:
    newest = last_minute([sample(0), sample(1, ages=aged(b1=3))])
    assert newest is not None
    assert newest.p50_s is not None


def test_only_the_last_minute_counts_for_freshness() -> None:
    slow_once = [sample(number, ages=aged(b9=100)) for number in range(2)]
    quick_since = [sample(number, ages=aged(b9=100, b0=number)) for number in range(2, 20)]
    newest = last_minute([*slow_once, *quick_since])
    assert newest is not None
    assert newest.p95_s is not None
    assert newest.p95_s <= 0.1


def test_an_hour_is_kept_and_no_more() -> None:
    history = History()
    for number in range(1000):
        history.add(sample(number))
    kept = history.samples()
    assert kept[-1].at_ms - kept[0].at_ms == 3600 * 1000


@given(st.lists(st.integers(0, 50), min_size=len(NOTHING), max_size=len(NOTHING)), st.floats(0, 1))
def test_a_percentile_lies_in_the_bucket_that_holds_it(counts: list[int], share: float) -> None:
    found = percentile(counts, share)
    if not sum(counts):
        assert found is None
        return
    assert found is not None
    begun = sum(n for n, start in zip(counts, (0.0, *BOUNDS_S), strict=True) if start <= found)
    ended = sum(n for n, end in zip(counts, BOUNDS_S, strict=False) if end < found)
    assert ended <= share * sum(counts) + 1e-9
    assert begun >= share * sum(counts) - 1e-9
