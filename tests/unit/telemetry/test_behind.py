"""How long a group has been behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.model import TopicPartition
from worker.telemetry.behind import Behind

FIRST, SECOND = TopicPartition("products", 0), TopicPartition("products", 1)


def test_a_group_at_the_end_is_not_behind() -> None:
    assert Behind().look(100.0, {FIRST: (7, 7)}) == {"products": 0.0}


def test_the_time_is_that_of_the_end_where_the_group_stands_now() -> None:
    behind = Behind()
    behind.look(0.0, {FIRST: (0, 100)})
    behind.look(10.0, {FIRST: (0, 200)})
    assert behind.look(20.0, {FIRST: (150, 300)}) == {"products": 15.0}


def test_the_partition_that_is_worst_counts() -> None:
    behind = Behind()
    behind.look(0.0, {FIRST: (5, 5), SECOND: (0, 1)})
    assert behind.look(10.0, {FIRST: (5, 6), SECOND: (0, 1)}) == {"products": 10.0}


def test_a_backlog_that_was_there_before_counts_from_the_first_look() -> None:
    behind = Behind()
    behind.look(50.0, {FIRST: (0, 1000)})
    assert behind.look(80.0, {FIRST: (900, 1000)}) == {"products": 30.0}


def test_a_topic_that_was_made_anew_begins_anew() -> None:
    behind = Behind()
    behind.look(0.0, {FIRST: (0, 1000)})
    behind.look(100.0, {FIRST: (0, 3)})
    assert behind.look(110.0, {FIRST: (1, 3)}) == {"products": 10.0}


def test_a_partition_that_is_gone_is_forgotten() -> None:
    behind = Behind()
    behind.look(0.0, {FIRST: (0, 1), SECOND: (0, 1)})
    assert behind.look(1.0, {SECOND: (1, 1)}) == {"products": 0.0}
    assert behind.look(90.0, {FIRST: (0, 1), SECOND: (1, 1)}) == {"products": 0.0}


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=1500),
    st.integers(1, 30),
)
def test_memory_is_bounded_and_no_time_is_negative_or_longer_than_the_watch(
    steps: list[tuple[int, int]], every: int
) -> None:
    behind, end, at = Behind(), 0, 0
    for number, (written, read) in enumerate(steps):
        end += written
        at = min(end, at + read)
        now_s = float(number * every)
        (seconds,) = behind.look(now_s, {FIRST: (at, end)}).values()
        assert 0.0 <= seconds <= now_s
        assert (seconds == 0.0) or at < end
    assert all(len(ends) <= 512 for ends in behind._ends.values())
