"""Callers that share a gate, and providers that answer them, on a clock that jumps."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol

from worker.clock import FakeClock
from worker.throttle.gate import Gate, Pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.throttle.rates import Rates


@dataclass(frozen=True)
class Sent:
    """A call, as the provider sees it."""

    at_s: float
    caller: int
    inputs: int
    tokens: int


class Provider(Protocol):
    def answer(self, call: Sent, passing: Pass) -> float:
        """Seconds until the answer; ``Simulation`` then calls ``end``."""
        ...

    def end(self, call: Sent, passing: Pass) -> None: ...


class Willing:
    """Takes everything."""

    def __init__(self, latency_s: Callable[[], float] = lambda: 0.5, billed: float = 1.0) -> None:
        self._latency_s = latency_s
        self._billed = billed

    def answer(self, call: Sent, passing: Pass) -> float:
        return self._latency_s()

    def end(self, call: Sent, passing: Pass) -> None:
        passing.passed(round(call.tokens * self._billed))


class Strict:
    """Answers 429 to calls above its limit in a sliding window, and says how long to wait."""

    def __init__(self, limit: int, window_s: float, *, latency_s: float = 0.3, tells: bool) -> None:
        self._limit = limit
        self._window_s = window_s
        self._latency_s = latency_s
        self._tells = tells
        self._taken: deque[float] = deque()
        self._retry_s: dict[int, float] = {}
        self.passed = 0
        self.limited = 0

    def answer(self, call: Sent, passing: Pass) -> float:
        while self._taken and self._taken[0] <= call.at_s - self._window_s:
            self._taken.popleft()
        if len(self._taken) < self._limit:
            self._taken.append(call.at_s)
            return self._latency_s
        self._retry_s[id(passing)] = self._taken[0] + self._window_s - call.at_s
        return 0.05

    def end(self, call: Sent, passing: Pass) -> None:
        retry_s = self._retry_s.pop(id(passing), None)
        if retry_s is None:
            self.passed += 1
            passing.passed(0)
            return
        self.limited += 1
        passing.limited(retry_s if self._tells else None)


class Away:
    """Fails between two moments, and works else."""

    def __init__(self, from_s: float, to_s: float, latency_s: float = 0.2) -> None:
        self._from_s = from_s
        self._to_s = to_s
        self._latency_s = latency_s

    def answer(self, call: Sent, passing: Pass) -> float:
        return self._latency_s

    def end(self, call: Sent, passing: Pass) -> None:
        if self._from_s <= call.at_s < self._to_s:
            passing.failed()
        else:
            passing.passed(0)


@dataclass
class Simulation:
    """So many callers without a pause; each is up to ``late_s`` late after a wait."""

    provider: Provider
    rates: Rates
    callers: int = 16
    late_s: float = 0.02
    seed: int = 1
    sizes: Callable[[random.Random, int], tuple[int, int]] = lambda _rng, _caller: (96, 10_000)
    """(inputs, tokens) of a caller's next call."""
    sent: list[Sent] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = FakeClock(0.0)
        self.rng = random.Random(self.seed)
        self._caller = 0
        self.gate = Gate("test", self.clock, self.rng, lambda: self._caller)
        self.gate.name("connector", self.rates)
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        for caller in range(self.callers):
            self.at(0.0, self._asking(caller, self.sizes(self.rng, caller)))

    def at(self, at_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_s, next(self._order), what))

    def run(self, until_s: float) -> Simulation:
        while self._events and self._events[0][0] <= until_s:
            at_s, _, what = heapq.heappop(self._events)
            self.clock.advance(max(0.0, at_s - self.clock.now_s()))
            what()
        return self

    def _asking(self, caller: int, size: tuple[int, int]) -> Callable[[], None]:
        return lambda: self._ask(caller, size)

    def _ask(self, caller: int, size: tuple[int, int]) -> None:
        now_s = self.clock.now_s()
        self._caller = caller
        self.asked.append(now_s)
        answer = self.gate.enter(*size)
        if not isinstance(answer, Pass):
            assert answer > 0
            late_s = self.rng.uniform(0, self.late_s)
            self.at(now_s + answer + late_s, self._asking(caller, size))
            return
        call = Sent(now_s, caller, *size)
        self.sent.append(call)
        latency_s = self.provider.answer(call, answer)
        self.at(now_s + latency_s, lambda: self._end(call, answer))

    def _end(self, call: Sent, passing: Pass) -> None:
        self.provider.end(call, passing)
        self._ask(call.caller, self.sizes(self.rng, call.caller))


def most_in_a_window(sent: list[Sent], of: Callable[[Sent], int], window_s: float = 60.0) -> int:
    """The most that any window holds; those that begin with a call suffice."""
    inside: deque[Sent] = deque()
    total = most = 0
    for call in sent:
        inside.append(call)
        total += of(call)
        while inside[0].at_s <= call.at_s - window_s:
            total -= of(inside.popleft())
        most = max(most, total)
    return most


def per_minute(
    sent: list[Sent], of: Callable[[Sent], int], from_s: float = 0.0, to_s: float = math.inf
) -> float:
    """The average of what was sent in a span."""
    return 60 * sum(of(call) for call in sent if from_s <= call.at_s < to_s) / (to_s - from_s)
