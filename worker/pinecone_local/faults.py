"""Faults on purpose: latency, failing calls, rate limits, writes that become visible late."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.clock import Clock


class FaultRule(BaseModel):
    """Which calls fail, and how. A rule without operations applies to all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: list[str] = Field(default=[], description="Names as in /_local/stats.")
    index: str = Field(default="", description="Only calls to this index; empty for all.")
    status: int = Field(default=503, ge=0, le=599, description="HTTP status; 0 hangs up.")
    message: str = Field(default="injected fault")
    retry_after_s: float | None = Field(default=None, ge=0)
    skip: int = Field(default=0, ge=0, description="Matching calls that pass first.")
    count: int | None = Field(default=None, ge=0, description="How many fail; none: no end.")
    rate: float = Field(default=1.0, ge=0, le=1, description="Share of matching calls that fail.")
    applied: bool = Field(default=False, description="Do the work, then lose the answer.")


class Faults(BaseModel):
    """All switches; the default is a healthy server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_s: float = Field(default=0.0, ge=0, description="Wait before each answer.")
    jitter_s: float = Field(default=0.0, ge=0, description="Up to this much more, at random.")
    visibility_s: float = Field(default=0.0, ge=0, description="Time until reads see a write.")
    rate_limit_per_s: float | None = Field(
        default=None, gt=0, description="Calls per second for each operation of each index."
    )
    rules: list[FaultRule] = Field(default=[])
    seed: int = Field(default=0, description="Of the random numbers behind jitter and rates.")


@immutable
class Verdict:
    """What happens to one call: a wait, and perhaps a failure."""

    delay_s: float
    rule: FaultRule | None = None


HEALTHY = Faults()
TOO_MANY = FaultRule(status=429, message="Too many requests", retry_after_s=1.0)


class FaultInjector:
    """Counts and rolls the dice; safe to reconfigure from any thread."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self.configure(faults)

    @property
    def faults(self) -> Faults:
        """The switches as they stand."""
        return self._faults

    def configure(self, faults: Faults) -> None:
        """Set all switches and begin to count anew."""
        with self._lock:
            self._faults = faults
            self._random = random.Random(faults.seed)  # noqa: S311 - dice for tests, no secrets
            self._seen = [0] * len(faults.rules)
            self._failed = [0] * len(faults.rules)
            self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def judge(self, operation: str, index: str) -> Verdict:
        """Decide about one call."""
        with self._lock:
            delay = self._faults.latency_s + self._random.uniform(0, self._faults.jitter_s)
            if self._is_over_limit(operation, index):
                return Verdict(delay, TOO_MANY)
            return Verdict(delay, self._failing(operation, index))

    def _failing(self, operation: str, index: str) -> FaultRule | None:
        for at, rule in enumerate(self._faults.rules):
            if (rule.operations and operation not in rule.operations) or (
                rule.index not in ("", index)
            ):
                continue
            self._seen[at] += 1
            exhausted = rule.count is not None and self._failed[at] >= rule.count
            if self._seen[at] <= rule.skip or exhausted or self._random.random() >= rule.rate:
                continue
            self._failed[at] += 1
            return rule
        return None

    def _is_over_limit(self, operation: str, index: str) -> bool:
        """Token bucket that holds one second's worth."""
        rate = self._faults.rate_limit_per_s
        if rate is None:
            return False
        now = self._clock.now_s()
        most = max(1.0, rate)
        tokens, since = self._buckets.get((operation, index), (most, now))
        tokens = min(most, tokens + (now - since) * rate)
        over = tokens < 1.0
        self._buckets[operation, index] = (tokens if over else tokens - 1.0, now)
        return over
