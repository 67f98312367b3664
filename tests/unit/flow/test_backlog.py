from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.flow.changes import change, entry, ledger
from worker.flow.backlog import Backlog, Entry, Work
from worker.model import Op

if TYPE_CHECKING:
    from worker.flow.ledger import PartitionLedger

PLENTY = 1 << 30


def take(backlog: Backlog, rows: int = 100) -> list[Work]:
    return backlog.take(rows, PLENTY)


def offsets(work: Work) -> list[int]:
    return [one.change.position.offset for one in work.entries]


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


def test_the_delete_half_of_a_key_change_is_never_swallowed() -> None:
    backlog, ours = Backlog(), ledger()
    for one in (
        change(1),
        change(2, op=Op.DELETE, moves_away=True),
        change(3, op=Op.TOMBSTONE),
        change(4, op=Op.CREATE),
    ):
        backlog.add(Entry(one, ours, 0.0))
    (moving,) = take(backlog)
    assert offsets(moving) == [1, 2]
    backlog.finish(moving)
    (after,) = take(backlog)
    assert offsets(after) == [3, 4]


def test_from_another_partition_a_change_with_an_older_commit_time_is_refused() -> None:
    backlog = Backlog()
    backlog.add(Entry(change(1, partition=0, committed_ms=2_000), ledger(0), 0.0))
    assert not backlog.add(Entry(change(9, partition=1, committed_ms=1_000), ledger(1), 0.0))
    assert backlog.rows == 1


def test_from_another_partition_an_equal_commit_time_leaves_it_to_arrival() -> None:
    backlog = Backlog()
    backlog.add(Entry(change(1, partition=0, committed_ms=2_000), ledger(0), 0.0))
    assert backlog.add(Entry(change(9, partition=1, committed_ms=2_000), ledger(1), 0.0))
    (work,) = take(backlog)
    assert work.change.position.partition == 1


def test_within_a_partition_commit_times_do_not_matter() -> None:
    backlog, ours = Backlog(), ledger()
    backlog.add(Entry(change(1, committed_ms=2_000), ours, 0.0))
    assert backlog.add(Entry(change(2, committed_ms=1_000), ours, 0.0))
    (work,) = take(backlog)
    assert offsets(work) == [1, 2]


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


class BacklogMachine(RuleBasedStateMachine):
    """Random additions, batches, ends and revocations, against plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog()
        self.ledgers: list[PartitionLedger] = [ledger(0), ledger(1)]
        self.offset = 0
        self.waiting: dict[object, list[int]] = {}
        self.flying: list[Work] = []

    @rule(row=st.integers(0, 4), gone=st.booleans(), moves=st.booleans())
    def add(self, row: int, gone: bool, moves: bool) -> None:  # noqa: FBT001 - drawn values
        self.offset += 1
        op = Op.DELETE if gone else Op.UPDATE
        one = change(self.offset, row, op, partition=row % 2, moves_away=gone and moves)
        assert self.backlog.add(Entry(one, self.ledgers[row % 2], 0.0))
        self.waiting.setdefault(row, []).append(self.offset)

    @rule(rows=st.integers(1, 3))
    def take(self, rows: int) -> None:
        for work in self.backlog.take(rows, PLENTY):
            row = work.key.columns[0][1]
            assert all(work.key != other.key for other in self.flying)
            assert self.waiting[row][: len(work.entries)] == offsets(work)
            del self.waiting[row][: len(work.entries)]
            assert not any(one.change.moves_away for one in work.entries[:-1])
            self.flying.append(work)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        work = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.backlog.finish(work)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        work = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        kept = work.entries[: data.draw(st.integers(0, len(work.entries)))]
        self.backlog.give_back(work, kept)
        alive = [one.change.position.offset for one in kept if one.ledger.is_open]
        row = work.key.columns[0][1]
        self.waiting[row] = alive + self.waiting.get(row, [])

    @rule(partition=st.integers(0, 1))
    def revoke(self, partition: int) -> None:
        self.ledgers[partition].close()
        self.ledgers[partition] = ledger(partition)
        self.backlog.drop_lost()
        for row in self.waiting:
            if isinstance(row, int) and row % 2 == partition:
                self.waiting[row] = []

    @invariant()
    def it_counts_what_it_holds(self) -> None:
        held = sum(map(len, self.waiting.values())) + sum(len(work.entries) for work in self.flying)
        assert self.backlog.rows == held
        busy = {work.key.columns[0][1] for work in self.flying}
        ready = [row for row, waiting in self.waiting.items() if waiting and row not in busy]
        assert self.backlog.ready_rows == len(ready)
        assert (self.backlog.bytes == 0) == (held == 0)
        assert (self.backlog.ready_bytes == 0) == (not ready)


BacklogMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBacklogAgainstAModel = BacklogMachine.TestCase
