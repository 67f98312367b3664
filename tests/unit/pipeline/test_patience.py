from __future__ import annotations

import threading
from typing import Any

import pytest

from worker.clock import FakeClock
from worker.errors import FatalError, RetriableError
from worker.pipeline.patience import Interrupted, Patience


class Flaky:
    """Raises what it is given, in order, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def patience(clock: FakeClock, **more: Any) -> Patience:
    return Patience(abort=threading.Event(), clock=clock, **more)


def test_what_works_is_called_once_and_nothing_is_waited_for() -> None:
    clock, call = FakeClock(), Flaky()
    assert patience(clock)("calling", call) == "answer"
    assert call.calls == 1
    assert clock.waits == []


def test_an_outage_is_waited_out() -> None:
    clock, call = FakeClock(), Flaky(*[RetriableError("away")] * 50)
    assert patience(clock)("calling", call) == "answer"
    assert call.calls == 51


def test_waits_never_grow_beyond_the_longest_delay() -> None:
    clock, call = FakeClock(), Flaky(*[RetriableError("away")] * 50)
    patience(clock, max_delay_s=3.0)("calling", call)
    assert max(clock.waits) <= 3.0


def test_a_wait_that_was_asked_for_is_kept_from_the_first_failure_on() -> None:
    clock = FakeClock()
    call = Flaky(
        RetriableError("slow down", retry_after_s=90.0), RetriableError("b", retry_after_s=7)
    )
    patience(clock)("calling", call)
    assert clock.waits == [90.0, 7]


def test_other_errors_are_not_waited_for() -> None:
    call = Flaky(FatalError("no such index"))
    with pytest.raises(FatalError, match="no such index"):
        patience(FakeClock())("calling", call)
    assert call.calls == 1


def test_an_error_that_waiting_cannot_cure_ends_the_waiting() -> None:
    call = Flaky(RetriableError("away"), FatalError("key revoked"))
    with pytest.raises(FatalError, match="key revoked"):
        patience(FakeClock())("calling", call)


def test_after_the_retry_timeout_it_gives_up_and_says_which_setting_made_it() -> None:
    call = Flaky(*[RetriableError("away")] * 1000)
    with pytest.raises(FatalError, match=r"errors\.retry\.timeout.*away"):
        patience(FakeClock(), timeout_s=0.0)("embedding", call)


def test_a_stopping_task_interrupts_the_waiting() -> None:
    abort = threading.Event()
    abort.set()
    waiting = Patience(abort=abort, clock=FakeClock())
    with pytest.raises(Interrupted):
        waiting("calling", Flaky(*[RetriableError("away")] * 3))


def test_a_stop_in_the_middle_of_a_wait_ends_it_at_once() -> None:
    abort, waits = threading.Event(), list[float]()

    class StoppedWhileWaiting(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            waits.append(timeout_s)
            event.set()
            return True

    call = Flaky(*[RetriableError("away")] * 3)
    with pytest.raises(Interrupted):
        Patience(abort=abort, clock=StoppedWhileWaiting())("calling", call)
    assert (call.calls, len(waits)) == (1, 1)


def test_a_wait_that_is_longer_than_the_retry_timeout_is_not_begun() -> None:
    clock = FakeClock()
    call = Flaky(RetriableError("slow down", retry_after_s=3_600.0))
    with pytest.raises(FatalError, match=r"errors\.retry\.timeout"):
        patience(clock, timeout_s=60.0)("embedding", call)
    assert clock.waits == []
    assert call.calls == 1


def test_an_outage_is_said_at_once_and_then_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, call = FakeClock(), Flaky(*[RetriableError("away", retry_after_s=10.0)] * 18)
    with caplog.at_level("INFO"):
        patience(clock)("embedding", call)
    assert [record.message for record in caplog.records] == [
        "Embedding failed, trying again: away",
        "Embedding failed for 60 s, trying again: away",
        "Embedding failed for 120 s, trying again: away",
        "Embedding works again.",
    ]


def test_what_is_paid_for_is_waited_for_after_the_stop_until_it_is_cut_off() -> None:
    abort = threading.Event()
    waiting = Patience(abort=abort, clock=FakeClock())
    abort.set()
    waiting.to_the_end.pause(1.0)
    waiting.cut_off()
    with pytest.raises(Interrupted):
        waiting.to_the_end.pause(1.0)
