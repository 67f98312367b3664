"""A replay never puts an old row over a newer one, whatever happened since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.gate import Verdict
from tests.pipeline.letterbox import DEAD
from tests.pipeline.replaying import Command
from tests.pipeline.table import TOPIC
from tests.pipeline.world import POISON, SESSION_S, World, clock_of, system_world
from worker.errors import FatalError
from worker.letters.standing import LetterState
from worker.model import Key, Position, TopicPartition
from worker.pipeline.goal import Goal
from worker.source.port import Standing

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from worker.letters.book import LetterBook
    from worker.model import Record
    from worker.pipeline.inquiry import Readers, ReplayPorts
    from worker.source.memory_log import PartitionLog


JOIN_S = 60
LATER = Position("", 0, 0)
"""Compares with nothing."""


@pytest.fixture
def command(world: World) -> Command:
    return Command(world)


def row(number: int) -> Key:
    return Key(TOPIC, (("id", number),))


def log_of(world: World, partition: int, topic: str = TOPIC) -> PartitionLog:
    log = world.broker.log(TopicPartition(topic, partition))
    assert log is not None
    return log


def fail(world: World, number: int = 1) -> Record:
    """A row that is nowhere but among the dead letters."""
    record = world.table.insert(number, body=POISON)
    world.settle()
    assert number not in world.index
    return record


# What happened to the row since ---------------------------------------------------------------


def test_a_letter_whose_cause_is_gone_is_written(world: World, command: Command) -> None:
    member = world.member()
    fail(world)
    world.heal()
    command.replay()
    assert command.states == ["replayed"]
    world.assert_equals_table()
    assert not member.marks.is_marked(row(1), LATER)
    assert world.is_settled


def test_a_row_deleted_since_is_not_brought_back(world: World, command: Command) -> None:
    world.member()
    fail(world)
    tombstone = world.table.delete(1)
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    assert command.standings[0].note == f"by offset {tombstone.offset}"
    world.assert_equals_table()


def test_a_row_changed_since_keeps_its_newer_state(world: World, command: Command) -> None:
    world.member()
    fail(world)
    newer = world.table.update(1, body="newer")
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    assert command.standings[0].note == f"by offset {newer.offset}"
    world.assert_equals_table()


def test_a_partial_change_since_is_folded_over_it(world: World, command: Command) -> None:
    member = world.member()
    world.table.insert(1, body="first")
    world.settle()
    world.table.update(1, body=POISON)
    world.settle()
    world.table.update(1, price=9, without=("body",))
    world.settle()
    assert world.index[1] == {"name": "n", "body": "first", "price": 0}
    world.heal()
    command.replay()
    assert command.states == ["replayed", "replayed"], "one write stands for both"
    world.assert_equals_table()
    assert not member.marks.is_marked(row(1), LATER)


def test_the_letter_alone_takes_a_partial_change_along(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.table.update(1, price=9, without=("body",))
    world.settle()
    world.heal()
    first, second = command.letters
    command.replay([first])
    assert command.states == ["replayed", "open"]
    world.assert_equals_table()
    command.replay([second])
    assert command.states == ["replayed", "replayed"]
    world.assert_equals_table()


def test_a_partial_letter_alone_still_has_no_text(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.table.update(1, price=9, without=("body",))
    world.settle()
    world.heal()
    first, second = command.letters
    command.replay([second])
    assert command.states == ["open", "returned", "open"]
    command.replay([first])
    world.assert_equals_table()


def test_of_two_letters_of_a_row_the_older_is_superseded(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.table.update(1, body=f"{POISON} again")
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["superseded", "replayed"]
    world.assert_equals_table()


def test_a_row_whose_key_changed_since_stays_gone(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.table.move(1, 4)
    world.settle()
    world.heal()
    command.replay()
    assert sorted(command.states) == ["replayed", "superseded"]
    world.assert_equals_table()


def test_a_truncate_since_counts(make_world: Worlds) -> None:
    world = make_world(empties=True)
    command = Command(world)
    world.member()
    fail(world)
    world.table.truncate()
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    assert command.standings[0].note == "its table was truncated after it"
    world.assert_equals_table()


def test_a_record_that_nobody_can_read_cuts_a_row_in_two(world: World, command: Command) -> None:
    member = world.member()
    fail(world)
    world.table.garbage(1)
    world.table.update(1, price=9, without=("body",))
    world.settle()
    world.heal()
    first, *_ = command.letters
    command.replay([first])
    assert world.index[1]["price"] == 0, "what lay between may have changed the text"
    assert member.marks.is_marked(row(1), LATER)


def test_a_letter_that_nobody_can_read_still_goes_back(world: World, command: Command) -> None:
    world.member()
    world.table.garbage(1)
    world.settle()
    command.replay()
    assert command.states == ["returned", "open"]
    world.table.insert(1)
    world.settle()
    command.replay()
    assert command.states == ["returned", "superseded"]
    world.assert_equals_table()


# What happens to the row meanwhile ------------------------------------------------------------


@pytest.mark.parametrize("method", ["letters", "tail"])
def test_a_change_that_comes_while_the_tail_is_read_counts(
    world: World, command: Command, method: str
) -> None:
    world.member()
    fail(world)
    world.heal()
    world.gate.hold(method)
    command.ask()
    world.until(lambda: world.gate.parked)
    world.table.delete(1)
    world.settle()
    world.gate.open()
    command.wait()
    assert command.states == ["superseded"]
    world.assert_equals_table()


def test_a_partial_change_that_comes_while_the_tail_is_read_is_folded(
    world: World, command: Command
) -> None:
    world.member()
    fail(world)
    world.heal()
    world.gate.hold("tail")
    command.ask()
    world.until(lambda: world.gate.parked)
    world.table.update(1, price=5, without=("body",))
    world.settle()
    world.gate.open()
    command.wait()
    assert command.states == ["replayed", "open"]
    world.assert_equals_table()


@pytest.mark.parametrize("method", ["fetch", "embed", "upsert"])
def test_a_change_that_comes_while_it_flies_is_written_after_it(
    world: World, command: Command, method: str
) -> None:
    world.member()
    fail(world)
    world.heal()
    world.gate.hold(method)
    command.ask()
    world.until(lambda: world.gate.parked)
    world.table.update(1, price=5, without=("body",))
    world.table.update(1, name="newer")
    for one in world.members:
        one.step(5)
    world.gate.open()
    world.settle()
    command.wait()
    assert command.states == ["replayed"]
    world.assert_equals_table()


def test_a_failing_newer_change_leaves_its_place_to_the_replay(
    world: World, command: Command
) -> None:
    world.member()
    fail(world)
    world.gate.hold("embed")
    command.ask()
    world.until(lambda: world.gate.parked)
    world.table.update(1, price=5, without=("body",))
    for one in world.members:
        one.step(5)
    world.heal()
    world.gate.open()
    world.settle()
    command.wait()
    assert command.states == ["replayed"]
    world.assert_equals_table()


def test_a_newer_change_that_cannot_be_folded_is_not_swallowed(
    world: World, command: Command
) -> None:
    member = world.member()
    fail(world)
    world.table.garbage(1)
    world.settle()
    letter = next(iter(command.letters))
    world.heal()
    world.gate.hold("fetch")
    world.table.update(1, price=8, without=("body",))
    world.until(lambda: world.gate.parked)
    newer = world.table.update(1, price=9, without=("body",))
    world.until(lambda: member.task._backlog.rows == 2)
    command.ask([letter])
    world.until(lambda: member.task._backlog.rows == 3)
    world.gate.open()
    command.wait()
    world.settle()
    assert (newer.partition, newer.offset, "UnavailableColumn") in world.dead
    assert command.states[0] == "replayed"
    assert world.index[1]["body"] == POISON


# Where the origin is gone ---------------------------------------------------------------------


def test_a_higher_stored_position_decides_where_the_log_is_gone(
    world: World, command: Command
) -> None:
    world.member()
    fail(world)
    world.table.update(1, body="newer")
    world.settle()
    log_of(world, 1).truncate(log_of(world, 1).end)
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    assert command.standings[0].note == "the index is ahead of it"
    world.assert_equals_table()


def test_what_nobody_can_decide_stays_and_says_so(world: World, command: Command) -> None:
    first = world.member()
    record = fail(world)
    world.table.delete(1)
    world.settle()
    log_of(world, 1).truncate(log_of(world, 1).end)
    world.stop(first)
    world.member()
    world.heal()
    command.replay()
    (standing,) = command.standings
    assert standing.state is LetterState.OPEN
    assert f"does not hold its record at offset {record.offset} any more" in standing.note
    world.assert_equals_table()


def test_a_compacted_log_still_tells_of_a_later_removal(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.table.delete(1)
    world.settle()
    log_of(world, 1).compact()
    world.heal()
    command.replay()
    assert command.states == ["superseded"]
    world.assert_equals_table()


def test_a_topic_made_anew_is_no_evidence(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.broker.delete_topic(TOPIC)
    world.broker.create_topic(TOPIC, 2)
    world.table.insert(3)
    world.table.insert(5)
    world.settle()
    world.heal()
    command.replay()
    assert command.states == ["open"]
    assert 1 not in world.index


def test_a_letter_that_the_topic_dropped_stays_open(world: World, command: Command) -> None:
    world.member()
    fail(world)
    (letter,) = command.letters
    command.ask()
    log_of(world, letter.partition, DEAD).truncate(letter.offset + 1)
    world.heal()
    command.wait()
    standing = command.book.standing(letter)
    assert standing.state is LetterState.OPEN
    assert "does not hold it any more" in standing.note


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (FatalError("the user may not read products-dlq"), "the user may not read products-dlq"),
        (KeyError("poison"), "it failed: KeyError"),
    ],
)
def test_letters_that_cannot_be_read_stay_open_and_the_task_goes_on(
    error: Exception, note: str
) -> None:
    class Refused(World):
        def replay_ports(self, book: LetterBook) -> ReplayPorts:
            def refuse() -> Readers:
                raise error

            return replace(super().replay_ports(book), open=refuse)

    world = Refused()
    command, _ = Command(world), world.member()
    fail(world)
    command.replay()
    (standing,) = command.standings
    assert (standing.state, standing.note) == (LetterState.OPEN, note)
    world.table.insert(2)
    world.settle()
    assert 2 in world.index
    world.close()


# Failing again --------------------------------------------------------------------------------


def test_what_fails_again_goes_on_as_a_newer_letter_as_it_was(
    world: World, command: Command
) -> None:
    member = world.member()
    record = fail(world)
    command.replay()
    assert command.states == ["returned", "open"]
    assert command.standings[0].note == "TextRefused: it goes on as a newer letter"
    first, second = command.letters.values()
    assert (first.replays, second.replays) == (0, 1)
    again = member.letters.records[1]
    assert (again.key, again.value, again.timestamp_ms) == (
        record.key,
        record.value,
        record.timestamp_ms,
    )
    assert again.headers[: len(member.letters.records[0].headers)] == (
        member.letters.records[0].headers
    )
    assert member.marks.is_marked(row(1), LATER)
    world.heal()
    command.replay()
    assert command.states == ["returned", "replayed"]
    world.assert_equals_table()


def test_a_letter_that_failed_too_often_needs_force(world: World, command: Command) -> None:
    world.member()
    fail(world)
    command.replay()
    command.replay()
    assert command.states == ["returned", "returned", "open"]
    world.heal()
    command.replay()
    assert command.states == ["returned", "returned", "open"]
    assert command.standings[2].note == ("in quarantine: it was replayed and failed again 2 times")
    command.replay(force=True)
    assert command.states == ["returned", "returned", "replayed"]
    world.assert_equals_table()


def test_the_old_letter_is_closed_once_the_new_one_is_there(world: World, command: Command) -> None:
    member = world.member()
    fail(world)
    member.letters.down()
    command.ask()
    world.until(lambda: member.task._rejects.rows)
    member.step(20)
    assert command.states == ["asked"]
    member.letters.up()
    command.wait()
    assert command.states == ["returned", "open"]


def test_the_old_letter_is_closed_once_the_row_is_marked(world: World, command: Command) -> None:
    member = world.member()
    fail(world)
    command.ask()
    world.gate.hold("embed")
    world.until(lambda: world.gate.parked)
    member.state.down()
    world.gate.open()
    world.until(lambda: len(command.letters) > 1)
    member.step(20)
    assert command.states == ["asked", "open"]
    member.state.up()
    command.wait()
    assert command.states == ["returned", "open"]


# Twice, and at once ---------------------------------------------------------------------------


def test_replaying_twice_changes_nothing(world: World, command: Command) -> None:
    world.member()
    fail(world)
    world.heal()
    command.replay()
    points, writes = world.points.keys(), len(world.gated_store.writes)
    command.ask(list(command.letters))
    assert command.states == ["replayed"], "it is closed"
    command.replay(list(command.letters), force=True)
    assert world.points.keys() == points
    assert len(world.gated_store.writes) <= writes + 1
    world.assert_equals_table()


def test_two_replays_at_once_are_one(world: World, command: Command) -> None:
    world.member()
    for number in (1, 2, 3, 4):
        world.table.insert(number, body=POISON)
    world.settle()
    world.heal()
    world.gate.hold("embed")
    command.ask(run="one")
    world.until(lambda: world.gate.parked)
    command.ask(run="two")
    world.gate.open()
    command.wait()
    assert command.states == ["replayed"] * 4
    assert sorted(point for _, point, _ in world.gated_store.writes) == ["1", "2", "3", "4"]
    world.assert_equals_table()


def test_letters_of_one_row_go_together_whoever_asked_for_them(
    world: World, command: Command
) -> None:
    member = world.member()
    fail(world)
    world.table.update(1, price=9, without=("body",))
    world.settle()
    first, second = command.letters
    world.heal()
    member.state.hold()
    command.ask([second], run="one")
    command.ask([first], run="two")
    member.state.caught_up(0.0)
    command.wait()
    assert command.states == ["replayed", "replayed"]
    world.assert_equals_table()


def test_a_letter_discarded_while_it_waits_is_left_alone(world: World, command: Command) -> None:
    world.member()
    fail(world)
    (letter,) = command.letters
    world.heal()
    world.gate.hold("tail")
    command.ask()
    world.until(lambda: world.gate.parked)
    book = command.book
    book.settle(letter, LetterState.DISCARDED, "not needed")
    book.keep()
    world.gate.open()
    for one in world.members:
        one.step(50)
    assert command.states == ["discarded"]
    assert 1 not in world.index


def test_a_rate_is_kept(make_world: Worlds) -> None:
    world = make_world(partitions=1)
    command, member = Command(world), world.member()
    for number in range(1, 21):
        world.table.insert(number, body=POISON)
    world.settle()
    world.heal()
    clock = clock_of(world)
    world.gate.hold("tail")
    command.ask(per_s=2)
    world.until(lambda: world.gate.parked)
    world.gate.open()
    world.until(lambda: member.task._backlog.rows)
    began_s = clock.now_s()
    command.wait()
    took_s = clock.now_s() - began_s
    assert 9.0 <= took_s <= 15.0
    world.assert_equals_table()


# Owners that come and go ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["letters", "tail", "fetch", "embed", "upsert"])
@pytest.mark.parametrize("verdict", [Verdict.KILLED, Verdict.UNSURE])
def test_the_next_owner_does_what_a_killed_one_left(
    world: World, command: Command, method: str, verdict: Verdict
) -> None:
    first = world.member()
    fail(world)
    fail(world, 3)
    world.table.update(3, body="newer")
    world.settle()
    world.heal()
    world.gate.hold(method)
    command.ask()
    world.until(lambda: world.gate.parked)
    call = world.gate.parked[0]
    world.crash(first)
    world.gate.release(call, verdict)
    world.gate.open()
    world.member()
    command.wait()
    world.settle()
    assert command.states == ["replayed", "superseded"]
    world.assert_equals_table()


def test_what_a_killed_owner_wrote_but_did_not_settle_changes_nothing(
    world: World, command: Command
) -> None:
    first = world.member()
    fail(world)
    world.heal()
    first.state.refuse_posts()
    command.ask()
    world.until(lambda: 1 in world.index)
    first.step(20)
    assert command.states == ["asked"]
    world.crash(first)
    world.member()
    command.wait()
    assert command.states == ["replayed"]
    world.assert_equals_table()


def test_an_owner_that_was_frozen_puts_nothing_old_over_the_new(make_world: Worlds) -> None:
    world = make_world(guarded=False)
    command, frozen = Command(world), world.member()
    fail(world)
    world.heal()
    world.gate.hold("embed")
    command.ask()
    world.until(lambda: world.gate.parked)
    (call,) = world.gate.parked
    world.members.remove(frozen)
    frozen.source.expire()
    clock_of(world).advance(2 * SESSION_S)
    world.gate._held.clear()
    world.member()
    world.table.delete(1)
    world.settle()
    command.wait()
    assert command.states == ["superseded"]
    world.gate.release(call)
    world.wait_for(frozen.task._flight._landed.qsize)
    world.members.append(frozen)
    world.until(lambda: not frozen.task._flight.in_flight)
    assert command.states == ["superseded"]
    world.assert_equals_table()


def test_partitions_that_are_handed_over_take_what_is_asked_for_along(
    world: World, command: Command
) -> None:
    world.member()
    for number in range(1, 9):
        world.table.insert(number, body=POISON)
    world.settle()
    world.heal()
    world.gate.hold("tail")
    command.ask()
    world.until(lambda: world.gate.parked)
    world.member()
    world.until(lambda: len(world.members[1].source.held) == 1)
    world.gate.open()
    command.wait()
    assert command.states == ["replayed"] * 8
    world.assert_equals_table()


def test_a_run_until_caught_up_leaves_nothing_that_was_asked_for() -> None:
    world = system_world()
    try:
        command, first = Command(world), world.member()
        fail(world)
        world.stop(first)
        world.heal()
        command.ask()
        last = world.newcomer()
        thread = last.run(Goal(last.source, world.clock, look_every_s=0.05))
        thread.join(JOIN_S)
        assert last.error is None
        assert not thread.is_alive()
        assert command.states == ["replayed"]
        world.assert_equals_table()
    finally:
        world.close()


def test_before_a_replay_writes_the_partition_is_open(make_world: Worlds) -> None:
    world = make_world(guarded=False, partitions=1)
    command, first = Command(world), world.member()
    fail(world)
    world.stop(first)
    assert world.standings == {Standing.CLEAN}
    world.heal()
    second = world.member()
    world.gate.hold("upsert")
    command.ask()
    world.until(lambda: world.gate.parked)
    assert world.standings == {Standing.OPEN}, "a crash now would be seen by the next owner"
    world.gate.open()
    command.wait()
    world.stop(second)
    assert world.standings == {Standing.CLEAN}
    world.assert_equals_table()


def test_a_letter_whose_record_is_still_to_be_read_waits_for_it(
    world: World, command: Command
) -> None:
    first = world.member()
    fail(world)
    world.table.update(1, body="newer")
    world.settle()
    world.stop(first)
    world.rewind()
    world.heal()
    command.ask()
    world.member()
    command.wait()
    world.settle()
    assert command.states == ["superseded"]
    world.assert_equals_table()
