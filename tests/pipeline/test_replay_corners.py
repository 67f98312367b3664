"""Dead letters that lack columns, that nobody can read, or that somebody else decided about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.pipeline.gate import Verdict
from tests.pipeline.letterbox import DEAD
from tests.pipeline.replaying import Command
from tests.pipeline.table import TOPIC
from tests.pipeline.world import POISON, clock_of, json_decoder
from worker.dlq.headers import CONNECT
from worker.errors import RecordError, Stage
from worker.letters.standing import LetterOrigin, LetterState, Standing
from worker.model import Key, Position

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member, World
    from worker.decode.port import Decoder
    from worker.model import Record

BODY = ("body",)
LATER = Position("", 0, 0)
"""Compares with nothing, so it is not known to be before any dead letter."""
ROW = Key(TOPIC, (("id", 1),))


class Refusing:
    """A decoder whose schema for one offset is gone."""

    def __init__(self, inner: Decoder, offset: int) -> None:
        self._inner = inner
        self._offset = offset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decode(self, record: Record) -> Any:
        if record.offset == self._offset and record.value is not None:
            raise RecordError("the schema is gone", stage=Stage.VALUE_CONVERTER, kind="SchemaGone")
        return self._inner.decode(record)


def without_schema(world: World, offset: int) -> Member:
    return world.member(Refusing(json_decoder(world.documents.columns), offset))


def mended(world: World, member: Member) -> Member:
    """The schema is back, and the worker starts anew."""
    world.stop(member)
    again = world.member()
    world.table.insert(3)
    world.settle()
    return again


def test_a_record_that_cannot_be_read_is_no_harm_to_other_rows(world: World) -> None:
    world.member()
    world.table.insert(1)
    world.table.insert(3)
    world.settle()
    world.table.garbage(1)
    world.settle()
    world.table.update(3, price=9, without=BODY)
    world.settle()
    assert len(world.dead) == 1
    assert world.index[3]["price"] == 9


def test_a_partial_change_that_is_replayed_from_the_index_frees_its_row(world: World) -> None:
    command = Command(world)
    member = without_schema(world, 1)
    world.table.insert(1, body="first")
    world.table.update(1, price=1, without=BODY)
    world.settle()
    member = mended(world, member)
    command.replay()
    assert command.states == ["replayed"]
    assert not member.marks.is_marked(ROW, LATER)
    world.table.update(1, price=9, without=BODY)
    world.settle()
    assert command.states == ["replayed"]
    assert world.index[1]["price"] == 9


def test_two_dead_partial_changes_of_a_row_are_replayed_together(world: World) -> None:
    command = Command(world)
    member = without_schema(world, 1)
    world.table.insert(1, body="first")
    world.table.update(1, price=1, without=BODY)
    world.settle()
    world.table.update(1, price=2, without=BODY)
    world.settle()
    member = mended(world, member)
    assert len(command.states) == 2
    command.replay()
    assert set(command.states) <= {"replayed", "superseded"}
    assert world.index[1]["price"] == 2
    assert not member.marks.is_marked(ROW, LATER)


def test_a_letter_without_a_key_stays_open_and_keeps_no_other(world: World) -> None:
    command = Command(world)
    world.member()
    record = world.table.insert(1, body=POISON)
    world.settle()
    world.heal()
    origin = (("topic", TOPIC.encode()), ("partition", b"1"), ("offset", b"0"))
    headers = tuple((CONNECT + name, value) for name, value in origin)
    world.broker.produce(DEAD, None, record.value, headers=headers, timestamp_ms=1000, partition=0)
    command.replay()
    assert sorted(command.states) == ["open", "replayed"]
    assert 1 in world.index


def test_a_discard_stays_while_the_tail_cannot_be_read(make_world: Worlds) -> None:
    world = make_world()
    command, member = Command(world), world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    world.heal()
    world.gate.hold("tail")
    command.ask()
    world.until(lambda: world.gate.parked)
    (letter,) = command.letters
    command.book.settle(letter, LetterState.DISCARDED, "of no use")
    command.book.keep()
    member.book.sync()
    (call,) = world.gate.parked
    world.gate.release(call, Verdict.REFUSED)
    member.step(50)
    command.book.sync()
    assert [(one.state, one.note) for one in command.standings] == [
        (LetterState.DISCARDED, "of no use")
    ]


def test_a_question_that_came_too_late_is_answered_for_good(make_world: Worlds) -> None:
    world = make_world()
    command, member = Command(world), world.member()
    world.table.insert(1, body=POISON)
    world.settle()
    world.heal()
    ((letter, said),) = command.letters.items()
    command.book.settle(letter, LetterState.DISCARDED, "of no use")
    command.book.keep()
    command.book.sync()
    origin = LetterOrigin(said.topic, said.topic_id, said.origin_partition, said.origin_offset)
    late = Standing(LetterState.ASKED, at_ms=1, run="late", origin=origin)
    member.state.append(letter.key, late.value)
    member.book.sync()
    world.stop(member)
    world.state.compact()
    member = world.member()
    world.settle()
    assert member.book.standing(letter).state is LetterState.DISCARDED
    assert 1 not in world.index


def test_who_asks_again_without_a_rate_does_not_wait_for_the_old_one(make_world: Worlds) -> None:
    world = make_world(partitions=1)
    command, _ = Command(world), world.member()
    for number in range(1, 6):
        world.table.insert(number, body=POISON)
    world.settle()
    world.heal()
    clock = clock_of(world)
    command.ask(per_s=0.01)
    world.until(lambda: "replayed" in command.states)
    began_s = clock.now_s()
    waiting = [
        one for one, state in zip(command.letters, command.states, strict=True) if state == "asked"
    ]
    command.ask(waiting, run="second")
    world.until(lambda: not command.book.has_asked)
    assert command.states == ["replayed"] * 5
    assert clock.now_s() - began_s < 50
