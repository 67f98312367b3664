"""The gate of an account: what the threads see that call a provider."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.throttle.circuit import LONGEST_OUTAGE_S, MOST_UNUSABLE, State
from worker.throttle.members import Members
from worker.throttle.rates import Load, Rates
from worker.throttle.traffic import Call, Traffic

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Hashable, Iterator
    from contextlib import AbstractContextManager

    from worker.clock import Clock
    from worker.throttle.circuit import Circuit

_log = logging.getLogger(__name__)

_LONG_S = 1000.0
"""Is written out, not as a power of ten."""


@immutable
class Numbers:
    """What metrics show of a gate; the last two only grow."""

    state: State
    waiting: int
    """Threads that were sent away and are expected back."""
    in_flight: int
    """Calls under way."""
    limited: int
    """Calls that were answered 429."""
    opened: int
    """How often the provider ceased to answer."""


class Gate:
    """Lets calls of an account pass, or says when to ask again. Thread-safe; never waits itself.

    A thread makes one call at a time: by the thread we know who comes back, and keep its place.
    """

    def __init__(
        self,
        provider: str,
        clock: Clock,
        rng: random.Random,
        caller: Callable[[], Hashable] = threading.get_ident,
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._caller = caller
        self._lock = threading.Lock()
        self._members = Members()
        self._traffic = Traffic(rng, clock.now_s())
        self._trouble = ""

    def enter(self, inputs: int, tokens: int) -> Pass | float:
        """A pass: call now, and end the pass. A float: seconds after which to ask again.

        ``tokens`` is an estimate that is rather too high than too low.
        """
        load = Load(1, inputs, tokens)
        with self._lock:
            answer = self._traffic.enter(self._caller(), load, self._clock.now_s())
        return Pass(answer, self._following) if isinstance(answer, Call) else answer

    @property
    def largest_inputs(self) -> int | None:
        """Texts that one call may hold at most; None is no limit."""
        with self._lock:
            return _whole(self._members.rates.inputs)

    @property
    def largest_tokens(self) -> int | None:
        """Tokens that one call may hold at most; None is no limit."""
        with self._lock:
            return _whole(self._members.rates.tokens)

    @property
    def state(self) -> State:
        """Whether calls go."""
        return self._traffic.circuit.state

    @property
    def trouble(self) -> str:
        """Why calls do not go, for people; of the last time if they do."""
        return self._trouble

    @property
    def is_suspect(self) -> bool:
        """Whether the last answer could not be used: a text less dear than a row's goes first."""
        return self._traffic.circuit.is_suspect

    @property
    def gives_up(self) -> bool:
        """Whether so many answers in a row could not be used that waiting is vain."""
        with self._lock:
            return self._traffic.circuit.gives_up(self._clock.now_s())

    @property
    def numbers(self) -> Numbers:
        """What metrics show."""
        traffic = self._traffic
        with self._lock:
            return Numbers(
                state=traffic.circuit.state,
                waiting=traffic.line.waiting(self._clock.now_s()),
                in_flight=traffic.in_flight,
                limited=traffic.limited_answers,
                opened=traffic.circuit.opened,
            )

    def name(self, member: Hashable, rates: Rates) -> None:
        """A member says what the account may do; the lowest of all members holds."""
        with self._lock:
            self._members.name(member, rates)
            self._traffic.allow(self._members.rates, self._clock.now_s())

    def hold(self, member: str, held: int, total: int) -> None:
        """A member, with all its tasks, holds so many of its partitions here.

        What is held of the partitions of all members is our share of each limit; without a word
        from anybody it is everything.
        """
        with self._lock:
            self._members.hold(member, held, total)
            self._traffic.allow(self._members.rates, self._clock.now_s())

    def leave(self, member: str) -> None:
        """A member is gone, and so are the limits that it named; unknown ones are ignored."""
        with self._lock:
            self._members.leave(member)
            self._traffic.allow(self._members.rates, self._clock.now_s())

    @contextmanager
    def _following(self, what: str = "") -> Iterator[tuple[Traffic, float]]:
        """Traffic and time for the end of a call; what it changes is said without the lock."""
        with self._lock:
            now_s = self._clock.now_s()
            before = self._traffic.circuit.state
            yield self._traffic, now_s
            self._traffic.follow(now_s)
            after = self._traffic.circuit.state
            left_s = self._traffic.circuit.left_s(now_s)
            if after is State.LIMITED:
                self._trouble = f"{self._provider} asks us to slow down"
            elif what:
                self._trouble = what
        if after is not before:
            _say(self._provider, self._traffic.circuit, left_s, what)


class Pass:
    """A call under way. Exactly one of its methods is called at its end; a second has no effect."""

    __slots__ = ("_call", "_following")

    def __init__(
        self, call: Call, following: Callable[..., AbstractContextManager[tuple[Traffic, float]]]
    ) -> None:
        self._call = call
        self._following = following

    def passed(self, tokens: int) -> None:
        """It was answered; ``tokens`` are those billed, 0 if the provider does not say."""
        with self._following() as (traffic, now_s):
            traffic.passed(self._call, tokens, now_s)

    def limited(self, retry_after_s: float | None) -> None:
        """The provider asked to slow down (429), for so many seconds if it said so."""
        with self._following() as (traffic, now_s):
            traffic.limited(self._call, retry_after_s, now_s)

    def failed(self, what: str = "The provider does not answer") -> None:
        """An outage: 5xx, no connection, no answer in time; ``what`` is for people."""
        with self._following(what) as (traffic, now_s):
            traffic.failed(self._call, now_s)

    def unusable(self, what: str) -> None:
        """An answer, billed, of which nothing can be used; ``what`` is for people."""
        with self._following(what) as (traffic, now_s):
            traffic.unusable(self._call, now_s)

    def refused(self) -> None:
        """The provider works, and refused this call (400) or all of ours (401, 403)."""
        with self._following() as (traffic, now_s):
            traffic.refused(self._call, now_s)

    def dropped(self) -> None:
        """The call was never made: what it took is given back."""
        with self._following() as (traffic, now_s):
            traffic.dropped(self._call, now_s)


def _whole(limit: float | None) -> int | None:
    return None if limit is None else max(1, int(limit))


def _say(provider: str, circuit: Circuit, left_s: float, what: str) -> None:
    if circuit.state is State.LIMITED:
        time = f"{left_s:.3g}" if left_s < _LONG_S else f"{left_s:,.0f}"
        _log.warning("%s asks us to slow down: limited for %s s.", provider, time)
    elif circuit.state is State.OPEN and circuit.is_suspect:
        _log.warning("%s; asking again with a short text, %d times.", what, MOST_UNUSABLE - 1)
    elif circuit.state is State.OPEN:
        _log.warning(
            "%s; asking again, every %g s at most, until it works.", what, LONGEST_OUTAGE_S
        )
    else:
        _log.info("%s works again.", provider)
