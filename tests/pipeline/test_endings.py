"""How a task ends: in order, within its deadline, and as FAILED if anything went wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.gate import GatedEmbedder, Verdict
from tests.pipeline.world import POISON, World, system_world
from worker.clock import FakeClock, SystemClock
from worker.errors import FatalError
from worker.flow.batching import BatchPolicy
from worker.pipeline.goal import Goal
from worker.source.port import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member
    from worker.embed.port import Limits

JOIN_S = 60


@pytest.fixture
def real_time() -> Iterator[World]:
    world = system_world(drain_timeout_s=30.0)
    yield world
    world.close()


@pytest.fixture
def short_drain() -> Iterator[World]:
    world = system_world(drain_timeout_s=0.3)
    yield world
    world.close()


class OneByOne(GatedEmbedder):
    """One text a call."""

    @property
    def limits(self) -> Limits:
        return replace(super().limits, texts=1)


def until(world: World, member: Member, what: str) -> None:
    """Step a member until a call waits at the gate."""
    world.until(lambda: [call for call in world.gate.parked if call.method == what])
    assert member in world.members


def test_a_clean_shutdown_commits_everything_that_was_finished(real_time: World) -> None:
    world = real_time
    world.gate.hold("upsert")
    member = world.newcomer()
    thread = member.run()
    for row in range(3):
        world.table.insert(row)
    world.until(lambda: world.gate.parked)
    member.stop.set()
    world.gate.open()
    thread.join(JOIN_S)
    assert member.error is None
    written = {row % 2 for row in world.index}
    committed = {place.partition for place, offset in world.committed.items() if offset}
    assert written == committed
    assert written


@pytest.fixture
def patient_end() -> Iterator[World]:
    """The end of a task may take much longer than a revoke, and than a session."""
    world = system_world(
        drain_timeout_s=0.2,
        end_timeout_s=JOIN_S,
        session_s=0.5,
        batch=BatchPolicy(max_rows=2, max_in_flight=3),
    )
    yield world
    world.close()


def test_an_answer_that_comes_long_after_the_stop_is_written_and_committed(
    patient_end: World,
) -> None:
    world = patient_end
    world.gate.hold("embed")
    member = world.newcomer()
    thread = member.run()
    for row in range(8):
        world.table.insert(row, name=f"row {row}")
    world.wait_for(lambda: len(world.gate.parked) == 3)
    member.stop.set()
    thread.join(1.5)  # three sessions
    assert thread.is_alive()
    world.gate.open()
    thread.join(JOIN_S)
    assert member.error is None
    assert 3 <= world.embedder.texts == len(world.index) <= 6, "no other batch is sent"
    assert sum(world.committed.values()) == len(world.index)
    assert world.standings == {Standing.CLEAN}


def test_what_is_answered_is_written_though_another_call_of_its_batch_hangs(
    make_world: Worlds,
) -> None:
    world = make_world(
        clock=SystemClock(),
        drain_timeout_s=0.2,
        end_timeout_s=4.0,
        batch=BatchPolicy(max_rows=4, max_in_flight=1),
    )
    world.gated_embedder = OneByOne(world.embedder, world.gate)
    world.gate.hold("embed")
    for row in range(0, 8, 2):
        world.table.insert(row, name=f"row {row}")
    member = world.newcomer()
    thread = member.run()
    world.wait_for(lambda: len(world.gate.parked) == 4)
    member.stop.set()
    for call in world.gate.parked[:3]:
        world.gate.release(call)
    thread.join(JOIN_S)
    assert not thread.is_alive()
    assert member.error is None
    assert len(world.index) == 3
    assert world.embedder.texts == 3


def test_a_write_that_fails_once_during_the_shutdown_is_made_again(patient_end: World) -> None:
    world = patient_end
    world.gate.hold("upsert")
    member = world.newcomer()
    thread = member.run()
    world.table.insert(1)
    world.wait_for(lambda: world.gate.parked)
    member.stop.set()
    world.wait_for(member.abort.is_set)
    (call,) = world.gate.parked
    world.gate.release(call, Verdict.FAILED)
    world.gate.open()
    thread.join(JOIN_S)
    assert member.error is None
    assert world.index.keys() == {1}
    assert world.embedder.texts == 1


def test_a_call_that_hangs_does_not_hold_up_the_shutdown(short_drain: World) -> None:
    world = short_drain
    world.gate.hold("upsert")
    member = world.newcomer()
    thread = member.run()
    world.table.insert(1)
    world.until(lambda: world.gate.parked)
    member.stop.set()
    thread.join(JOIN_S)
    assert not thread.is_alive()
    assert all(offset == 0 for offset in world.committed.values())


def test_a_stop_interrupts_the_waiting_for_an_outage(real_time: World) -> None:
    world = real_time
    world.gate.cut_off("embed")
    member = world.newcomer()
    thread = member.run()
    world.table.insert(1)
    world.until(lambda: member.task.in_flight)
    member.stop.set()
    thread.join(JOIN_S)
    assert not thread.is_alive()
    assert member.error is None
    assert world.dead == []


def test_a_live_topic_ends_at_the_end_it_had(real_time: World) -> None:
    world = real_time
    for row in range(20):
        world.table.insert(row)
    member = world.newcomer()
    thread = member.run(Goal(member.source, SystemClock(), look_every_s=0.01))
    number = 100
    while thread.is_alive():
        world.table.insert(number)
        number += 1
        thread.join(0.001)
    assert member.error is None
    assert world.index.keys() >= set(range(20))


def test_markers_above_the_last_record_do_not_keep_it_from_its_end(real_time: World) -> None:
    world = real_time
    for row in range(4):
        world.table.insert(row)
    for place in world.table.places:
        log = world.broker.log(place)
        assert log is not None
        log.skip()
    member = world.newcomer()
    thread = member.run(Goal(member.source, SystemClock(), look_every_s=0.01))
    thread.join(JOIN_S)
    assert not thread.is_alive()
    assert member.error is None
    assert world.is_settled
    world.assert_equals_table()


def test_several_tasks_end_together_when_all_partitions_are_done(real_time: World) -> None:
    world = real_time
    for row in range(50):
        world.table.insert(row)
    members = [world.newcomer() for _ in range(2)]
    threads = [one.run(Goal(one.source, SystemClock(), look_every_s=0.01)) for one in members]
    for thread in threads:
        thread.join(JOIN_S)
        assert not thread.is_alive()
    assert [member.error for member in members] == [None, None]
    world.assert_equals_table()


def test_without_a_topic_the_task_fails_and_says_so(real_time: World) -> None:
    world = real_time
    world.broker.delete_topic(world.table.topic)
    member = world.newcomer()
    thread = member.run(Goal(member.source, FakeClock()))
    thread.join(JOIN_S)
    assert isinstance(member.error, FatalError)


def test_after_a_fatal_failure_no_batch_is_sent_out(make_world: Worlds) -> None:
    world = make_world()
    member = world.member()
    world.gate.hold("embed")
    world.table.insert(1)
    until(world, member, "embed")
    world.embedder.fail_next(FatalError("the key was revoked"))
    for row in range(2, 20):
        world.table.insert(row)
    world.gate.open()
    world.wait_for(member.task._flight._landed.qsize)
    for _ in range(3):
        with pytest.raises(FatalError, match="revoked"):
            member.step()
        assert member.task.in_flight == 0
    assert member.task.buffered == 19
    assert world.embedder.calls == 1


def test_a_failure_during_the_last_drain_makes_the_task_fail(real_time: World) -> None:
    world = real_time
    world.gate.hold("embed")
    world.embedder.fail_next(FatalError("the key was revoked"))
    member = world.newcomer()
    thread = member.run()
    world.table.insert(1)
    world.until(lambda: world.gate.parked)
    member.stop.set()
    world.until(member.abort.is_set)
    world.gate.open()
    thread.join(JOIN_S)
    assert isinstance(member.error, FatalError)


def test_letters_that_cannot_be_delivered_neither_stop_a_revoke_nor_its_commit(
    make_world: Worlds,
) -> None:
    world = make_world()
    member = world.member()
    member.letters.down()
    world.table.insert(2)
    world.table.insert(1, body=POISON)
    world.until(lambda: 2 in world.index and member.task._rejects.rows)
    member.letters.refuse("no permission to write to the topic")
    member.task.on_revoked(list(world.table.places))
    good, bad = world.table.places
    assert world.committed[good] == 1
    assert world.committed.get(bad, 0) == 0
    assert member.task.buffered == 0
    assert member.task._ledger.partitions == []
    with pytest.raises(FatalError, match="no permission"):
        member.step()


def test_a_commit_that_fails_while_revoking_still_forgets_the_partitions(
    make_world: Worlds,
) -> None:
    world = make_world()
    member = world.member()
    world.gate.hold("embed")
    world.table.insert(1)
    until(world, member, "embed")
    world.table.insert(3)
    member.step(5)

    member.source.is_fenced = True
    world.gate.open()
    with pytest.raises(FatalError, match=r"worker\.id"):
        member.task.on_revoked(list(world.table.places))
    assert member.task._ledger.partitions == []
    assert member.task.buffered == 0


def test_a_drain_that_waits_for_letters_does_not_spin(short_drain: World) -> None:
    world = short_drain
    member = world.member()
    member.letters.down()
    world.table.insert(1, body=POISON)
    world.until(lambda: member.task._rejects.rows)
    before = member.letters.looks
    member.task.on_revoked(list(world.table.places))
    # 0.3 s in waits of 0.05 s each; load makes it fewer
    assert 1 <= member.letters.looks - before <= 10
