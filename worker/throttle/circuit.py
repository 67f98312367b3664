"""When not to call at all: after a 429 and in an outage, until one call has tried it.

Both end in the same way: nothing goes until a moment, then one call goes as a probe; its answer
lets everything go, or sets the next moment.

A call knows its number; they are given in the order in which calls begin. What a call tells that
began before the last thing we heard is old news:

* A failure counts only if the call began after the last answer came: after a short break of the
  network, the failures of calls that hung in it come in late.
* A 429 of a call that began before the present or last limit was over belongs to that limit: its
  Retry-After is kept, but it is no sign of being too fast.

An answer that cannot be used is an outage that costs money: one such answer is enough, and after
``MOST_UNUSABLE`` of them in a row nobody should ask on.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.throttle.backoff import Backoff

if TYPE_CHECKING:
    import random

_PROBE_S = 60.0
"""A probe without an end for so long is given up: its thread has died, or its call will be."""
_LOOK_S = (0.03, 0.5)
"""Shortest and longest wait of others for a probe under way."""


class State(StrEnum):
    """Whether calls go."""

    CLOSED = "closed"
    """As in a circuit: they do."""
    LIMITED = "limited"
    """The provider asked to wait."""
    OPEN = "open"
    """The provider does not answer."""


_LONGEST_ASKED_S = 3_600.0
"""After which a longer wait is asked about again: some send the time of day, or milliseconds."""
_FAILURES = 3
LONGEST_OUTAGE_S = 5.0
MOST_UNUSABLE = 6
"""Answers in a row that cannot be used, the one that opened the circuit included."""
_WAITS_S = {State.LIMITED: (1.0, 30.0), State.OPEN: (0.5, LONGEST_OUTAGE_S)}
"""Shortest and longest wait where nobody says how long; an outage ends unannounced."""


class Circuit:
    """State of an account, by what its calls tell. Not thread-safe."""

    def __init__(self, rng: random.Random) -> None:
        self.state = State.CLOSED
        self.episodes = 0
        """How often a provider that let calls pass began to limit them."""
        self.opened = 0
        """How often it ceased to answer."""
        self._rng = rng
        self._backoff = Backoff(*_WAITS_S[State.OPEN], rng)
        self._until_s = -math.inf
        self._latest = 0
        self._answered = 0
        self._event = 0
        self._failures = 0
        self._unusable = 0
        self._probe: int | None = None
        self._probe_s = -math.inf

    def wait_s(self, now_s: float) -> float:
        """Seconds after which to ask again; 0: a call may go, as a probe if not CLOSED."""
        if self.state is State.CLOSED:
            return 0.0
        if now_s < self._until_s:
            return self._until_s - now_s
        tried_s = now_s - self._probe_s
        if self._probe is None or tried_s >= _PROBE_S:
            return 0.0
        shortest_s, longest_s = _LOOK_S
        wait_s = min(max(shortest_s, tried_s / 4), longest_s)
        return wait_s * self._rng.uniform(1, 2)

    def left_s(self, now_s: float) -> float:
        """Seconds for which nothing goes."""
        return max(0.0, self._until_s - now_s)

    @property
    def is_suspect(self) -> bool:
        """Whether the last answer that counts could not be used."""
        return self._unusable > 0

    def gives_up(self, now_s: float) -> bool:
        """Whether to wait is vain; whoever comes after a while may try all the same."""
        return self._unusable >= MOST_UNUSABLE and now_s < self._until_s

    def begin(self, call: int, now_s: float) -> None:
        """A call goes; numbers grow."""
        self._latest = call
        if self.state is not State.CLOSED:
            self._probe, self._probe_s = call, now_s

    def answered(self, call: int, now_s: float) -> None:
        """The provider did the work, or refused this call for its content."""
        self._hear()
        self._unusable = 0
        if call == self._probe:
            self._probe = None
            self._end_of_probe(now_s)

    def limited(self, call: int, retry_after_s: float | None, now_s: float) -> None:
        """It asked to slow down."""
        self._hear()
        asked_s = _sensible(retry_after_s)
        if call == self._probe:
            self._probe = None
            self._limit(asked_s, now_s)
        elif self.state is State.CLOSED and call > self._event:
            self.episodes += 1
            self._limit(asked_s, now_s)
        elif asked_s is not None:
            self._extend(asked_s, now_s)

    def failed(self, call: int, now_s: float) -> None:
        """No answer, or one that says that the provider is broken."""
        if call == self._probe:
            self._probe = None
            self._open(now_s)
        elif self.state is State.CLOSED and call > self._answered:
            self._count_failure(now_s)

    def unusable(self, call: int, now_s: float) -> None:
        """An answer, billed, of which nothing can be used."""
        is_probe = call == self._probe
        if is_probe:
            self._probe = None
        if is_probe or (self.state is State.CLOSED and call > self._answered):
            self._unusable += 1
            self._open(now_s)

    def dropped(self, call: int) -> None:
        """It was never made; if it was the probe, another call is."""
        if call == self._probe:
            self._probe = None

    def _count_failure(self, now_s: float) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._open(now_s)

    def _hear(self) -> None:
        self._failures = 0
        self._answered = self._latest

    def _end_of_probe(self, now_s: float) -> None:
        # An older call may have been told to wait longer.
        self._become(State.LIMITED if now_s < self._until_s else State.CLOSED)

    def _limit(self, asked_s: float | None, now_s: float) -> None:
        self._become(State.LIMITED)
        self._wait(self._backoff.next_s() if asked_s is None else asked_s, now_s)

    def _extend(self, asked_s: float, now_s: float) -> None:
        if self.state is State.CLOSED:
            self._become(State.LIMITED)
        self._wait(asked_s, now_s)

    def _open(self, now_s: float) -> None:
        self._become(State.OPEN)
        self._wait(self._backoff.next_s(), now_s)

    def _wait(self, wait_s: float, now_s: float) -> None:
        self._until_s = max(self._until_s, now_s + wait_s)

    def _become(self, state: State) -> None:
        self._event = self._latest
        if state is self.state:
            return
        self.state = state
        if state is State.CLOSED:
            return
        self._backoff = Backoff(*_WAITS_S[state], self._rng)
        if state is State.OPEN:
            self.opened += 1


def _sensible(retry_after_s: float | None) -> float | None:
    """A wait that was asked for; 0, as some send it, says nothing."""
    if retry_after_s is None or not 0 < retry_after_s < math.inf:
        return None
    return min(retry_after_s, _LONGEST_ASKED_S)
