"""How old changes are when the index has them, as the workers' own histograms tell."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.stack.pods import Pod

BUCKET = re.compile(
    r'^vecsink_freshness_seconds_bucket{.*?le="([^"]+)".*?} ([0-9.e+]+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Freshness:
    """Changes by the upper bound of their age in seconds, cumulated as Prometheus has them."""

    counts: Mapping[float, float]

    @classmethod
    def of(cls, pods: Sequence[Pod]) -> Freshness:
        """All tables of all these workers since they started."""
        counts: dict[float, float] = {}
        for pod in pods:
            page = httpx.get(f"http://{pod.worker_id}/metrics", timeout=30.0).text
            for bound, count in BUCKET.findall(page):
                counts[float(bound)] = counts.get(float(bound), 0.0) + float(count)
        return cls(counts)

    def __sub__(self, earlier: Freshness) -> Freshness:
        """What came after an earlier look."""
        return Freshness(
            {bound: count - earlier.counts.get(bound, 0.0) for bound, count in self.counts.items()}
        )

    @property
    def total(self) -> float:
        """All changes."""
        return max(self.counts.values(), default=0.0)

    def share_within(self, seconds: float) -> float:
        """The part of the changes that took no longer than one of the bounds."""
        return self.counts[seconds] / self.total


def steadily(change: Callable[[int], object], per_s: float, seconds: float) -> float:
    """Call it at an even rate; the rate that was kept, per second."""
    begun_s = time.monotonic()
    count = int(per_s * seconds)
    for number in range(count):
        time.sleep(max(0.0, begun_s + number / per_s - time.monotonic()))
        change(number)
    return count / (time.monotonic() - begun_s)
