from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import FatalError, RecordError, Stage
from worker.pipeline.net import Net, Tolerated


def failure(kind: str = "TextRefused") -> RecordError:
    return RecordError("the text is refused", stage=Stage.EMBED, kind=kind)


def test_one_failure_more_than_the_limit_fails_the_task() -> None:
    net = Net(Tolerated(3, 10))
    for ended in range(3):
        net.take(failure(), ended)
    with pytest.raises(FatalError, match="4 of the last 10 records failed"):
        net.take(failure(), 3)


def test_failures_spread_over_more_records_are_borne() -> None:
    net = Net(Tolerated(3, 10))
    for ended in range(0, 400, 4):
        net.take(failure(), ended)


def test_the_reason_names_what_failed_and_how_to_go_on() -> None:
    net = Net(Tolerated(2, 10))
    net.take(failure("BrokenAvro"), 0)
    net.take(failure(), 1)
    with pytest.raises(FatalError) as raised:
        net.take(failure(), 2)
    said = str(raised.value)
    assert "TextRefused 2, BrokenAvro 1" in said
    assert "dlq.limit=2/10" in said
    assert "the text is refused" in said


def test_no_failure_is_borne_where_the_limit_is_none() -> None:
    with pytest.raises(FatalError):
        Net(Tolerated(0, 1)).take(failure(), 500)


@given(
    fails=st.lists(st.booleans(), max_size=60),
    most=st.integers(0, 6),
    records=st.integers(1, 12),
)
def test_it_holds_exactly_as_long_as_every_window_does(
    fails: list[bool], most: int, records: int
) -> None:
    net = Net(Tolerated(most, records))
    for ended, fell in enumerate(fails):
        if not fell:
            continue
        window = fails[max(0, ended - records + 1) : ended + 1]
        if sum(window) > most:
            with pytest.raises(FatalError):
                net.take(failure(), ended)
            return
        net.take(failure(), ended)
