from __future__ import annotations

import math
from bisect import insort
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.flow.changes import change, entry, key, ledger
from worker.flow.backlog import Backlog
from worker.flow.entry import Entry, Work
from worker.model import Op

if TYPE_CHECKING:
    from worker.flow.ledger import PartitionLedger
    from worker.model import Value

PLENTY = 1 << 30


def take(backlog: Backlog, rows: int = 100) -> list[Work]:
    return backlog.take(rows, PLENTY)


def offsets(work: Work) -> list[int]:
    return [one.change.position.offset for one in work.entries]


def test_the_create_half_of_a_key_change_swallows_nothing_that_came_before_it() -> None:
    backlog, ours = Backlog(), ledger()
    for one in (
        change(1, op=Op.DELETE),
        change(2, op=Op.CREATE, moved_from=key(7)),
        change(3),
    ):
        backlog.add(Entry(one, ours, 0.0))
    for expected in ([1], [2, 3]):
        (work,) = take(backlog)
        assert offsets(work) == expected
        backlog.finish(work)


def test_what_nobody_can_complete_ends_with_what_comes_next_for_its_row() -> None:
    backlog, ours = Backlog(), ledger()
    first, again = (change(one, op=Op.CREATE, moved_from=key(7)) for one in (1, 2))
    backlog.add(Entry(first, ours, 0.0))
    (work,) = take(backlog)
    backlog.add(Entry(again, ours, 0.0))
    work.newest.gives_way_s = 1.0
    backlog.delay(work, until_s=5.0)
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]


def test_what_leaves_its_key_is_not_done_with_what_nobody_can_complete() -> None:
    """Else it would take the row's vector along before that is there."""
    backlog, ours = Backlog(), ledger()
    backlog.add(Entry(change(1, op=Op.CREATE, moved_from=key(7)), ours, 0.0))
    (work,) = take(backlog)
    backlog.add(Entry(replace(change(2, op=Op.DELETE), moves_away=True), ours, 0.0))
    work.newest.gives_way_s = 1.0
    backlog.delay(work, until_s=5.0)
    assert not take(backlog)
    backlog.wake(5.0)
    assert [offsets(one) for one in take(backlog)] == [[1]]


def test_a_change_that_joined_a_key_change_in_flight_is_done_before_it_is_tried_again() -> None:
    backlog, behind = Backlog(), ledger(1)
    created = change(2, op=Op.CREATE, moved_from=key(7), committed_ms=20)
    backlog.add(Entry(created, ledger(), 0.0))
    (work,) = take(backlog)
    backlog.add(Entry(change(1, partition=1, committed_ms=10), behind, 1.0))
    backlog.delay(work, until_s=5.0)
    backlog.wake(5.0)
    assert [offsets(one) for one in take(backlog)] == [[1]]


def test_what_is_put_before_a_key_change_that_waits_is_done_first_and_alone() -> None:
    backlog, ours = Backlog(), ledger()
    created = change(2, op=Op.CREATE, moved_from=key(7))
    backlog.add(Entry(created, ours, 0.0))
    (work,) = take(backlog)
    assert backlog.waiting_half(work.key) is None
    backlog.delay(work, until_s=5.0)
    assert backlog.waiting_half(work.key) is work.newest
    backlog.put_before(Entry(change(1, op=Op.DELETE), ours, 1.0))
    for expected in ([1], [2]):
        (one,) = take(backlog)
        assert offsets(one) == expected
        backlog.finish(one)
    assert (backlog.rows, backlog.bytes, backlog.ready_bytes) == (0, 0, 0)


def test_changes_of_one_key_become_one_write() -> None:
    backlog, ours = Backlog(), ledger()
    for offset in (1, 2, 3):
        backlog.add(Entry(change(offset), ours, 0.0))
    (work,) = take(backlog)
    assert offsets(work) == [1, 2, 3]
    assert work.change.position.offset == 3


def test_a_key_in_flight_is_not_handed_out_again_until_it_is_finished() -> None:
    backlog = Backlog()
    backlog.add(entry(1))
    (first,) = take(backlog)
    backlog.add(entry(2))
    assert take(backlog) == []
    backlog.finish(first)
    (second,) = take(backlog)
    assert offsets(second) == [2]


def test_different_keys_overtake_each_other() -> None:
    backlog = Backlog()
    backlog.add(entry(1, row=1))
    take(backlog)
    backlog.add(entry(2, row=1))
    backlog.add(entry(3, row=2))
    (work,) = take(backlog)
    assert offsets(work) == [3]


def test_those_that_waited_longest_go_first() -> None:
    backlog = Backlog()
    for offset, row in enumerate("abcab"):
        backlog.add(entry(offset, row))
    assert [offsets(work) for work in take(backlog, 2)] == [[0, 3], [1, 4]]


def test_the_delete_half_of_a_key_change_stays_alone() -> None:
    backlog, ours = Backlog(), ledger()
    for one in (
        change(1),
        change(2, op=Op.DELETE, moves_away=True),
        change(3, op=Op.TOMBSTONE),
        change(4, op=Op.CREATE),
    ):
        backlog.add(Entry(one, ours, 0.0))
    for expected in ([1], [2], [3, 4]):
        (work,) = take(backlog)
        assert offsets(work) == expected
        backlog.finish(work)


def moves(offset: int, old: object, new: object) -> tuple[Entry, Entry]:
    """Both halves of a key change."""
    away = change(offset, old, Op.DELETE, moves_away=True, moved_to=key(new))
    ours = ledger()
    return Entry(away, ours, 0.0), Entry(
        change(offset + 1, new, Op.CREATE, moved_from=key(old)), ours, 0.0
    )


def test_a_batch_is_told_where_a_row_goes_next_as_far_as_that_waits() -> None:
    backlog = Backlog()
    backlog.add(entry(1, "a"))
    assert take(backlog)[0].goes_to == ()
    backlog.add(entry(2, "x"))
    for halves in (moves(3, "x", "y"), moves(5, "y", "z"), moves(7, "w", "x"), moves(9, "z", "x")):
        for half in halves:
            backlog.add(half)
    ways = {work.key: list(work.goes_to) for work in take(backlog)}
    assert ways[key("x")] == [key("y"), key("z"), key("x")]
    assert ways[key("y")] == [key("z"), key("x")]
    assert ways[key("w")] == []


def test_rows_that_change_places_for_ever_are_followed_for_a_while() -> None:
    backlog = Backlog()
    backlog.add(entry(1, "a"))
    for turn in range(20):
        for half in moves(2 + 2 * turn, *("ab" if turn % 2 == 0 else "ba")):
            backlog.add(half)
    (first, *_) = take(backlog)
    assert first.key == key("a")
    assert 0 < len(first.goes_to) <= 10


def test_what_is_delayed_comes_again_at_its_time_or_with_something_newer() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(Entry(change(1), ours, 0.0))
    (work,) = take(backlog)
    backlog.delay(work, 10.0)
    backlog.wake(9.9)
    assert (take(backlog), backlog.ready_bytes, backlog.rows) == ([], 0, 1)
    backlog.wake(10.0)
    (again,) = take(backlog)
    backlog.delay(again, 20.0)
    backlog.add(Entry(change(2), ours, 0.0))
    (newer,) = take(backlog)
    assert offsets(newer) == [1, 2]
    backlog.finish(newer)
    backlog.wake(30.0)
    assert (take(backlog), backlog.rows) == ([], 0)


def from_partition(partition: int, offset: int, committed_ms: int | None) -> Entry:
    return Entry(
        change(offset, partition=partition, committed_ms=committed_ms), ledger(partition), 0.0
    )


def test_an_older_change_from_another_partition_is_swallowed_by_the_newer_one_that_waits() -> None:
    backlog = Backlog()
    backlog.add(from_partition(0, offset=1, committed_ms=2_000))
    backlog.add(from_partition(1, offset=9, committed_ms=1_000))
    assert backlog.rows == 2
    (work,) = take(backlog)
    assert offsets(work) == [9, 1]
    assert work.change.position.partition == 0


def test_an_older_change_from_another_partition_joins_the_newer_one_in_flight() -> None:
    backlog = Backlog()
    backlog.add(from_partition(0, offset=1, committed_ms=2_000))
    (flying,) = take(backlog)
    backlog.add(from_partition(1, offset=9, committed_ms=1_000))
    assert offsets(flying) == [9, 1]
    assert backlog.rows == 2
    backlog.finish(flying)
    assert (backlog.rows, backlog.bytes, backlog.ready_rows) == (0, 0, 0)


def test_an_older_change_that_joined_takes_the_place_of_a_newer_one_that_failed() -> None:
    backlog = Backlog()
    backlog.add(from_partition(0, offset=1, committed_ms=2_000))
    (flying,) = take(backlog)
    backlog.add(from_partition(1, offset=9, committed_ms=1_000))
    backlog.give_back(flying, flying.entries[:-1])
    (instead,) = take(backlog)
    assert offsets(instead) == [9]
    assert instead.change.position.partition == 1


def test_from_another_partition_an_equal_or_unknown_commit_time_leaves_it_to_arrival() -> None:
    for first_ms, second_ms in ((2_000, 2_000), (None, 1_000), (2_000, None)):
        backlog = Backlog()
        backlog.add(from_partition(0, offset=1, committed_ms=first_ms))
        backlog.add(from_partition(1, offset=9, committed_ms=second_ms))
        (work,) = take(backlog)
        assert work.change.position.partition == 1


def test_within_a_partition_commit_times_do_not_matter() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(Entry(change(1, committed_ms=2_000), ours, 0.0))
    backlog.add(Entry(change(2, committed_ms=1_000), ours, 0.0))
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]


def test_work_is_ours_as_long_as_its_newest_change_is() -> None:
    newer, older = from_partition(0, 1, 2_000), from_partition(1, 9, 1_000)
    backlog = Backlog()
    backlog.add(newer)
    backlog.add(older)
    (work,) = take(backlog)
    older.ledger.close()
    assert work.is_ours
    newer.ledger.close()
    assert not work.is_ours


def test_a_batch_is_bounded_by_bytes_but_never_empty() -> None:
    backlog = Backlog()
    for offset in range(3):
        backlog.add(entry(offset, row=offset))
    assert len(backlog.take(100, 1)) == 1


def test_given_back_entries_go_in_front_of_newer_ones() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(Entry(change(1), ours, 0.0))
    backlog.add(Entry(change(2), ours, 0.0))
    (failed,) = take(backlog)
    backlog.add(Entry(change(3), ours, 0.0))
    backlog.give_back(failed, failed.entries[:-1])
    (again,) = take(backlog)
    assert offsets(again) == [1, 3]


def partial(offset: int, ours: PartitionLedger, **more: Value) -> Entry:
    return Entry(change(offset, unavailable=("body",), **more), ours, 0.0)


def whole(offset: int, ours: PartitionLedger, **more: Value) -> Entry:
    return Entry(change(offset, body="long text", **more), ours, 0.0)


def test_a_column_is_filled_from_a_change_that_waits_before() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(whole(1, ours))
    backlog.add(partial(2, ours))
    (work,) = take(backlog)
    assert work.change.after == {"body": "long text"}


def test_a_column_is_filled_from_a_change_that_came_back_whole() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(whole(1, ours))
    (undone,) = take(backlog)
    backlog.add(partial(2, ours))
    backlog.give_back(undone, undone.entries)
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]
    assert work.change.unavailable == frozenset()


def test_a_column_is_not_filled_across_a_change_that_was_dead_lettered() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(whole(1, ours))
    backlog.add(whole(2, ours))
    (failed,) = take(backlog)
    backlog.add(partial(3, ours))
    backlog.give_back(failed, failed.entries[:-1])
    (work,) = take(backlog)
    assert offsets(work) == [1, 3]
    assert work.change.unavailable == {"body"}


def test_a_column_is_not_filled_across_a_record_that_could_not_be_decoded() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(whole(1, ours))
    ours.leave_out(1, None)
    backlog.add(partial(2, ours))
    (work,) = take(backlog)
    assert work.change.unavailable == {"body"}


def test_an_undecoded_record_does_not_part_the_changes_that_come_after_it() -> None:
    backlog, ours = Backlog(), ledger()
    ours.leave_out(1, None)
    backlog.add(whole(1, ours))
    backlog.add(partial(2, ours))
    (work,) = take(backlog)
    assert work.change.unavailable == frozenset()


def test_a_column_is_not_filled_from_a_change_of_another_partition() -> None:
    backlog = Backlog()
    backlog.add(whole(1, ledger(0), committed_ms=1_000))
    backlog.add(partial(9, ledger(1), committed_ms=2_000))
    (work,) = take(backlog)
    assert work.change.unavailable == {"body"}


def between_partitions() -> tuple[Entry, Entry, Entry]:
    """A row that went to another partition and came back."""
    here, there = ledger(0), ledger(1)
    return (
        whole(1, here, committed_ms=1_000),
        whole(9, there, committed_ms=2_000),
        partial(2, here, committed_ms=3_000),
    )


def test_a_column_is_not_filled_across_what_was_dropped_with_its_partition() -> None:
    backlog, (before, lost, after) = Backlog(), between_partitions()
    for one in (before, lost, after):
        backlog.add(one)
    lost.ledger.close()
    backlog.drop_lost()
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]
    assert work.change.unavailable == {"body"}


def test_nor_when_it_was_dropped_from_work_that_came_back() -> None:
    backlog, (before, lost, after) = Backlog(), between_partitions()
    for one in (before, lost, after):
        backlog.add(one)
    (undone,) = take(backlog)
    lost.ledger.close()
    backlog.give_back(undone, undone.entries)
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]
    assert work.change.unavailable == {"body"}


def test_nor_when_it_was_dropped_while_the_change_before_it_was_in_flight() -> None:
    backlog, (before, lost, after) = Backlog(), between_partitions()
    backlog.add(before)
    (undone,) = take(backlog)
    backlog.add(lost)
    backlog.add(after)
    lost.ledger.close()
    backlog.drop_lost()
    backlog.give_back(undone, undone.entries)
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]
    assert work.change.unavailable == {"body"}


def test_a_parked_key_is_held_but_not_handed_out_until_it_is_unparked() -> None:
    backlog = Backlog()
    backlog.add(entry(1, row=1))
    backlog.add(entry(2, row=2))
    one, two = take(backlog)
    backlog.park(one, 1)
    backlog.finish(two)
    assert take(backlog) == []
    assert (backlog.rows, len(backlog.parked), backlog.ready_bytes) == (1, 1, 0)
    backlog.unpark(1, 1)
    (again,) = take(backlog)
    assert offsets(again) == [1]


def test_only_so_much_is_unparked_as_is_left_small_ones_before_large_ones() -> None:
    backlog = Backlog()
    for number in (1, 2, 3, 4):
        backlog.add(entry(number, row=number))
    for work, needs in zip(take(backlog), (50, 300, 40, 30), strict=True):
        backlog.park(work, needs)
    backlog.unpark(29, math.inf)
    assert (len(backlog.parked), backlog.parked.least_needed) == (4, 30)
    backlog.unpark(100, math.inf)
    assert [offsets(work) for work in take(backlog)] == [[1], [3]]
    assert len(backlog.parked) == 2
    backlog.unpark(math.inf, math.inf)
    assert [offsets(work) for work in take(backlog)] == [[2], [4]]
    assert (len(backlog.parked), backlog.parked.least_needed) == (0, 0)


def test_one_that_is_too_large_for_the_room_keeps_its_turn() -> None:
    backlog = Backlog()
    for number in (1, 2, 3):
        backlog.add(entry(number, row=number))
    for work, needs in zip(take(backlog), (40, 300, 30), strict=True):
        backlog.park(work, needs)
    backlog.unpark(1000, 100)
    assert [offsets(work) for work in take(backlog)] == [[1]]
    assert backlog.parked.first_needed(1000) == 300
    backlog.unpark(1000, 300)
    assert [offsets(work) for work in take(backlog)] == [[2]]


def test_a_newer_change_brings_a_parked_key_back() -> None:
    backlog = Backlog()
    backlog.add(entry(1))
    (work,) = take(backlog)
    backlog.park(work, 1)
    backlog.add(entry(2))
    (again,) = take(backlog)
    assert offsets(again) == [1, 2]
    assert len(backlog.parked) == 0


def test_what_came_while_it_flew_keeps_a_key_from_being_parked() -> None:
    backlog = Backlog()
    backlog.add(entry(1))
    (work,) = take(backlog)
    backlog.add(entry(2))
    backlog.park(work, 1)
    (again,) = take(backlog)
    assert offsets(again) == [1, 2]


def test_what_a_key_change_waits_for_stays_parked() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(Entry(change(1), ours, 0.0))
    (work,) = take(backlog)
    backlog.add(Entry(change(2, op=Op.DELETE, moves_away=True), ours, 0.0))
    backlog.park(work, 1)
    assert take(backlog) == []
    backlog.unpark(1, 1)
    assert [offsets(again) for again in take(backlog)] == [[1]]


def is_half(one: Entry) -> bool:
    """Of a key change."""
    return one.change.moves_away or one.change.moved_from is not None


class BacklogMachine(RuleBasedStateMachine):
    """Random additions, batches, ends and revocations, against plain sorted lists.

    Commit times grow within a partition, as they do in a source; between partitions records may
    come late, and then go before what is newer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog()
        self.ledgers: list[PartitionLedger] = [ledger(0), ledger(1)]
        self.now_ms = [0, 0]
        self.offset = 0
        self.held: dict[int, list[Entry]] = {}
        """By row: all that is in flight and that waits, in order of commit times."""
        self.flying: dict[int, Work] = {}
        self.parked: set[int] = set()

    @rule(
        row=st.integers(0, 3),
        partition=st.integers(0, 1),
        later_ms=st.integers(0, 2),
        gone=st.booleans(),
        moves=st.booleans(),
    )
    def add(self, row: int, partition: int, later_ms: int, gone: bool, moves: bool) -> None:  # noqa: FBT001 - drawn values
        self.offset += 1
        self.now_ms[partition] += later_ms
        one = change(
            self.offset,
            row,
            Op.DELETE if gone else Op.UPDATE,
            partition=partition,
            committed_ms=self.now_ms[partition],
            moved_from=key("old") if moves and not gone else None,
            moves_away=gone and moves,
        )
        added = Entry(one, self.ledgers[partition], 0.0)
        self.backlog.add(added)
        self.parked.discard(row)
        insort(self.held.setdefault(row, []), added, key=committed_ms)

    @rule(rows=st.integers(1, 3))
    def take(self, rows: int) -> None:
        for work in self.backlog.take(rows, PLENTY):
            row = row_of(work)
            assert row not in self.flying
            first, *others = self.held[row]
            apart = [is_half(one) for one in others]
            until = 1 + (apart.index(True) if True in apart else len(apart))
            until = 1 if first.change.moves_away else until
            assert work.entries == self.held[row][:until]
            assert work.change.position == work.newest.change.position
            self.flying[row] = work

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        work = self._land(data)
        self.backlog.finish(work)
        self._forget(work.entries)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        work = self._land(data)
        again = work.entries[: data.draw(st.integers(0, len(work.entries)))]
        gone = [one for one in work.entries if one not in again or not one.ledger.is_open]
        self.backlog.give_back(work, again)
        self._forget(gone)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def park(self, data: st.DataObject) -> None:
        work = self._land(data)
        row = row_of(work)
        self.backlog.park(work, 1)
        self._forget([one for one in work.entries if not one.ledger.is_open])
        if work.newest not in self.held[row]:
            return
        after = self.held[row][self.held[row].index(work.newest) + 1 :]
        if not after or is_half(after[0]) or work.newest.change.moves_away:
            self.parked.add(row)

    @rule()
    def unpark(self) -> None:
        self.backlog.unpark(math.inf, math.inf)
        self.parked.clear()

    @rule(partition=st.integers(0, 1))
    def revoke(self, partition: int) -> None:
        self.ledgers[partition].close()
        self.ledgers[partition] = ledger(partition)
        self.backlog.drop_lost()
        for row, held in self.held.items():
            flies = self.flying[row].entries if row in self.flying else []
            self.held[row] = [one for one in held if one in flies or one.ledger.is_open]
            if not self.held[row]:
                self.parked.discard(row)

    @invariant()
    def work_in_flight_is_what_comes_first(self) -> None:
        for row, work in self.flying.items():
            assert self.held[row][: len(work.entries)] == work.entries

    @invariant()
    def it_counts_what_it_holds(self) -> None:
        held = [one for entries in self.held.values() for one in entries]
        assert self.backlog.rows == len(held)
        assert self.backlog.bytes == sum(one.size for one in held)
        ready = [
            one
            for row, entries in self.held.items()
            if row not in self.flying and row not in self.parked
            for one in entries
        ]
        assert len(self.backlog.parked) == len(self.parked)
        assert self.backlog.ready_rows == len({one.change.key for one in ready})
        assert self.backlog.ready_bytes == sum(one.size for one in ready)

    def _land(self, data: st.DataObject) -> Work:
        return self.flying.pop(data.draw(st.sampled_from(sorted(self.flying))))

    def _forget(self, entries: list[Entry]) -> None:
        for row, held in self.held.items():
            self.held[row] = [one for one in held if one not in entries]


def committed_ms(one: Entry) -> int:
    return one.change.origin.committed_ms or 0


def row_of(work: Work) -> int:
    row = work.key.columns[0][1]
    assert isinstance(row, int)
    return row


BacklogMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestBacklogAgainstAModel = BacklogMachine.TestCase


def test_what_comes_again_under_another_assignment_is_ordered_by_offset() -> None:
    """A tombstone's record may be younger than the commit of what followed it."""
    backlog, before, now = Backlog(), ledger(), ledger()
    tombstone = change(3, op=Op.TOMBSTONE)
    late = replace(tombstone, record=replace(tombstone.record, timestamp_ms=9_000))
    backlog.add(Entry(late, before, 0.0))
    (undone,) = take(backlog)
    before.close()
    backlog.add(Entry(late, now, 1.0))
    backlog.add(Entry(change(4, op=Op.CREATE, committed_ms=5_000), now, 1.0))
    backlog.give_back(undone, undone.entries)
    (work,) = take(backlog)
    assert offsets(work) == [3, 4]


def test_the_time_of_a_tombstone_proves_nothing_about_another_partition() -> None:
    backlog = Backlog()
    tombstone = change(3, op=Op.TOMBSTONE)
    late = replace(tombstone, record=replace(tombstone.record, timestamp_ms=9_000))
    backlog.add(Entry(late, ledger(0), 0.0))
    backlog.add(Entry(change(4, op=Op.CREATE, committed_ms=5_000), ledger(1), 1.0))
    (work,) = take(backlog)
    assert offsets(work) == [3, 4]
