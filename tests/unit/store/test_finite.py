"""Vectors with NaN and infinity are found among the others."""

from __future__ import annotations

import numpy as np
import pytest

from worker.model import Point
from worker.store.finite import not_finite


def points(*vectors: list[float]) -> list[Point]:
    return [
        Point(str(number), np.array(vector, np.float32), {}, None)
        for number, vector in enumerate(vectors)
    ]


def test_numbers_are_finite_also_where_their_sum_is_not() -> None:
    largest = float(np.finfo(np.float32).max)
    assert not_finite(points([largest, largest], [-largest, 0.0])) == frozenset()


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_the_points_at_fault_are_named(odd: float) -> None:
    assert not_finite(points([1.0, 2.0], [3.0, odd], [4.0, 5.0])) == {"1"}


def test_no_points_are_all_finite() -> None:
    assert not_finite([]) == frozenset()
