"""The histogram that batches are added to."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.telemetry.freshness import BOUNDS_S, Freshness

NOW_MS = 1_700_000_000_000


@given(st.lists(st.lists(st.integers(-10_000, 10**9), min_size=1, max_size=20), min_size=1))
def test_every_age_is_in_its_bucket_however_they_come_in_batches(
    batches: list[list[int]],
) -> None:
    freshness = Freshness()
    for ages_ms in batches:
        freshness.record("products", [NOW_MS - age for age in ages_ms], NOW_MS)
    expected = [0] * (len(BOUNDS_S) + 1)
    every = [max(age, 0) / 1000 for ages_ms in batches for age in ages_ms]
    for age_s in every:
        expected[bisect_left(BOUNDS_S, age_s)] += 1
    found = freshness.by_table["products"]
    assert found.counts.tolist() == expected
    assert found.sum_s == pytest.approx(sum(every))
    assert (found.least_s, found.most_s) == (min(every), max(every))


def test_what_comes_from_the_future_took_no_time() -> None:
    freshness = Freshness()
    freshness.record("products", [NOW_MS + 5000], NOW_MS)
    assert freshness.by_table["products"].sum_s == 0.0


def test_merging_adds_up_and_changes_neither() -> None:
    ours, theirs = Freshness(), Freshness()
    ours.record("products", [NOW_MS - 1000], NOW_MS)
    theirs.record("products", [NOW_MS - 2000], NOW_MS)
    theirs.record("reviews", [NOW_MS], NOW_MS)
    merged = ours.merged(theirs)
    assert merged.by_table["products"].sum_s == 3.0
    assert merged.by_table["reviews"].counts.sum() == 1
    assert ours.by_table.keys() == {"products"}
    assert ours.by_table["products"].counts.sum() == 1
