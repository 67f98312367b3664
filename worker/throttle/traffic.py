"""Which call goes when: line, quota, speed and circuit as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.throttle.circuit import Circuit, State
from worker.throttle.line import Line
from worker.throttle.quota import Quota, Receipt
from worker.throttle.rates import Load
from worker.throttle.speed import Speed

if TYPE_CHECKING:
    import random
    from collections.abc import Hashable

    from worker.throttle.rates import Rates

_SOONEST_S = 0.005
"""No wait is shorter, so that one that is wrong in the last decimal place ends."""
_LOOK_AGAIN_S = 0.25
"""No wait for a place in the line is longer: calls end, and may have taken less than was thought.

As long as ``pace.SLACK_S``, so that nothing is lost by coming back so late.
"""


@immutable
class Call:
    """A call under way."""

    number: int
    load: Load
    receipt: Receipt


class Traffic:
    """The calls of an account. Not thread-safe: ``Gate`` has the lock."""

    def __init__(self, rng: random.Random, now_s: float) -> None:
        self.circuit = Circuit(rng)
        self.line = Line()
        self._quota = Quota(now_s)
        self.limited_answers = 0
        self._speed = Speed()
        self._under_way: set[int] = set()
        self._state = State.CLOSED
        self._episodes = 0
        self._last = 0

    @property
    def in_flight(self) -> int:
        """Calls that have begun and not ended."""
        return len(self._under_way)

    def allow(self, rates: Rates, now_s: float) -> None:
        """Set the limits per minute."""
        self._quota.allow(rates, now_s)

    def enter(self, caller: Hashable, load: Load, now_s: float) -> Call | float:
        """A call that goes now, or the seconds after which the caller asks again."""
        wait_s = self._wait_s(load, self.line.ahead(caller, now_s), now_s)
        if wait_s > 0:
            self.line.stand(caller, load, now_s + wait_s)
            return wait_s
        self.line.leave(caller)
        return self._begin(load, now_s)

    def passed(self, call: Call, tokens: int, now_s: float) -> None:
        """It was answered; 0 tokens: the provider does not say how many it bills."""
        if not self._ends(call):
            return
        if tokens > 0:
            self._quota.correct(call.receipt, call.load._replace(tokens=tokens), now_s)
        self.circuit.answered(call.number, now_s)

    def limited(self, call: Call, retry_after_s: float | None, now_s: float) -> None:
        """A 429; it may count against the limits, so what it took stays taken."""
        if self._ends(call):
            self.limited_answers += 1
            self.circuit.limited(call.number, retry_after_s, now_s)

    def failed(self, call: Call, now_s: float) -> None:
        """An outage; the work may have been done, so what it took stays taken."""
        if self._ends(call):
            self.circuit.failed(call.number, now_s)

    def unusable(self, call: Call, now_s: float) -> None:
        """An answer that cannot be used; it is billed, so what it took stays taken."""
        if self._ends(call):
            self.circuit.unusable(call.number, now_s)

    def refused(self, call: Call, now_s: float) -> None:
        """A refusal by a provider that works."""
        if self._ends(call):
            self.circuit.answered(call.number, now_s)

    def dropped(self, call: Call, now_s: float) -> None:
        """It was never made."""
        if self._ends(call):
            self._quota.correct(call.receipt, Load(), now_s)
            self.circuit.dropped(call.number)

    def follow(self, now_s: float) -> None:
        """Tell the speed what the circuit has become; after each end of a call."""
        before, self._state = self._state, self.circuit.state
        if self.circuit.episodes > self._episodes:
            self._episodes = self.circuit.episodes
            self._speed.limited(now_s)
        if self._state is not State.CLOSED:
            self._speed.stop(now_s)
        elif before is not State.CLOSED:
            self._speed.go(now_s)
        if before is State.LIMITED and self._state is State.CLOSED:
            self._speed.ended(now_s)

    def _wait_s(self, load: Load, ahead: Load, now_s: float) -> float:
        shut_s = self.circuit.wait_s(now_s)
        if shut_s > 0:
            return max(shut_s, _SOONEST_S)
        wait_s = self._quota.wait_s(load, ahead, now_s)
        if self.circuit.state is State.CLOSED:  # a probe is one at a time, and speed's clock stands
            wait_s = max(wait_s, self._speed.wait_s(ahead.requests, self.in_flight, now_s))
        return min(max(wait_s, _SOONEST_S), _LOOK_AGAIN_S) if wait_s > 0 else 0.0

    def _begin(self, load: Load, now_s: float) -> Call:
        self._last += 1
        self._under_way.add(self._last)
        self._speed.call(now_s)
        self.circuit.begin(self._last, now_s)
        return Call(self._last, load, self._quota.take(load, now_s))

    def _ends(self, call: Call) -> bool:
        """Whether it had not ended before."""
        if call.number not in self._under_way:
            return False
        self._under_way.remove(call.number)
        return True
