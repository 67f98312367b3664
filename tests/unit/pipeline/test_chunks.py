"""What rows in chunks cost, and what becomes of them where one chunk fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.pipeline.chunked import POISON, Shop, story
from tests.unit.pipeline.engine import TOPIC
from tests.unit.spend.pods import Group
from worker.errors import FatalError, RecordError, Stage
from worker.model import Outcome
from worker.pipeline import pieces
from worker.pipeline.model_guard import Form, ModelGuard

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(params=[0.0, 5.0], ids=["at once", "late"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(guarded=False, settle_s=request.param)


def calls_of(shop: Shop, words: str | None, **more: int) -> dict[str, int]:
    shop.store.calls.clear()
    shop.write(story(words) if words else None, **more)
    return {name: count for name, count in shop.store.calls.items() if name != "scan"}


def test_even_a_short_text_is_a_chunk(shop: Shop) -> None:
    assert shop.write(story("a")).outcome is Outcome.WRITTEN
    assert shop.texts.keys() == {"1#0"}


def test_a_row_of_one_chunk_is_one_write() -> None:
    shop = Shop()
    assert calls_of(shop, "a") == {"fetch": 1, "upsert": 1}
    assert calls_of(shop, "b") == {"fetch": 1, "upsert": 1}
    assert calls_of(shop, None) == {"delete": 1}


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ("abc", "abcd", 1),
        ("abc", "abxc", 1),
        ("abc", "cab", 0),
        ("abc", "bc", 0),
        ("abc", "axc", 1),
        ("a", "ab", 1),
        ("abc", "abcabc", 0),
        ("ab", "xx", 1),
    ],
)
def test_only_chunks_whose_text_changed_are_embedded(
    shop: Shop, before: str, after: str, more: int
) -> None:
    shop.write(story(before))
    paid = shop.embedder.texts
    item = shop.write(story(after))
    assert shop.embedder.texts - paid == more
    assert item.outcome is (Outcome.WRITTEN if more else Outcome.REUSED)
    shop.assert_holds(after)


def test_nor_does_it_matter_whether_the_worker_is_a_new_one(shop: Shop) -> None:
    shop.write(story("abc"))
    shop.start()
    shop.write(story("abcd"))
    assert shop.embedder.texts == 4
    shop.assert_holds("abcd")


def test_a_change_of_metadata_reaches_every_chunk_and_embeds_none(shop: Shop) -> None:
    shop.write(story("abc"), price=1)
    assert shop.write(story("abc"), price=2).outcome is Outcome.REUSED
    assert shop.embedder.texts == 3
    shop.assert_holds("abc", price=2)


def test_a_row_that_is_as_it_was_costs_no_call(shop: Shop) -> None:
    shop.write(story("abc"))
    assert calls_of(shop, "abc") == {}


def test_a_snapshot_that_is_read_again_looks_at_first_chunks_alone(shop: Shop) -> None:
    changes = [shop.change(story("abc"), row=row) for row in range(5)]
    shop.run(*changes)
    shop.clock.advance(60.0)
    shop.start()
    shop.clock.advance(60.0)
    shop.store.calls.clear()
    report = shop.run(*(shop.change(story("abc"), row=row) for row in range(5)))
    assert {item.outcome for item in report.items} == {Outcome.UNCHANGED}
    assert shop.store.calls["fetch"] <= 2  # the second one once a late store is to be believed
    assert shop.store.calls["upsert"] == 0


def test_equal_chunks_of_a_batch_are_embedded_once(shop: Shop) -> None:
    shop.run(shop.change(story("abc"), row=1), shop.change(story("bcd"), row=2))
    assert shop.embedder.texts == 4


def test_a_batch_takes_the_same_calls_for_many_rows_as_for_one() -> None:
    shop = Shop()
    shop.run(*(shop.change(story("abc"), row=row) for row in range(20)))
    shop.store.calls.clear()
    shop.run(*(shop.change(story("xbc"), row=row) for row in range(20)))
    # The first chunks, the other ones, and whether the store took the signs.
    assert shop.store.calls["fetch"] == 3
    assert shop.embedder.texts == 4


def test_a_delete_takes_all_chunks_away_the_first_one_last(shop: Shop) -> None:
    shop.write(story("abcd"))
    assert shop.write(None).outcome is Outcome.DELETED
    assert shop.texts == {}


def test_a_row_leaves_with_all_its_chunks_when_it_has_no_text_any_more(shop: Shop) -> None:
    shop.write(story("abcd"))
    assert shop.write("").outcome is Outcome.FILTERED
    assert shop.texts == {}


def test_a_chunk_that_the_model_refuses_fails_its_row_alone_and_nothing_of_it_is_written(
    shop: Shop,
) -> None:
    bad = "\n\n".join([story("ab"), f"A chapter about {POISON} is here.", story("c")])
    report = shop.run(shop.change(bad, row=1), shop.change(story("abc"), row=2))
    first, second = (item.outcome for item in report.items)
    assert isinstance(first, RecordError)
    assert second is Outcome.WRITTEN
    assert shop.texts.keys() == {"2#0", "2#1", "2#2"}


@pytest.mark.parametrize("number", range(4))
def test_a_chunk_that_the_store_refuses_leaves_a_row_that_is_known_to_be_unfinished(
    number: int,
) -> None:
    shop = Shop(guarded=False)
    shop.write(story("abc"))
    shop.store.refuse(f"1#{number}", RecordError("no", stage=Stage.STORE, kind="Refused"))
    assert isinstance(shop.write(story("abxy")).outcome, RecordError)
    shop.store._refused.clear()
    shop.start()
    assert shop.write(story("abc")).outcome is not Outcome.UNCHANGED or number == 0
    shop.assert_holds("abc")


def test_a_late_store_is_waited_for_after_an_assignment_but_not_later() -> None:
    shop = Shop(guarded=False, settle_s=5.0)
    began_s = shop.clock.now_s()
    shop.write(story("abc"), row=1)
    assert shop.clock.now_s() - began_s == 5.0
    began_s = shop.clock.now_s()
    shop.run(*(shop.change(story("abc"), row=row) for row in range(2, 9)))
    assert shop.clock.now_s() == began_s


def test_large_batches_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_MOST_AT_ONCE", 10)
    shop = Shop()
    rows = [shop.change(story(_words(row)), row=row) for row in range(12)]
    report = shop.run(*rows)
    assert {item.outcome for item in report.items} == {Outcome.WRITTEN}
    assert shop.embedder.calls == 4
    assert report.bill.texts == 36
    for row in range(12):
        shop.assert_holds(_words(row), row=row)


def _words(row: int) -> Sequence[str]:
    return [f"{letter}{row}" for letter in "abc"]


def test_a_namespace_of_whole_texts_takes_no_chunks_and_the_other_way_round() -> None:
    shop = Shop()
    shop.write(story("abc"))
    guard = ModelGuard(shop.store, shop.embedder.model)
    with pytest.raises(FatalError, match=r"holds chunks.*whole texts.*document\.chunk\.tokens"):
        guard.check(TOPIC)
    ModelGuard(shop.store, shop.embedder.model, Form.CHUNKS).check(TOPIC)


def test_a_row_whose_chunks_the_budget_covers_in_part_waits_as_a_whole() -> None:
    group = Group(300)
    shop = Shop(purse=group.purse())
    report = shop.run(shop.change(story("abcdefghij"), row=1), shop.change(story("kl"), row=2))
    large, small = report.items
    assert large.outcome is None
    assert large.unpaid_tokens > 300
    assert small.outcome is Outcome.WRITTEN
    assert shop.embedder.texts == 2
    assert shop.texts.keys() == {"2#0", "2#1"}
