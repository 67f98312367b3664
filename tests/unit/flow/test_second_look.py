from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.pipeline.engine import TOPIC, entry, ledger
from worker.flow.batching import BufferLimits
from worker.flow.entry import Entry, Work
from worker.flow.second_look import Again, SecondLook
from worker.model import Key, Record, TopicPartition

if TYPE_CHECKING:
    from worker.flow.ledger import PartitionLedger

DUE_S = 40.0
FIVE_ROWS = BufferLimits(max_rows=5)


def look(limits: BufferLimits = FIVE_ROWS) -> SecondLook:
    return SecondLook(TopicPartition(TOPIC, 0), limits, DUE_S)


def record(offset: int, size: int = 1) -> Record:
    return Record(TOPIC, 0, offset, None, b"v" * size)


def key(row: int) -> Key:
    return Key(TOPIC, (("id", row),))


def work(*entries: Entry) -> Work:
    return Work(entries[-1].change, list(entries), entries[-1].began_at)


def note(looked: SecondLook, *entries: Entry, visible_s: float = 0.0) -> None:
    """Work on these came to its end."""
    looked.note(work(*entries), ("products", "1"), visible_s)
    for one in entries:
        one.ledger.finish(one.change.record.offset)


def rows(looked: SecondLook) -> set[Key]:
    return set(looked.keys)


def test_it_covers_as_many_rows_as_the_last_owner_can_have_held() -> None:
    looked, ours = look(), ledger()
    for offset in range(8):
        looked.receive(record(offset))
        note(looked, entry(ours, offset, row=offset))
    assert rows(looked) == {key(row) for row in range(5)}


def test_it_covers_as_many_bytes_as_the_last_owner_can_have_held() -> None:
    looked, ours = look(BufferLimits(max_rows=100, max_bytes=100)), ledger()
    for offset in range(8):
        looked.receive(record(offset, size=40))
        note(looked, entry(ours, offset, row=offset))
    assert rows(looked) == {key(0), key(1), key(2)}


def test_what_was_written_after_the_log_was_read_to_its_end_the_last_owner_cannot_know() -> None:
    looked, ours = look(), ledger()
    looked.receive(record(0))
    looked.reach(1)
    note(looked, entry(ours, 0, row=0))
    note(looked, entry(ours, 1, row=1))
    assert rows(looked) == {key(0)}


def test_a_later_change_of_a_covered_row_is_what_is_compared() -> None:
    looked, ours = look(), ledger()
    looked.receive(record(0))
    looked.reach(1)
    note(looked, entry(ours, 0))
    newest = entry(ours, 9)
    note(looked, newest)
    looked.begin(50.0, ours)
    again = looked.again(key(1), 50.0)
    assert again is not None
    assert again.change is newest.change
    assert looked.rows == 1
    assert looked.bytes == again.size


def test_a_covered_change_that_a_later_one_swallowed_makes_the_row_one_to_compare() -> None:
    looked, ours = look(), ledger()
    looked.receive(record(0))
    looked.reach(1)
    note(looked, entry(ours, 0), entry(ours, 1))
    assert rows(looked) == {key(1)}


def test_rows_of_other_partitions_are_not_covered_but_their_newer_changes_count() -> None:
    looked, ours, other = look(), ledger(), ledger(1)
    note(looked, entry(other, 0, row=1))
    assert rows(looked) == set()
    note(looked, entry(ours, 0, row=2))
    moved = entry(other, 1, row=2)
    note(looked, moved)
    again = looked.again(key(2), 0.0)
    assert again is not None
    assert again.ledger is other


def test_a_row_that_went_to_somebody_else_is_not_compared() -> None:
    looked, ours, other = look(), ledger(), ledger(1)
    note(looked, entry(ours, 0))
    note(looked, entry(other, 1))
    other.close()
    assert looked.again(key(1), 0.0) is None
    assert rows(looked) == set()


def test_a_row_is_compared_only_when_every_reader_sees_what_was_written() -> None:
    looked, ours = look(), ledger()
    note(looked, entry(ours, 0), visible_s=60.0)
    assert looked.again(key(1), 59.0) is None
    assert rows(looked) == {key(1)}
    assert looked.again(key(1), 60.0) is not None


def begun(now_s: float = 50.0) -> tuple[SecondLook, PartitionLedger]:
    """With one row to compare."""
    looked, ours = look(), ledger()
    looked.receive(record(0))
    note(looked, entry(ours, 0))
    looked.begin(now_s, ours)
    return looked, ours


def test_it_is_over_when_the_comparison_came_to_its_end() -> None:
    looked, ours = begun()
    assert not looked.is_over(ours)
    again = looked.again(key(1), 50.0)
    assert again is not None
    note(looked, again)
    assert looked.is_over(ours)


@pytest.mark.parametrize(("arrived_s", "is_over"), [(50.0, False), (50.1, True)])
def test_a_change_that_arrived_after_the_beginning_was_itself_the_look(
    arrived_s: float,
    is_over: bool,  # noqa: FBT001 - a parameter
) -> None:
    looked, ours = begun(now_s=50.0)
    change = entry(ours, 1)
    change.arrived_s = arrived_s
    note(looked, change)
    assert looked.is_over(ours) is is_over


def test_it_is_not_over_before_all_that_flew_at_its_beginning_has_landed() -> None:
    looked, ours = look(), ledger()
    for offset in (0, 1):
        looked.receive(record(offset))
    slow, other = entry(ours, 0, row=1), entry(ours, 1, row=2)
    note(looked, other)
    looked.begin(50.0, ours, [work(slow)])
    again = looked.again(key(2), 50.0)
    assert again is not None
    note(looked, again)
    assert not looked.is_over(ours)
    note(looked, slow)  # arrived, and perhaps was read from the index, before the beginning
    assert rows(looked) == {key(1)}


def test_what_only_waits_is_not_waited_for_as_it_looks_at_the_index_when_its_turn_comes() -> None:
    looked, ours = look(), ledger()
    for offset in (0, 1):
        looked.receive(record(offset))
    entry(ours, 0, row=1)
    note(looked, entry(ours, 1, row=2))
    looked.begin(50.0, ours)
    assert not looked.is_over(ours)
    again = looked.again(key(2), 50.0)
    assert again is not None
    note(looked, again)
    assert looked.is_over(ours)


def test_where_nothing_is_left_to_read_there_is_nothing_to_wait_for() -> None:
    looked, ours = look(), ledger()
    assert not looked.is_over(ours)
    looked.reach(7)
    assert looked.is_over(ours)
    ours.receive(7)
    assert looked.is_over(ours)


def test_an_empty_beginning_is_over_at_once() -> None:
    looked, ours = look(), ledger()
    looked.begin(50.0, ours)
    assert looked.is_over(ours)


def test_what_comes_after_a_dead_letter_knows_nothing_before_it() -> None:
    looked, ours = look(), ledger()
    note(looked, entry(ours, 0))
    looked.note_dead_letter(entry(ours, 1))
    again, later = looked.again(key(1), 50.0), entry(ours, 2)
    assert again is not None
    assert not again.leads_to(later)


def test_what_comes_after_a_record_that_nobody_could_read_knows_nothing_before_it() -> None:
    looked, ours = look(), ledger()
    first = entry(ours, 0)
    ours.leave_out(1, None)
    note(looked, first)
    again = looked.again(key(1), 50.0)
    assert again is not None
    assert not again.leads_to(entry(ours, 2))


def test_a_comparison_that_ends_in_the_dead_letter_topic_is_an_end() -> None:
    looked, ours = begun()
    again = looked.again(key(1), 50.0)
    assert isinstance(again, Again)
    looked.note_dead_letter(again)
    assert looked.is_over(ours)


def test_a_log_that_comes_again_is_not_counted_twice() -> None:
    looked, ours = look(), ledger()
    for offset in (0, 1, 2, 0, 1, 2, 3, 4, 5):
        looked.receive(record(offset))
    note(looked, entry(ours, 4, row=4))
    note(looked, entry(ours, 5, row=5))
    assert rows(looked) == {key(4)}
