"""Which parts of the topics a sample reads."""

from __future__ import annotations

from worker.estimate.plan import plan
from worker.model import TopicPartition
from worker.source.port import Span

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def test_without_a_sample_everything_is_read_in_one_round() -> None:
    chosen = plan({A: Span(5, 10), B: Span(3, 3)}, None)
    assert chosen.rounds == [{A: Span(5, 10)}]
    assert not chosen.is_sample


def test_a_sample_takes_beginning_middle_and_end_of_each_partition_by_its_length() -> None:
    chosen = plan({A: Span(100, 1000), B: Span(0, 100)}, 300)
    assert [one[A] for one in chosen.rounds] == [
        Span(100, 190), Span(505, 595), Span(910, 1000),
    ]  # fmt: skip
    assert [one[B] for one in chosen.rounds] == [Span(0, 10), Span(45, 55), Span(90, 100)]
    assert (chosen.offsets, chosen.chosen, chosen.is_sample) == (1000, 300, True)


def test_a_sample_as_large_as_the_topics_is_everything() -> None:
    assert not plan({A: Span(0, 10)}, 10).is_sample


def test_a_short_partition_is_read_as_a_whole() -> None:
    chosen = plan({A: Span(0, 10_000), B: Span(0, 2)}, 100)
    assert [one.get(B) for one in chosen.rounds] == [Span(0, 2), None, None]


def test_nothing_to_read_is_no_round() -> None:
    assert plan({A: Span(7, 7)}, 100).rounds == []
