from __future__ import annotations

import signal
import threading

import pytest

from worker.runtime.signals import stopping_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_the_end_and_is_remembered(number: signal.Signals) -> None:
    stop = threading.Event()
    with stopping_on_signals(stop) as signals:
        assert signals.received is None
        signal.raise_signal(number)
        assert stop.is_set()
        assert signals.received == number


def test_after_the_block_signals_mean_what_they_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on_signals(threading.Event()):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
