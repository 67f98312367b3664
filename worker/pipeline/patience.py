"""Waiting out an outage: the same call again and again, until it works or waiting has to end."""

from __future__ import annotations

import logging
import threading
from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_before_delay,
    stop_never,
    wait_random_exponential,
)

from worker.errors import FatalError, RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.clock import Clock

T = TypeVar("T")

_FIRST_DELAY_S = 0.25
_SAY_EVERY_S = 60.0
_CHECK_EVERY_S = 1.0
_log = logging.getLogger(__name__)


class Interrupted(Exception):  # noqa: N818 - not a failure: the task is stopping
    """Waiting ended because the task stops; the work is undone and will come again."""


class Patience:
    """Repeats a call while it raises ``RetriableError``.

    Delays grow with full jitter from a quarter of a second to ``max_delay_s``; a wait that the
    other side asked for (Retry-After) is kept to the letter. Used from several threads.
    """

    def __init__(
        self,
        *,
        abort: threading.Event,
        clock: Clock,
        timeout_s: float | None = None,
        max_delay_s: float = 10.0,
        cut_off: threading.Event | None = None,
    ) -> None:
        """``abort`` ends all waiting but that of ``to_the_end``; ``cut_off`` ends that as well."""
        self._abort = abort
        self._clock = clock
        self._limit = stop_never if timeout_s is None else stop_before_delay(timeout_s)
        self._backoff = wait_random_exponential(multiplier=_FIRST_DELAY_S, max=max_delay_s)
        self._cut_off = cut_off or threading.Event()

    @property
    def to_the_end(self) -> Patience:
        """The same for what is paid for: a task that stops does not end it before ``cut_off``."""
        lasting = copy(self)
        lasting._abort = self._cut_off  # noqa: SLF001 - of the same class
        return lasting

    def cut_off(self) -> None:
        """Nobody waits any more, for whatever it is."""
        self._abort.set()
        self._cut_off.set()

    def __call__(self, what: str, call: Callable[[], T]) -> T:
        """Call until it returns.

        Raises:
            Interrupted: the task stops.
            FatalError: ``timeout_s`` (``errors.retry.timeout``) is over, or the call raised it.
        """
        try:
            return call()
        except RetriableError as error:
            retrying = self._retrying(_Complaint(what, self._clock), self.pause)
            result = _until_it_returns(retrying, what, _Begun(call, error))
        _log.info("%s works again.", what.capitalize())
        return result

    def silently(self, what: str, call: Callable[[], T], check: Callable[[], None]) -> T:
        """The same without a word, where somebody else speaks for many callers at once.

        While it waits ``check`` is called every second; what it raises ends the waiting.
        """
        try:
            return call()
        except RetriableError as error:
            retrying = self._retrying(None, lambda seconds: self._pause_checking(seconds, check))
            return _until_it_returns(retrying, what, _Begun(call, error))

    def pause(self, seconds: float) -> None:
        """Wait for something that is no failure.

        Raises:
            Interrupted: the task stops.
        """
        if self._clock.wait(self._abort, seconds):
            raise Interrupted

    def _pause_checking(self, seconds: float, check: Callable[[], None]) -> None:
        until_s = self._clock.now_s() + seconds
        while (left_s := until_s - self._clock.now_s()) > 0:
            self.pause(min(left_s, _CHECK_EVERY_S))
            check()

    def _retrying(
        self,
        before_sleep: Callable[[RetryCallState], None] | None,
        sleep: Callable[[float], None],
    ) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(RetriableError),
            wait=self._delay_s,
            stop=self._limit,
            sleep=sleep,
            before_sleep=before_sleep,
            reraise=True,
        )

    def _delay_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RetriableError) and error.retry_after_s is not None:
            return error.retry_after_s
        return float(self._backoff(state))


def _until_it_returns(retrying: Retrying, what: str, call: Callable[[], T]) -> T:
    try:
        return retrying(call)
    except RetriableError as error:
        raise FatalError(f"{what} failed for longer than errors.retry.timeout: {error}") from error


class _Begun(Generic[T]):
    """A call that has failed once already; most never do, and are spared the counting."""

    def __init__(self, call: Callable[[], T], failure: RetriableError) -> None:
        self._call = call
        self._failure: RetriableError | None = failure

    def __call__(self) -> T:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return self._call()


class _Complaint:
    """Says that a call fails: at once, and every minute for as long as it does."""

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._began_s = self._due_s = clock.now_s()

    def __call__(self, state: RetryCallState) -> None:
        """Called before each wait."""
        now_s = self._clock.now_s()
        if now_s < self._due_s or state.outcome is None:
            return
        self._due_s = now_s + _SAY_EVERY_S
        since_s = now_s - self._began_s
        how_long = f" for {since_s:.0f} s" if since_s >= 1 else ""
        _log.warning(
            "%s failed%s, trying again: %s",
            self._what.capitalize(),
            how_long,
            state.outcome.exception(),
        )
