"""A bad record goes to the dead-letter topic alone; its neighbours and its row's order stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import POISON
from worker.dlq.reading import letter_of
from worker.errors import FatalError
from worker.flow.batching import BatchPolicy
from worker.pipeline.net import Tolerated

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World


def kinds(world: World) -> list[str]:
    return [kind for _, _, kind in world.dead]


def test_a_refused_text_takes_only_itself_to_the_dead_letters(make_world: Worlds) -> None:
    world = make_world(batch=BatchPolicy(max_rows=50))
    world.member()
    for row in range(10):
        world.table.insert(row, body=POISON if row == 4 else "good")
    world.settle()
    assert world.index.keys() == set(range(10)) - {4}
    assert kinds(world) == ["TextRefused"]


def test_after_a_refused_text_the_row_goes_on_in_order(world: World) -> None:
    world.table.insert(1, body="first")
    world.table.update(1, body=POISON)
    world.member()
    world.settle()
    assert world.index[1]["body"] == "first"
    world.table.update(1, body="third")
    world.settle()
    world.assert_equals_table()
    assert kinds(world) == ["TextRefused"]


def test_a_whole_batch_of_refused_texts_is_dead_lettered_and_committed(world: World) -> None:
    for row in range(6):
        world.table.insert(row, body=POISON)
    world.member()
    world.settle()
    assert world.index == {}
    assert kinds(world) == ["TextRefused"] * 6


@pytest.mark.parametrize("ends", ["stop", "crash"])
def test_a_letter_that_overtook_what_came_before_it_is_not_sent_again(
    make_world: Worlds, ends: str
) -> None:
    """The next owner reads its record again, as the commit stands below it."""
    world = make_world(partitions=1)
    world.gate.hold("embed")
    first = world.member()
    world.table.insert(1)
    world.table.garbage(2)
    world.until(lambda: any(one.letters for one in world.commits))
    {"stop": world.stop, "crash": world.crash}[ends](first)
    world.gate.open()
    last = world.member()
    world.settle()
    world.assert_equals_table()
    assert len(world.dead) == 1
    assert last.task.counters.dead_letters.total() == 0
    assert not any(one.letters for one in world.commits)


def test_the_log_names_the_first_record_of_each_kind_that_fails(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for row in range(6):
        world.table.insert(row, body=POISON)
    world.member()
    world.settle()
    (said,) = (one.getMessage() for one in caplog.records if "dead-letter topic" in one.message)
    assert "@0 goes to the dead-letter topic: " in said
    assert "(TextRefused)" in said
    assert POISON not in said


def test_a_column_that_was_not_sent_stays_as_the_index_has_it(world: World) -> None:
    world.member()
    world.table.insert(1, body="real text")
    world.settle()
    texts = world.embedder.texts
    world.table.update(1, price=9, without=("body",))
    world.settle()
    assert kinds(world) == []
    assert world.index[1] == {"name": "n", "body": "real text", "price": 9}
    assert world.embedder.texts == texts


def test_a_column_that_nobody_sent_is_neither_embedded_nor_stored(world: World) -> None:
    world.member()
    world.table.insert(1, body="real text")
    world.settle()
    texts = world.embedder.texts
    world.table.update(1, name="another", without=("body",))
    world.settle()
    assert kinds(world) == ["UnavailableColumn"]
    assert world.index[1] == {"name": "n", "body": "real text", "price": 0}
    assert world.embedder.texts == texts


def test_nor_is_one_of_a_row_that_a_record_nobody_can_read_may_have_changed(world: World) -> None:
    world.member()
    world.table.insert(1, body="real text")
    world.settle()
    world.table.garbage(1)
    world.table.update(1, price=9, without=("body",))
    world.settle()
    assert kinds(world) == ["BrokenJson", "UnavailableColumn"]
    assert world.index[1]["price"] == 0


def test_a_record_that_cannot_be_read_is_dead_lettered_and_parts_the_rows_history(
    world: World,
) -> None:
    world.table.insert(1, body="before")
    world.table.garbage(1)
    world.table.update(1, price=9, without=("body",))
    world.member()
    world.settle()
    assert kinds(world) == ["BrokenJson", "UnavailableColumn"]
    assert world.index[1]["body"] == "before"
    assert world.index[1]["price"] == 0


def test_nothing_is_committed_before_the_broker_has_the_dead_letter(world: World) -> None:
    member = world.member()
    member.letters.down()
    world.table.insert(1, body=POISON)
    world.table.insert(3, body="good")
    world.until(lambda: 3 in world.index)
    member.step(200)
    place = world.table.places[1]
    assert world.committed.get(place, 0) == 0
    member.letters.up()
    world.settle()
    assert kinds(world) == ["TextRefused"]


def test_without_tolerance_the_first_bad_record_ends_the_task(make_world: Worlds) -> None:
    world = make_world(tolerant=False)
    world.member()
    world.table.insert(1, body=POISON)
    with pytest.raises(FatalError, match=r"errors\.tolerance"):
        world.settle()
    assert all(offset == 0 for offset in world.committed.values())


def test_a_row_for_which_the_condition_turns_false_leaves_the_index(make_world: Worlds) -> None:
    world = make_world(when="price < 100")
    world.member()
    world.table.insert(1, price=1)
    world.table.insert(2, price=500)
    world.settle()
    assert world.index.keys() == {1}
    world.table.update(1, price=100)
    world.table.update(2, price=99)
    world.settle()
    assert world.index.keys() == {2}


def test_an_index_of_another_model_ends_the_task_and_stays_as_it_is(make_world: Worlds) -> None:
    world = make_world()
    world.member()
    world.table.insert(1)
    world.settle()
    world.stop(world.members[0])
    points = world.points
    world.change_model("another")
    world.member()
    world.table.insert(2)
    with pytest.raises(FatalError, match="cannot be compared"):
        world.settle()
    assert world.points == points
    assert world.dead == []


def test_no_header_of_a_letter_holds_anything_of_the_row(make_world: Worlds) -> None:
    world = make_world(batch=BatchPolicy(max_rows=50))
    world.member()
    private = "Anna Schmidt, born in 1980"
    for row in range(6):
        world.table.insert(row, name=private, body=f"{POISON} {private}")
    world.settle()
    world.table.update(5, name=private, without=("body",))
    world.settle()
    letters = [letter for member in world.everybody for letter in member.letters.records]
    assert set(kinds(world)) == {"TextRefused", "UnavailableColumn"}
    told = b"".join(value or b"" for letter in letters for _, value in letter.headers)
    assert b"TextRefused" in told
    assert not any(word in told for word in (b"Anna", b"1980", POISON.encode()))


def test_a_letter_says_how_often_it_was_tried_and_when_its_row_was_written(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    ((letter,),) = ([letter for member in world.everybody for letter in member.letters.records],)
    found = letter_of(letter)
    assert found is not None
    assert found.attempts == 1
    assert found.table == "public.products"
    assert found.committed_ms is not None
    assert found.source_position is not None
    assert found.failed_ms is not None


def test_a_fault_of_every_record_fails_the_task_and_does_not_drain_the_topic(
    make_world: Worlds,
) -> None:
    world = make_world(batch=BatchPolicy(max_rows=5), tolerated=Tolerated(20, 50))
    for row in range(200):
        world.table.insert(row, body=POISON)
    member = world.member()
    with pytest.raises(FatalError, match=r"21 of the last 50 records failed \(TextRefused 21\)"):
        world.settle()
    assert len(member.letters.records) <= 20
    assert sum(world.committed.values()) <= 20
