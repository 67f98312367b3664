"""Texts in chunks through the whole engine: two workers, key changes, columns not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.pipeline.gate import Verdict
from tests.pipeline.table import TOPIC, text_of
from tests.pipeline.test_estimate import texts_of
from tests.pipeline.world import POISON
from worker.document.chunking import Chunking
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import Member, World

CHUNKING = Chunking(12)


def body(words: Sequence[str]) -> str:
    return "\n\n".join(f"This chapter is about {word} and more." for word in words)


@pytest.fixture(
    params=["guarded", "unguarded", "late", "guarded and late", "guarded in transactions"]
)
def world(request: pytest.FixtureRequest, make_world: Worlds) -> World:
    settle_s = 5.0 if "late" in request.param else 0.0
    guarded = request.param.startswith("guarded")
    transactional = "transactions" in request.param
    return make_world(
        guarded=guarded, settle_s=settle_s, chunking=CHUNKING, transactional=transactional
    )


def assert_equals_table(world: World) -> None:
    """Exactly the chunks of each row, with their own texts and vectors and the row's metadata."""
    wanted = {
        f"{row_id}#{number}": (text, row["price"])
        for row_id, row in world.table.rows.items()
        for number, text in enumerate(CHUNKING.split(text_of(row)))
    }
    points = world.store.points(TOPIC)
    found = {
        name: (point.metadata["text"], point.metadata["price"]) for name, point in points.items()
    }
    assert found == wanted
    if points:
        texts = [str(point.metadata["text"]) for point in points.values()]
        vectors = FakeEmbedder(FakeConfig(dimensions=32)).embed(texts, Purpose.DOCUMENT).vectors
        assert np.array_equal(np.stack([point.vector for point in points.values()]), vectors)
    assert not [
        name for name, point in points.items() if point.stamp is None or point.stamp.is_unfinished
    ]


def test_a_text_that_grows_and_shrinks_and_goes(world: World) -> None:
    world.member()
    for words in ("abc", "abcdef", "b", "bx", "abcdef", "fedcba"):
        if 1 in world.table.rows:
            world.table.update(1, body=body(words))
        else:
            world.table.insert(1, body=body(words))
        world.settle()
        assert_equals_table(world)
    world.table.delete(1)
    world.settle()
    assert world.store.points(TOPIC) == {}


@pytest.mark.parametrize("without", [(), ("body",)], ids=["whole", "without its text"])
def test_a_key_change_moves_every_chunk_and_embeds_none(
    world: World, without: tuple[str, ...]
) -> None:
    world.member()
    world.member()
    world.table.insert(1, body=body("abc"))
    world.settle()
    paid = world.embedder.texts
    world.table.move(1, 2, without=without)
    world.settle()
    assert world.dead == []
    assert_equals_table(world)
    assert world.embedder.texts == paid


def test_it_does_so_whichever_worker_is_first(make_world: Worlds) -> None:
    for slow in (0, 1):
        world = make_world(chunking=CHUNKING)
        first, second = world.member(), world.member()
        world.table.insert(0, body=body("abc"))
        world.settle()
        world.table.move(0, 1, without=("body",))
        quick = second if slow == 0 else first
        for _ in range(20):
            quick.step()
        world.settle()
        assert world.dead == []
        assert_equals_table(world)
        assert world.embedder.texts == len(CHUNKING.split(text_of(world.table.rows[1])))


def test_a_key_swap_leaves_each_row_its_own_chunks(world: World) -> None:
    world.member()
    world.table.insert(1, body=body("abc"))
    world.table.insert(2, body=body("de"))
    world.settle()
    paid = world.embedder.texts
    for old, new in ((1, 3), (2, 1), (3, 2)):
        world.table.move(old, new, without=("body",))
    world.settle()
    assert world.dead == []
    assert_equals_table(world)
    assert world.embedder.texts == paid


def test_rows_that_leave_one_key_one_after_the_other_keep_their_own_chunks(world: World) -> None:
    world.member()
    world.table.insert(1, body=body("abc"))
    world.table.insert(2, body=body("def"))
    world.settle()
    paid = world.embedder.texts
    for old, new in ((1, 9), (9, 3), (2, 9), (9, 4)):
        world.table.move(old, new, without=("body",))
    world.settle()
    assert world.dead == []
    assert_equals_table(world)
    assert world.embedder.texts == paid


def test_nothing_stays_parked(world: World) -> None:
    world.member()
    world.table.insert(1, body=body("abc"))
    world.settle()
    world.table.move(1, 2, without=("body",))
    world.settle()
    assert world.store.points("_vecsink_moved") == {}


def test_a_change_without_the_text_rewrites_all_chunks_with_their_own_texts(world: World) -> None:
    world.member()
    world.table.insert(1, body=body("abc"))
    world.settle()
    paid = world.embedder.texts
    world.table.update(1, price=7, without=("body",))
    world.settle()
    assert world.dead == []
    assert_equals_table(world)
    assert world.embedder.texts == paid


def test_so_it_does_after_a_crash_in_its_midst(make_world: Worlds) -> None:
    for calls in range(4):
        world = make_world(guarded=False, chunking=CHUNKING)
        member = world.member()
        world.table.insert(1, body=body("abc"))
        world.settle()
        world.table.update(1, price=7, without=("body",))
        world.gate.hold("upsert", "delete")
        kill_after(world, member, calls)
        world.member()
        world.settle()
        assert world.dead == []
        assert_equals_table(world)


def kill_after(world: World, member: Member, calls: int) -> None:
    """Let so many writes pass, then let the process end in the next one, if there is one."""
    for _ in range(calls):
        world.until(lambda: world.gate.parked or world.is_settled)
        if not world.gate.parked:
            break
        world.gate.release(world.gate.parked[0])
    else:
        world.until(lambda: world.gate.parked or world.is_settled)
        for call in world.gate.parked:
            world.gate.release(call, Verdict.KILLED)
    world.gate.open()
    world.crash(member)


@pytest.mark.parametrize("calls", range(5))
def test_a_key_change_survives_a_crash_at_each_of_its_writes(
    make_world: Worlds, calls: int
) -> None:
    world = make_world(guarded=False, chunking=CHUNKING)
    member = world.member()
    world.table.insert(1, body=body("abc"))
    world.settle()
    world.table.move(1, 2, without=("body",))
    world.gate.hold("upsert", "delete")
    kill_after(world, member, calls)
    world.member()
    world.settle()
    assert world.dead == []
    assert_equals_table(world)


def test_a_row_leaves_with_all_its_chunks_when_its_condition_turns_false(
    make_world: Worlds,
) -> None:
    world = make_world(chunking=CHUNKING, when="price < 10")
    world.member()
    world.table.insert(1, body=body("abc"))
    world.settle()
    world.table.update(1, price=10)
    world.settle()
    assert world.store.points(TOPIC) == {}
    world.table.update(1, price=9)
    world.settle()
    assert_equals_table(world)


def test_one_refused_chunk_sends_its_row_to_the_dead_letters_and_the_older_row_stays(
    world: World,
) -> None:
    world.member()
    world.table.insert(1, body=body("abc"))
    world.table.insert(2, body=body("de"))
    world.settle()
    before = dict(world.table.rows[1])
    world.table.update(1, body=body(["a", POISON, "c"]))
    world.table.update(2, body=body("dx"))
    world.settle()
    assert [kind for _, _, kind in world.dead] == ["TextRefused"]
    world.table.rows[1] = before
    assert_equals_table(world)


def test_an_estimate_counts_chunks_that_the_run_then_pays(make_world: Worlds) -> None:
    world = make_world(chunking=CHUNKING)
    for row in range(10):
        world.table.insert(row, body=body([f"a{row}", f"b{row}", f"c{row}"]))
    estimated = texts_of(world)
    world.member()
    world.settle()
    assert estimated.expected == world.embedder.texts
    for row in range(10):
        world.table.read_again(row)
    assert texts_of(world).expected == 0
