from __future__ import annotations

from tests.unit.flow.changes import entry
from worker.flow.backlog import Backlog
from worker.flow.batching import BatchPolicy, BufferLimits

POLICY = BatchPolicy(max_rows=3, max_bytes=1_000, linger_s=0.2, max_in_flight=2)


def backlog_of(rows: int) -> Backlog:
    backlog = Backlog()
    for offset in range(rows):
        waiting = entry(offset, row=offset)
        waiting.arrived_s = 100.0
        backlog.add(waiting)
    return backlog


def is_due(backlog: Backlog, *, in_flight: int = 1, more: bool = True, now_s: float = 100) -> bool:
    return POLICY.is_due(backlog, in_flight=in_flight, more_to_read=more, now_s=now_s)


def test_an_empty_backlog_is_never_due() -> None:
    assert not is_due(backlog_of(0), in_flight=0, more=False)


def test_a_single_change_goes_at_once_when_nothing_else_happens() -> None:
    assert is_due(backlog_of(1), in_flight=0, more=False)


def test_it_waits_for_company_while_there_is_more_to_read_or_something_in_flight() -> None:
    assert not is_due(backlog_of(1), in_flight=0, more=True)
    assert not is_due(backlog_of(1), in_flight=1, more=False)


def test_it_goes_when_it_is_full_by_rows_or_old() -> None:
    assert is_due(backlog_of(3))
    assert is_due(backlog_of(1), now_s=100.21)


def test_it_goes_when_it_is_full_by_bytes() -> None:
    two = backlog_of(2)
    small = BatchPolicy(max_rows=3, max_bytes=two.ready_bytes, linger_s=0.2)
    assert small.is_due(two, in_flight=1, more_to_read=True, now_s=100.0)
    assert not small.is_due(backlog_of(1), in_flight=1, more_to_read=True, now_s=100.0)


def test_no_more_than_the_allowed_number_is_in_flight() -> None:
    assert not is_due(backlog_of(9), in_flight=2)


def test_rows_are_rounded_up_to_whole_calls() -> None:
    assert BatchPolicy(max_rows=288).rounded_to(96).max_rows == 288
    assert BatchPolicy(max_rows=288).rounded_to(100).max_rows == 300
    assert BatchPolicy(max_rows=1).rounded_to(2048).max_rows == 2048


def test_reading_stops_at_the_limit_and_goes_on_well_below_it() -> None:
    limits = BufferLimits(max_rows=100, max_bytes=1_000)
    assert limits.are_reached(100, 0)
    assert limits.are_reached(0, 1_000)
    assert not limits.are_reached(99, 999)
    assert limits.are_relaxed(75, 750)
    assert not limits.are_relaxed(76, 0)
