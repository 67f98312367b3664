"""A worker ends after any point that it wrote, and the row's next change is of any kind."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.unit.pipeline.chunked import Killed, Shop, story
from worker.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import Change

WORDS = [None, "a", "abc", "xbc", "abcde"]
"""Gone, one chunk, three, three others, five."""
MOST_WRITES = 30


def change(shop: Shop, words: str | None, price: int) -> Change:
    return shop.change(story(words) if words else None, price=price)


def breaks(shop: Shop, left: int, changes: Sequence[Change]) -> bool:
    """Run until the store has written so many points; whether that was the end of it."""
    shop.store.left = left
    try:
        shop.run(*changes)
    except Killed:
        return True
    finally:
        shop.store.left = None
    return False


def interrupt(shop: Shop, left: int, one: Change) -> None:
    """The store is away after so many points, and the task stops waiting for it."""
    shop.store.left, shop.store.breaks_with = left, RetriableError("away")
    shop.abort.set()
    shop.run(one)
    shop.store.left = None
    shop.abort.clear()


@pytest.mark.parametrize(("guarded", "settle_s"), [(True, 0.0), (False, 5.0)])
@pytest.mark.parametrize("before", WORDS)
def test_whatever_was_written_the_next_change_is_all_that_is_there(
    before: str | None, *, guarded: bool, settle_s: float
) -> None:
    model = Shop()
    for after, newest in product(WORDS, WORDS):
        for left in range(MOST_WRITES):
            shop = Shop(guarded=guarded, settle_s=settle_s, embedding=model.embedding)
            shop.run(change(shop, before, 1))
            broken = change(shop, after, 2)
            is_broken = breaks(shop, left, [broken])
            shop.start()
            shop.run(broken, change(shop, newest, 3))
            shop.assert_holds(newest, price=3)
            if not is_broken:
                break
        else:
            raise AssertionError("it never came to its end")


@pytest.mark.parametrize("before", WORDS)
def test_nor_does_it_matter_where_the_second_try_ends(before: str | None) -> None:
    model = Shop()
    for after, newest in product(WORDS, WORDS):
        for first, second in product((1, 3, 5, 8), (0, 2, 5)):
            shop = Shop(guarded=False, settle_s=5.0, embedding=model.embedding)
            shop.run(change(shop, before, 1))
            broken, last = change(shop, after, 2), change(shop, newest, 1)
            breaks(shop, first, [broken])
            shop.start()
            breaks(shop, second, [broken, last])
            shop.start()
            shop.run(last)
            shop.assert_holds(newest, price=1)


@pytest.mark.parametrize("before", WORDS)
def test_a_worker_that_goes_on_after_an_interruption_knows_what_may_be_there(
    before: str | None,
) -> None:
    model = Shop()
    for after, newest in product(WORDS, WORDS):
        for left in range(0, 12, 2):
            shop = Shop(guarded=False, settle_s=5.0, embedding=model.embedding)
            shop.run(change(shop, before, 1))
            interrupt(shop, left, change(shop, after, 2))
            shop.run(change(shop, newest, 1))
            shop.assert_holds(newest, price=1)
