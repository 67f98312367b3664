from __future__ import annotations

import itertools
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from worker.runtime.signals import stopping_on_signals

if TYPE_CHECKING:
    from types import FrameType

PATIENCE_S = 10.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_the_end_and_is_remembered(number: signal.Signals) -> None:
    stop = threading.Event()
    with stopping_on_signals(stop) as signals:
        assert signals.received is None
        signal.raise_signal(number)
        assert stop.wait(PATIENCE_S)
        assert signals.received == number


@pytest.mark.timeout(20)
def test_a_signal_is_heard_at_any_moment_of_the_waiting_for_it() -> None:
    moments = next(step for step in itertools.count(1) if not _is_heard_at(step))
    assert moments > 10


def _is_heard_at(step: int) -> bool:
    """Get a signal before this line of an event's wait is carried out; False: it has no such."""
    stop, left = threading.Event(), step

    def trace(frame: FrameType, _event: str, _given: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != threading.__file__:
            return None
        left -= 1
        if left == 0:
            signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    with stopping_on_signals(stop) as signals:
        sys.settrace(trace)
        try:
            stop.wait(0.001)
        finally:
            sys.settrace(before)
        if signals.received is None:
            return False
        assert stop.wait(PATIENCE_S)
    return True


def test_after_the_block_signals_mean_what_they_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on_signals(threading.Event()):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_just_before_the_end_of_the_block_is_heard() -> None:
    stop = threading.Event()
    with stopping_on_signals(stop):
        signal.raise_signal(signal.SIGTERM)
    assert stop.is_set()
