from __future__ import annotations

import numpy as np

from worker.model import Change, Document, Key, Op, Origin, Point, Position, Record, Stamp
from worker.pipeline.decide import Decision, decide, is_stale
from worker.pipeline.held import Held, metadata_digest

TOPIC = "shop.public.products"


def change(
    offset: int, *, partition: int = 0, topic_id: str = "t1", at_ms: int | None = 500
) -> Change:
    record = Record(TOPIC, partition, offset, b"k", b"v", topic_id=topic_id)
    return Change(record, Key(TOPIC, (("id", 1),)), Op.UPDATE, {}, Origin(committed_ms=at_ms))


def document(of: Change, *, fingerprint: str = "text-a", price: float = 1.0) -> Document:
    stamp = Stamp(fingerprint, of.position, "fake/m/3")
    metadata = {"price": price, "updated_at": of.origin.committed_ms or 0}
    return Document(TOPIC, "1", "text", metadata, stamp)


def stored(of: Change, *, fingerprint: str = "text-a", price: float = 1.0) -> Point:
    made = document(of, fingerprint=fingerprint, price=price)
    return Point("1", np.ones(3, np.float32), made.metadata, made.stamp)


def verdict(
    of: Change, there: Point | None, *, is_proven: bool = False, **more: str | float
) -> Decision:
    held = Held.fetched(there)
    return decide(document(of, **more), of, held, is_proven=is_proven)  # type: ignore[arg-type]


def is_stale_beside(of: Change, there: Point) -> bool:
    held = Held.fetched(there)
    assert held is not None
    return is_stale(of, held)


def test_what_the_index_lacks_is_embedded() -> None:
    assert verdict(change(5), None) is Decision.EMBED


def test_a_point_that_somebody_else_wrote_is_embedded_over() -> None:
    foreign = Point("1", np.ones(3, np.float32), {}, None)
    assert verdict(change(5), foreign) is Decision.EMBED


def test_another_text_is_embedded() -> None:
    assert verdict(change(6), stored(change(5), fingerprint="text-b")) is Decision.EMBED


def test_the_same_text_keeps_its_vector_but_is_written() -> None:
    assert verdict(change(6), stored(change(5))) is Decision.REUSE


def test_a_later_change_to_the_same_needs_nothing_once_the_index_is_proven() -> None:
    assert verdict(change(6, at_ms=600), stored(change(5)), is_proven=True) is Decision.UNCHANGED
    there = stored(change(5))
    assert verdict(change(6), there, is_proven=True, price=2.0) is Decision.REUSE


def test_whole_numbers_are_the_same_however_the_store_gives_them_back() -> None:
    assert metadata_digest({"a": 5, "b": ["c"]}) == metadata_digest({"b": ["c"], "a": 5.0})
    assert metadata_digest({"a": 1}) != metadata_digest({"a": True})
    assert metadata_digest({"a": 1e300}) != metadata_digest({"a": -1e300})


def test_the_very_same_change_needs_nothing() -> None:
    assert verdict(change(5), stored(change(5))) is Decision.UNCHANGED


def test_the_same_change_with_other_metadata_is_written() -> None:
    assert verdict(change(5), stored(change(5)), price=2.0) is Decision.REUSE


def test_without_topic_ids_nothing_proves_that_it_is_the_same_change() -> None:
    nameless = change(5, topic_id="")
    assert verdict(nameless, stored(nameless)) is Decision.REUSE


def test_a_lower_offset_of_the_same_partition_is_stale_whatever_the_clock_says() -> None:
    assert is_stale_beside(change(5, at_ms=900), stored(change(6, at_ms=100)))
    assert not is_stale_beside(change(6, at_ms=100), stored(change(5, at_ms=900)))


def test_where_positions_do_not_compare_only_a_strictly_older_commit_time_is_stale() -> None:
    for elsewhere in (change(1, partition=1), change(1, topic_id="t2"), change(1, topic_id="")):
        assert is_stale_beside(elsewhere, stored(change(9, at_ms=501)))
        assert not is_stale_beside(elsewhere, stored(change(9, at_ms=500)))
        assert not is_stale_beside(elsewhere, stored(change(9, at_ms=499)))


def test_without_a_commit_time_arrival_decides() -> None:
    assert not is_stale_beside(change(1, partition=1, at_ms=None), stored(change(9, at_ms=501)))


def test_an_empty_topic_id_compares_with_nothing() -> None:
    assert not Position("", 0, 1).comparable(Position("", 0, 2))
