"""Whatever happens to a table and to the workers, the index follows and no commit is ahead of it.

Hypothesis draws what happens, call by call: every call to embedder and store waits until the
history says how it ends, so a failing history can be made short and happens again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.pipeline.gate import Call, Verdict
from tests.pipeline.oracle import assert_index_covers, assert_letters_are_deserved
from tests.pipeline.world import POISON, SESSION_S, Member, World, clock_of
from worker.flow.batching import BatchPolicy, BufferLimits

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.pipeline.gate import SteppingClock
    from worker.model import TopicPartition

CALLS = ("fetch", "embed", "upsert", "delete")
WRITES = ("upsert", "delete")
ROWS = 5
MEMBERS = 3
LATE_S = 5.0
"""How long the history's store may keep a write on its way."""
ROUNDS = 5_000
"""More than any of these histories takes to come to its end: a round is 0.3 s, and a change that
lacks its text waits for three minutes in which nothing moves (``other_half.LACK``), several of them
one after the other."""

rows = st.integers(0, ROWS - 1)
bodies = st.sampled_from(["short", "other", "short", POISON])
answers = st.sampled_from([Verdict.DONE, Verdict.DONE, Verdict.FAILED, Verdict.UNSURE])


class Watched:
    """A task as listener; the history decides whether a revoke can wait for what is in flight."""

    def __init__(self, history: History, member: Member) -> None:
        self._history = history
        self._member = member

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        self._member.task.on_assigned(partitions)

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        self._history.before_revoke(self._member)
        self._member.task.on_revoked(partitions)
        self._history.after_revoke()

    def on_lost(self, partitions: Collection[TopicPartition]) -> None:
        self._member.task.on_lost(partitions)


class History(RuleBasedStateMachine):
    """A small table, up to three workers, and calls that end as drawn."""

    world: World
    clock: SteppingClock
    hangs = False
    """Whether calls outlast the next revokes."""
    is_over = False
    is_broken = False

    @initialize(guarded=st.booleans())
    def begin(self, guarded: bool) -> None:  # noqa: FBT001 - a drawn value
        self.world = World(
            guarded=guarded,
            batch=BatchPolicy(max_rows=2, max_in_flight=2),
            buffer=BufferLimits(max_rows=8),
            write_timeout_s=LATE_S,
        )
        self.late: dict[Call, float] = {}
        self.clock = clock_of(self.world)
        self.guarded = guarded
        self.world.gate.hold(*CALLS)
        self.join()

    # The table -----------------------------------------------------------------------------

    @rule(row=rows, body=bodies, price=st.integers(0, 3))
    def write_whole(self, row: int, body: str, price: int) -> None:
        if row in self.world.table.rows:
            self.world.table.update(row, body=body, price=price)
        else:
            self.world.table.insert(row, body=body, price=price)

    @rule(row=rows, price=st.integers(0, 3))
    def write_without_body(self, row: int, price: int) -> None:
        if row in self.world.table.rows:
            self.world.table.update(row, price=price, without=("body",))

    @rule(row=rows)
    def read_again(self, row: int) -> None:
        if row in self.world.table.rows:
            self.world.table.read_again(row)

    @rule(row=rows)
    def delete(self, row: int) -> None:
        if row in self.world.table.rows:
            self.world.table.delete(row)

    @rule(row=rows, new=rows, whole=st.booleans())
    def change_key(self, row: int, new: int, whole: bool) -> None:  # noqa: FBT001 - a drawn value
        if row in self.world.table.rows and new not in self.world.table.rows:
            self.world.table.move(row, new, without=() if whole else ("body",))

    # The workers ---------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.members) < MEMBERS)
    @rule()
    def join(self) -> None:
        member = self._newcomer()
        member.join(Watched(self, member))
        self.world.members.append(member)

    @precondition(lambda self: self.world.members)
    @rule(which=st.integers(0, MEMBERS - 1), times=st.integers(1, 4))
    def work(self, which: int, times: int) -> None:
        for _ in range(times):
            self._pass_time(0.3)
            self._pick(which).step()
            self._wait_for_threads()

    @precondition(lambda self: self.world.members)
    @rule(which=st.integers(0, MEMBERS - 1))
    def work_up_to_a_write(self, which: int) -> None:
        member = self._pick(which)
        for _ in range(8):
            if member not in self.world.members or member in self._writing:
                return
            self._pass_time(0.1)
            member.step()
            self._wait_for_threads()
            for call in self._calls_of(member):
                if call.method not in WRITES:
                    self.world.gate.release(call)
                    self._wait_for_threads()

    @precondition(lambda self: self.world.gate.parked)
    @rule(which=st.integers(0, 9), how=answers)
    def answer(self, which: int, how: Verdict) -> None:
        parked = self.world.gate.parked
        self.world.gate.release(parked[which % len(parked)], how)
        self._wait_for_threads()

    @precondition(lambda self: self.world.members)
    @rule(which=st.integers(0, MEMBERS - 1), hangs=st.booleans())
    def leave(self, which: int, hangs: bool) -> None:  # noqa: FBT001 - a drawn value
        self.hangs = hangs
        member = self._pick(which)
        self.world.stop(member)
        self._kill(member, Verdict.KILLED)
        self.hangs = False

    @rule(hangs=st.booleans())
    def rebalances_find_slow_calls(self, hangs: bool) -> None:  # noqa: FBT001 - a drawn value
        self.hangs = hangs

    @precondition(lambda self: self.world.members)
    @rule(which=st.integers(0, MEMBERS - 1), last=st.sampled_from([Verdict.KILLED, Verdict.UNSURE]))
    def crash(self, which: int, last: Verdict) -> None:
        """The process is gone; what it was about to call may still have happened."""
        member = self._pick(which)
        member.give_up()
        self._kill(member, last)
        self.world.crash(member)

    @precondition(lambda self: self.world.members)
    @rule(which=st.integers(0, MEMBERS - 1))
    def freeze(self, which: int) -> None:
        """A session ends while the process stands still."""
        self._freeze(self._pick(which))

    @precondition(lambda self: self.world.members and self.world.table.rows)
    @rule(which=st.integers(0, MEMBERS - 1), price=st.integers(10, 13))
    def freeze_in_the_middle_of_a_write(self, which: int, price: int) -> None:
        """Others go on with its rows before what it wrote arrives."""
        if len(self.world.members) == 1:
            self.join()
        member = self._pick(which)
        self.work_up_to_a_write(which)
        self._freeze(member)
        for row in list(self.world.table.rows):
            self.world.table.update(row, price=price)
        others = [one for one in self.world.members if one is not member]
        for _ in range(12):
            self._work(others)

    def _work(self, members: list[Member]) -> None:
        """A turn of each, and an answer to each call but those that are late."""
        for member in members:
            self._pass_time(0.1)
            member.step()
            self._wait_for_threads()
            for call in self._calls_of(member):
                if call not in self.late:
                    self.world.gate.release(call)
                    self._wait_for_threads()

    def _freeze(self, member: Member) -> None:
        self._pass_time(SESSION_S + 1)
        member.source.expire()
        self.world.broker.tell()
        self._note_late_writes(member)

    @rule()
    def the_group_is_set_back(self) -> None:
        if not self.world.members:
            self.world.rewind()

    # What must hold ------------------------------------------------------------------------

    @invariant()
    def no_commit_is_ahead_of_the_index(self) -> None:
        self.is_broken = True
        assert_index_covers(self.world, self.world.committed)
        self.is_broken = False

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if not self.is_broken:
                self._end()
        finally:
            self.world.close()

    def _end(self) -> None:
        self.hangs, self.is_over = False, True
        self.world.gate.open()
        if not self.world.members:
            self.join()
        self._settle()
        self._assert_outcome()

    def _assert_outcome(self) -> None:
        assert_index_covers(self.world, dict.fromkeys(self.world.table.places, 1 << 60))
        assert_letters_are_deserved(self.world)
        self.world.assert_vectors_fit()
        if not self.world.dead:
            self.world.assert_equals_table()

    def _newcomer(self) -> Member:
        return self.world.newcomer()

    def _settle(self) -> None:
        """In rounds that wait for all threads, so that their number says when it is hopeless."""
        for _ in range(ROUNDS):
            if self.world.is_settled:
                return
            for member in self.world.members:
                self._pass_time(0.3)
                member.step()
                self._wait_for_threads()
        raise AssertionError(f"it never ends; committed {self.world.committed}")

    # Inside --------------------------------------------------------------------------------

    def before_revoke(self, member: Member) -> None:
        if self.hangs:
            self._pass_time(LATE_S)
            self._revoking = member
            self.clock.hurry_s = 10 * SESSION_S
        else:
            self.world.gate.open()

    def after_revoke(self) -> None:
        """Whatever the open gate let go comes to its end first, or the order would be chance."""
        if self.clock.hurry_s:
            self.clock.hurry_s = 0.0
            self._note_late_writes(self._revoking)
        self._wait_for_threads()
        if not self.is_over:
            self.world.gate.hold(*CALLS)

    def _pick(self, which: int) -> Member:
        return self.world.members[which % len(self.world.members)]

    @property
    def _writing(self) -> list[Member]:
        parked = self.world.gate.parked
        numbers = {call.label[0] for call in parked if call.method in WRITES}
        return [one for one in self.world.members if self.world.everybody.index(one) in numbers]

    def _calls_of(self, member: Member) -> list[Call]:
        number = self.world.everybody.index(member)
        return [call for call in self.world.gate.parked if call.label[0] == number]

    def _kill(self, member: Member, verdict: Verdict) -> None:
        for call in self._calls_of(member):
            self.world.gate.release(call, verdict)
            self._wait_for_threads()

    def _note_late_writes(self, member: Member) -> None:
        """What is on the wire still arrives, also where somebody else has the rows by now."""
        until_s = self.clock.now_s() + LATE_S
        for call in self._calls_of(member):
            if call.method in WRITES:
                self.late[call] = until_s

    def _pass_time(self, seconds: float) -> None:
        """Writes arrive before it is too late for them; a step may take a second more."""
        self.clock.advance(seconds)
        for call, until_s in list(self.late.items()):
            if call not in self.world.gate.parked:
                del self.late[call]
            elif self.clock.now_s() + 1.0 > until_s:
                self.world.gate.release(call, Verdict.UNSURE)
                self._wait_for_threads()

    def _wait_for_threads(self) -> None:
        """Until every batch under way waits at the gate or has landed, and every look is over."""
        deadline_s = time.monotonic() + 30
        while not self._is_quiet():
            assert time.monotonic() < deadline_s, "a batch neither ends nor calls"
            time.sleep(0.0001)

    def _is_quiet(self) -> bool:
        under_way = sum(one.task.in_flight for one in self.world.everybody)
        landed = sum(one.task._flight._landed.qsize() for one in self.world.everybody)
        looks = [one.task._succession._surveying for one in self.world.everybody]
        are_over = all(look.under_way == look._ended.qsize() for look in looks)
        return are_over and len(self.world.gate.parked) + landed == under_way


History.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyHistory = History.TestCase
