"""Faults on purpose: latency, failing calls, strange answers, texts that are refused."""

from __future__ import annotations

import random
import threading
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from worker.clock import Clock


class Kind(StrEnum):
    """What goes wrong with a call."""

    STATUS = "status"
    """It is answered with ``status``."""
    CUT = "cut"
    """The connection is closed in the middle of an answer."""
    SHUFFLED = "shuffled"
    """The vectors come in another order; their ``index`` says which is which."""
    MISSING = "missing"
    """One vector too few."""
    EXTRA = "extra"
    """One vector too many."""
    WRONG_LENGTH = "wrong-length"
    """Vectors that are one number shorter."""
    NAN = "nan"
    ZERO = "zero"
    GARBAGE = "garbage"
    """An answer that is no JSON."""
    TORN = "torn"
    """Vectors that are no base64."""
    SLOW = "slow"
    """Nothing but ``delay_s``."""


class Fate(StrEnum):
    """What happens to a text that contains a marker."""

    REFUSED = "refused"
    """Its call is answered with 400 and a message that quotes it."""
    NAN = "nan"
    ZERO = "zero"


class FaultRule(BaseModel):
    """Which calls go wrong, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = Field(default="", description="cohere, openai, voyage, compatible; empty: all.")
    kind: Kind = Kind.STATUS
    status: int = Field(default=503, ge=300, le=599, description="HTTP status, for kind status.")
    code: str = Field(default="", description="Code in the error, where the provider has codes.")
    param: str = Field(default="", description="Parameter in the error, likewise.")
    message: str = "injected fault"
    headers: dict[str, str] = Field(default={}, description="Such as retry-after.")
    delay_s: float = Field(default=0.0, ge=0, description="Wait before the answer.")
    skip: int = Field(default=0, ge=0, description="Matching calls that pass first.")
    count: int | None = Field(default=None, ge=0, description="How many go wrong; none: no end.")
    seconds: float | None = Field(default=None, gt=0, description="For how long, from the first.")
    rate: float = Field(default=1.0, ge=0, le=1, description="Share of matching calls.")
    applied: bool = Field(default=False, description="Do the work and bill it, then go wrong.")

    @property
    def is_failure(self) -> bool:
        """Whether no vectors come at all."""
        return self.kind in (Kind.STATUS, Kind.CUT)


class PerMinute(BaseModel):
    """What each key may do in a minute; none is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: int | None = Field(default=None, ge=1)
    inputs: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    window_s: float = Field(default=60.0, gt=0, description="Length of the minute, for tests.")


class Faults(BaseModel):
    """All switches; the default is a healthy server without limits per minute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_s: float = Field(default=0.0, ge=0, description="Wait before each answer.")
    jitter_s: float = Field(default=0.0, ge=0, description="Up to this much more, at random.")
    per_minute: PerMinute = PerMinute()
    markers: dict[str, Fate] = Field(default={}, description="By part of a text: its fate.")
    rules: list[FaultRule] = []
    seed: int = Field(default=0, description="Of the random numbers behind jitter and rates.")


HEALTHY = Faults()


class FaultInjector:
    """Counts calls and rolls the dice; safe to reconfigure from any thread."""

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
            self._since: list[float | None] = [None] * len(faults.rules)

    def judge(self, provider: str) -> tuple[float, FaultRule | None]:
        """What happens to the next call: seconds to wait, and the first rule that applies."""
        with self._lock:
            delay_s = self._faults.latency_s + self._random.uniform(0, self._faults.jitter_s)
            for at, rule in enumerate(self._faults.rules):
                if rule.provider in ("", provider) and self._applies(at, rule):
                    return delay_s + rule.delay_s, rule
            return delay_s, None

    def _applies(self, at: int, rule: FaultRule) -> bool:
        self._seen[at] += 1
        if self._seen[at] <= rule.skip or self._is_over(at, rule):
            return False
        if self._random.random() >= rule.rate:
            return False
        self._failed[at] += 1
        self._since[at] = self._clock.now_s() if self._since[at] is None else self._since[at]
        return True

    def _is_over(self, at: int, rule: FaultRule) -> bool:
        if rule.count is not None and self._failed[at] >= rule.count:
            return True
        since = self._since[at]
        return (
            rule.seconds is not None
            and since is not None
            and self._clock.now_s() - since >= rule.seconds
        )
