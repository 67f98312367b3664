from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.flow.ledger import Ledger, PartitionLedger
from worker.model import TopicPartition

PARTITION = TopicPartition("shop.public.products", 0)


def test_nothing_may_be_committed_before_something_was_received() -> None:
    assert PartitionLedger(PARTITION).next_offset is None


def test_the_first_unfinished_offset_is_what_may_be_committed() -> None:
    ledger = PartitionLedger(PARTITION)
    for offset in (5, 6, 9):
        ledger.receive(offset)
    ledger.finish(6)
    assert ledger.next_offset == 5
    ledger.finish(5)
    assert ledger.next_offset == 9
    ledger.finish(9)
    assert ledger.next_offset == 10


def test_a_closed_ledger_ignores_late_results() -> None:
    ledger = PartitionLedger(PARTITION)
    ledger.receive(0)
    ledger.close()
    ledger.finish(0)
    assert not ledger.is_open
    assert ledger.unfinished == 0


def test_results_of_an_earlier_assignment_do_not_finish_offsets_of_the_present_one() -> None:
    ledger = Ledger()
    before = ledger.open(PARTITION)
    before.receive(0)
    now = ledger.open(PARTITION)
    now.receive(0)
    before.finish(0)
    assert ledger.next_offsets() == {PARTITION: 0}


def test_an_end_beyond_the_last_record_counts_once_everything_is_finished() -> None:
    ledger = PartitionLedger(PARTITION)
    ledger.receive(7)
    ledger.reach(10)
    assert ledger.next_offset == 7
    ledger.finish(7)
    assert ledger.next_offset == 10


def test_an_end_that_newer_records_have_passed_says_nothing() -> None:
    ledger = PartitionLedger(PARTITION)
    ledger.receive(7)
    ledger.reach(5)
    assert not ledger.is_at_end
    assert ledger.next_offset == 7


def test_it_notices_a_log_that_was_cut_or_made_anew() -> None:
    ledger = PartitionLedger(PARTITION)
    ledger.receive(7)
    assert ledger.goes_back(7)
    assert not ledger.goes_back(8)


@given(
    gaps=st.lists(st.integers(1, 5), min_size=1, max_size=60),
    data=st.data(),
)
def test_the_next_offset_never_passes_an_unfinished_one_and_ends_after_the_last(
    gaps: list[int], data: st.DataObject
) -> None:
    ledger = PartitionLedger(PARTITION)
    offsets, at = [], 0
    for gap in gaps:
        at += gap
        offsets.append(at)
        ledger.receive(at)
    unfinished = set(offsets)
    last = ledger.next_offset
    for offset in data.draw(st.permutations(offsets)):
        ledger.finish(offset)
        unfinished.discard(offset)
        now = ledger.next_offset
        assert now is not None
        assert last is not None
        assert now >= last
        assert all(now <= waiting for waiting in unfinished)
        assert ledger.unfinished == len(unfinished)
        last = now
    assert last == offsets[-1] + 1


def test_while_a_second_look_is_due_the_commit_stays_where_the_assignment_began() -> None:
    ledger = PartitionLedger(PARTITION)
    ledger.is_held = True
    ledger.reach(9)
    assert ledger.next_offset is None
    for offset in (9, 10):
        ledger.receive(offset)
        ledger.finish(offset)
    assert [ledger.next_offset, ledger.finished_to] == [9, 11]
    ledger.is_held = False
    assert ledger.next_offset == 11


def test_a_log_that_goes_back_is_held_and_in_doubt_as_before_and_from_where_it_goes_back() -> None:
    ledger = Ledger()
    before = ledger.open(PARTITION)
    before.is_held = before.is_in_doubt = True
    before.receive(50)
    now = ledger.open(PARTITION)
    assert (now.is_held, now.is_in_doubt, now.next_offset) == (True, True, 50)
    now.receive(7)
    assert now.next_offset == 7
    assert not before.is_open


def test_a_partition_that_comes_back_begins_anew() -> None:
    ledger = Ledger()
    ledger.open(PARTITION).is_held = True
    ledger.close(PARTITION)
    assert not ledger.open(PARTITION).is_held
