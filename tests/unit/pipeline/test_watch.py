"""The watch has what comes for a row while its dead letter is on its way back."""

from __future__ import annotations

from tests.unit.flow.changes import TOPIC, change, key
from worker.model import TopicPartition
from worker.pipeline.watch import Watch

PLACE = TopicPartition(TOPIC, 0)


def watching(*rows: int, since: int = 10) -> Watch:
    watch = Watch()
    watch.begin(PLACE, [key(row) for row in rows], since)
    return watch


def test_it_takes_the_changes_of_its_rows_from_an_offset_on() -> None:
    watch = watching(1)
    for one in (change(9, 1), change(10, 2)):
        watch.note(one)
    watched = watch.find(PLACE, key(1))
    assert watched is not None
    assert watched.sequel.overtaken_at is None
    watch.note(change(10, 1))
    assert watched.sequel.overtaken_at == change(10).position


def test_a_change_in_another_partition_is_no_part_of_the_row_s_order() -> None:
    watch = watching(1)
    watch.note(change(10, 1, partition=1))
    watched = watch.find(PLACE, key(1))
    assert watched is not None
    assert watched.is_elsewhere
    assert watched.sequel.overtaken_at is None


def test_what_nobody_can_read_cuts_its_row_or_all_of_the_partition() -> None:
    watch = watching(1, 2)
    one, two = watch.find(PLACE, key(1)), watch.find(PLACE, key(2))
    assert one is not None
    assert two is not None
    watch.note_unread(change(11, 1).record, key(1))
    assert (one.sequel.is_cut, two.sequel.is_cut) == (True, False)
    watch.note_unread(change(12, partition=1).record, None)
    assert not two.sequel.is_cut
    watch.note_unread(change(12).record, None)
    assert two.sequel.is_cut


def test_nothing_is_left_of_it() -> None:
    watch = watching(1)
    watch.end(PLACE, [key(1)])
    assert not watch.rows
    assert watch.find(PLACE, key(1)) is None


def test_two_partitions_may_watch_the_same_row() -> None:
    watch = watching(1)
    other = TopicPartition(TOPIC, 1)
    watch.begin(other, [key(1)], 0)
    watch.end(PLACE, [key(1)])
    assert watch.find(PLACE, key(1)) is None
    assert watch.find(other, key(1)) is not None
