"""Which records have their dead letter already."""

from __future__ import annotations

from worker.flow.lettered import Lettered
from worker.model import Record


def record(offset: int, topic_id: str = "first") -> Record:
    return Record("t", 0, offset, None, None, topic_id=topic_id)


def test_those_below_the_commit_are_forgotten() -> None:
    lettered = Lettered()
    for offset in (7, 3, 5):
        lettered.add(record(offset))
    assert lettered.above(5) == (5, 7)
    assert record(3) not in lettered
    assert record(7) in lettered


def test_what_was_inherited_is_passed_on_until_the_commit_is_above_it() -> None:
    lettered = Lettered()
    lettered.inherit("first", (5, 7))
    lettered.add(record(9))
    assert record(5) in lettered
    assert lettered.above(6) == (7, 9)


def test_in_a_topic_that_was_made_anew_offsets_mean_other_records() -> None:
    lettered = Lettered()
    lettered.inherit("first", (5, 7))
    assert record(5, "second") not in lettered
    lettered.add(record(6, "second"))
    assert lettered.above(0) == (6,)
    assert lettered.topic_id == "second"


def test_a_commit_names_no_more_than_kafka_keeps_with_it() -> None:
    lettered = Lettered()
    for offset in range(10**18, 10**18 + 500):
        lettered.add(record(offset))
    assert len(",".join(map(str, lettered.above(0)))) < 2000
    assert lettered.above(0)[0] == 10**18
