"""Rows that change their keys again and again, each time as late as the store takes to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import clock_of
from worker.pipeline.other_half import LACK, PAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World

SETTLE_S = 3.0
MANY, FEW = 50, 30
"""Together longer than what waits, without its text or with it, while other partitions stand still.
"""

SWAPS = 12


@pytest.fixture
def world(make_world: Worlds) -> World:
    world = make_world(guarded=False, settle_s=SETTLE_S)
    world.member()
    world.table.insert(0, body="text")
    world.settle()
    clock_of(world).advance(10.0)
    return world


@pytest.fixture(params=["one by one", "in one moment"])
def live(request: pytest.FixtureRequest, world: World) -> World:
    """Records arrive as they are sent: one by one, or all in the same millisecond."""
    now_ms = clock_of(world).unix_ms()
    world.table.pass_time(now_ms)
    if request.param == "in one moment":
        world.table.sent_ms = now_ms
    return world


def move_on_and_on(world: World, moves: int, *, without: Sequence[str] = ()) -> float:
    """How long it took."""
    began_s = clock_of(world).now_s()
    for key in range(moves):
        world.table.move(key, key + 1, without=without)
    world.settle()
    return clock_of(world).now_s() - began_s


def assert_right(world: World, *, texts: int = 1) -> None:
    assert world.dead == []
    world.assert_equals_table()
    assert world.embedder.texts == texts


def test_a_row_keeps_its_text_that_its_records_lack(live: World) -> None:
    assert move_on_and_on(live, MANY, without=["body"]) > LACK.still_s
    assert_right(live)


def test_a_text_is_not_paid_for_again(live: World) -> None:
    assert move_on_and_on(live, FEW) > PAY.still_s
    assert_right(live)


def test_two_rows_that_change_places_many_times_keep_their_texts_when_all_is_sent_again(
    live: World,
) -> None:
    live.table.insert(1, body="another text")
    live.settle()
    clock_of(live).advance(10.0)
    for _ in range(SWAPS):
        for old, new in ((0, 9), (1, 0), (9, 1)):
            live.table.move(old, new, without=["body"])
    live.table.send_again(SWAPS * 9)
    live.settle()
    assert_right(live, texts=2)


def test_what_is_read_long_after_it_was_sent_waits_no_longer_because_others_move(
    world: World,
) -> None:
    """Of a topic that is read again nearly all such changes wait for nothing."""
    move_on_and_on(world, MANY, without=["body"])
    assert [kind for _, _, kind in world.dead] == ["UnavailableColumn"]
