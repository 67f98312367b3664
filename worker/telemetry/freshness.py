"""How long changes took from their commit in the database until the index had them, by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from worker.telemetry.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
"""Upper bounds of the buckets; one more bucket has none."""
_BOUNDS_MS = np.array(BOUNDS_S) * 1000.0


class Ages(NamedTuple):
    """Of changes, when the index had them."""

    counts: NDArray[np.int64]
    """By bucket."""
    sum_s: float
    least_s: float
    most_s: float

    @classmethod
    def of(cls, committed_ms: Sequence[int], now_ms: float) -> Ages:
        """Of at least one; in Unix time. What comes from the future took no time: clocks differ."""
        ages_ms = np.maximum(now_ms - np.array(committed_ms, dtype=np.float64), 0.0)
        counts = np.bincount(np.searchsorted(_BOUNDS_MS, ages_ms), minlength=len(BOUNDS_S) + 1)
        ages_s = ages_ms / 1000
        return cls(counts, float(ages_s.sum()), float(ages_s.min()), float(ages_s.max()))

    @property
    def spread(self) -> Spread:
        """The same in plain numbers."""
        made = Spread(BOUNDS_S)
        made.counts = [int(count) for count in self.counts]
        made.total, made.least, made.most = self.sum_s, self.least_s, self.most_s
        return made

    def plus(self, other: Ages) -> Ages:
        """Both together."""
        return Ages(
            self.counts + other.counts,
            self.sum_s + other.sum_s,
            min(self.least_s, other.least_s),
            max(self.most_s, other.most_s),
        )


class Freshness:
    """Costs a few numpy calls for a batch. Written by one thread, read by others."""

    def __init__(self) -> None:
        self.by_table: dict[str, Ages] = {}

    def record(self, table: str, committed_ms: Sequence[int], now_ms: float) -> None:
        """Changes of one table that the index has now."""
        self._add(table, Ages.of(committed_ms, now_ms))

    def merged(self, other: Freshness) -> Freshness:
        """The sum of both, as a new object."""
        made = Freshness()
        made.by_table.update(self.by_table)
        for table, ages in dict(other.by_table).items():
            made._add(table, ages)
        return made

    def _add(self, table: str, ages: Ages) -> None:
        known = self.by_table.get(table)
        self.by_table[table] = ages if known is None else known.plus(ages)
