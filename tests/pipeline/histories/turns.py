"""Batches in threads that take turns with the test: at any time only one thread runs.

So a history happens again exactly, and needs no waiting. A thread runs until it stands before a
call, waits for time to pass, or ends; then the test goes on, and decides who is next.
"""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from worker.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.flow.entry import Work
    from worker.model import Point

T = TypeVar("T")
SLEEP = "sleep"


class End(Enum):
    """How a call ends."""

    DONE = "done"
    FAILED = "failed"
    """Nothing happened, and the caller hears of an outage."""
    UNSURE = "unsure"
    """It happened, but the caller hears of an outage."""
    KILLED = "killed"
    """Nothing happened, and the caller's process is gone."""
    LAST = "last"
    """It happened, and the caller's process is gone."""


class Killed(BaseException):
    """The process of this thread has ended."""


class _Thread:
    """A thread that does one job after the other; starting one takes longer than most jobs."""

    _idle: list[_Thread] = []  # noqa: RUF012 - kept for the next history

    def __init__(self) -> None:
        self._its_turn = threading.Lock()
        self._our_turn = threading.Lock()
        self._its_turn.acquire()
        self._our_turn.acquire()
        self._job: Callable[[], None] | None = None
        threading.Thread(target=self._work, daemon=True).start()

    @classmethod
    def free(cls) -> _Thread:
        """One that has nothing to do."""
        return cls._idle.pop() if cls._idle else cls()

    def begin(self, job: Callable[[], None]) -> None:
        """Do a job; comes back at its first stop or its end."""
        self._job = job
        self.go_on()

    def go_on(self) -> None:
        """Comes back at the next stop or the end."""
        self._its_turn.release()
        self._our_turn.acquire()
        if self._job is None:
            self._idle.append(self)

    def stop(self) -> None:
        """Called in the thread: let the test go on."""
        self._our_turn.release()
        self._its_turn.acquire()

    def _work(self) -> None:
        while True:
            self._its_turn.acquire()
            if self._job is not None:
                self._job()
            self._job = None
            self._our_turn.release()


class Actor:
    """A batch under way, in a thread of its own."""

    def __init__(self, member: int) -> None:
        self.member = member
        self.call = ""
        """What it stands before."""
        self.since_s = 0.0
        self.owned: frozenset[str] = frozenset()
        """Ids of its rows that were its worker's when the call began."""
        self.due_s = 0.0
        """When it has slept enough."""
        self.alarm: threading.Event | None = None
        """What wakes it before."""
        self.end = End.DONE
        self.is_dead = False
        self.batch: Sequence[Work] = ()
        self.tenure = (member, 0)
        """Between which assignments of its worker it began."""
        self.looked_s = 0.0
        """When the batch looked at the index."""
        self.seen: dict[str, Point] = {}
        """The index as it was when the batch looked, whether it was shown so or not."""
        self.thread: _Thread | None = None


class Stage:
    """Where batches act; calls of ports go through it."""

    def __init__(self, owned: Callable[[Actor], frozenset[str]]) -> None:
        self._owned = owned
        self.now_s = 1_000.0
        self.waiting: list[Actor] = []
        """In the order in which they stopped."""
        self.acting: Actor | None = None
        self.is_open = False
        """Calls do not stop any more."""
        self.away: frozenset[str] = frozenset()
        """Methods that are out."""

    def calls_of(self, member: int) -> list[Actor]:
        """Batches of a member that stand before a call."""
        return [one for one in self.waiting if one.member == member and one.call != SLEEP]

    def all_of(self, member: int) -> list[Actor]:
        return [one for one in self.waiting if one.member == member]

    def begin(self, member: int, job: Callable[[], None]) -> None:
        """Run until the first stop."""
        self.acting = actor = Actor(member)
        actor.thread = _Thread.free()
        actor.thread.begin(job)
        self.acting = None

    def go_on(self, actor: Actor, end: End = End.DONE) -> None:
        """Its call ends so, or it wakes; runs until the next stop."""
        self.waiting.remove(actor)
        actor.end = end
        actor.is_dead = actor.is_dead or end in (End.KILLED, End.LAST)
        assert actor.thread is not None
        self.acting = actor
        actor.thread.go_on()
        self.acting = None

    def wake(self) -> None:
        """All that have slept enough, or are called."""
        for actor in [one for one in self.waiting if one.call == SLEEP]:
            if actor.due_s <= self.now_s or (actor.alarm and actor.alarm.is_set()):
                self.go_on(actor)

    def kill(self, member: int, last: End) -> None:
        """The process is gone: what it was about to call may still happen."""
        for actor in self.all_of(member):
            self.go_on(actor, End.KILLED if actor.call == SLEEP else last)

    # Called by batches ---------------------------------------------------------------------

    def __call__(self, method: str, effect: Callable[[], T]) -> T:
        """Stop before a call, and let it end as the test says."""
        end = self._end_of(method)
        if end is End.KILLED:
            raise Killed
        answer = None if end is End.FAILED else effect()
        if end is End.LAST:
            raise Killed
        if end is not End.DONE or answer is None:
            raise RetriableError("away", retry_after_s=0.5)
        return answer

    def sleep(self, seconds: float, alarm: threading.Event) -> None:
        """Let time pass."""
        actor = self.acting
        assert actor is not None
        if actor.is_dead:
            raise Killed
        actor.due_s, actor.alarm = self.now_s + seconds, alarm
        self._stop(actor, SLEEP)
        if actor.is_dead:
            raise Killed

    def _end_of(self, method: str) -> End:
        actor = self.acting
        assert actor is not None
        if actor.is_dead:
            return End.KILLED
        actor.owned = self._owned(actor)
        if method in self.away:
            return End.FAILED
        if self.is_open:
            return End.DONE
        self._stop(actor, method)
        return actor.end

    def _stop(self, actor: Actor, call: str) -> None:
        actor.call, actor.since_s = call, self.now_s
        self.waiting.append(actor)
        assert actor.thread is not None
        actor.thread.stop()


class StageClock:
    """The time of a stage: batches sleep, and who else waits lets it pass."""

    def __init__(self, stage: Stage, meanwhile: Callable[[], None]) -> None:
        self._stage = stage
        self._meanwhile = meanwhile

    def now_s(self) -> float:
        return self._stage.now_s

    def unix_ms(self) -> int:
        return int(1000 * self._stage.now_s)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        if event.is_set():
            return True
        if self._stage.acting is not None:
            self._stage.sleep(timeout_s, event)
        else:
            self._meanwhile()
            if not event.is_set():
                self._stage.now_s += timeout_s
        return event.is_set()


class Pool(Executor):
    """Runs batches of a member on the stage."""

    def __init__(self, stage: Stage, member: int) -> None:
        self._stage = stage
        self._member = member

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        self._stage.begin(self._member, partial(fn, *args, **kwargs))  # type: ignore[arg-type]
        return Future()


class AtOnce(Executor):
    """Runs calls in the thread that submits them."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - the future raises it
            future.set_exception(error)
        return future
