"""What every store promises, whatever it is; a store's own test file brings the fixture."""

from __future__ import annotations

import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from worker.errors import ConfigError, FatalError, RecordError, Stage
from worker.model import Point, Position, Stamp
from worker.store.port import Deletion, MissingIndexError, Replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.model import MetadataValue, Vector
    from worker.store.port import Store

DIMENSIONS = 8
TOPIC_ID = "Zk9-_1aTQ4yN0VbRr5xA6w"


def vector(seed: int, dimensions: int = DIMENSIONS) -> Vector:
    drawn = np.random.default_rng(seed).normal(size=dimensions).astype(np.float32)
    unit: Vector = drawn / np.linalg.norm(drawn)
    return unit


def position(offset: int, partition: int = 0, topic_id: str = TOPIC_ID) -> Position:
    return Position(topic_id, partition, offset)


def point(
    point_id: str,
    seed: int = 1,
    *,
    at: Position | None = None,
    metadata: Mapping[str, MetadataValue] | None = None,
    source_position: int | None = 12_345_678_901,
) -> Point:
    return Point(
        point_id,
        vector(seed),
        {"category": "audio"} if metadata is None else metadata,
        Stamp(f"fp-{seed}", at or position(seed), "fake/fake/8", source_position),
    )


class StoreContract:
    """What a store's own test file brings, as fixtures.

    ``store`` is empty, takes 8 dimensions, cosine, shows writes at once.
    ``refused`` are points that it cannot take, each for a reason of its own.
    ``absent`` is a store whose index is not there, and which does not make it.
    ``create`` gives a store that makes its index; its argument is ``store.dimensions``, or None.
    """

    is_always_there: ClassVar[bool] = False
    """Whether the index of ``create`` exists already."""

    def test_a_written_point_comes_back_whole(self, store: Store) -> None:
        metadata: dict[str, MetadataValue] = {
            "name": "Kopfhörer 🎧",
            "price": 12.5,
            "stock": 3,
            "sold": True,
            "tags": ["a", "b"],
        }
        written = point("p#1", 7, metadata=metadata)

        assert store.upsert("shop", [written]) == {}
        found = store.fetch("shop", ["p#1"])["p#1"]

        assert found.id == "p#1"
        assert found.vector.dtype == np.float32
        np.testing.assert_array_equal(found.vector, written.vector)
        assert found.metadata == metadata
        assert found.stamp == written.stamp

    def test_a_stamp_without_source_position_comes_back_without(self, store: Store) -> None:
        written = point("a", source_position=None)
        store.upsert("shop", [written])
        assert store.fetch("shop", ["a"])["a"].stamp == written.stamp

    def test_the_columns_of_a_stamp_come_back_whatever_their_names(self, store: Store) -> None:
        columns = ("price, net", "100%", "a%2Cb", "%252C", "größe", ",")
        stamp = Stamp("fp", position(1), "fake/fake/8", columns=columns)
        store.upsert("shop", [Point("a", vector(1), {}, stamp)])
        assert store.fetch("shop", ["a"])["a"].stamp == stamp

    def test_an_upsert_replaces_the_whole_point(self, store: Store) -> None:
        store.upsert("shop", [point("a", 1, at=position(1), metadata={"old": "x"})])
        store.upsert("shop", [point("a", 2, at=position(2), metadata={"new": "y"})])

        found = store.fetch("shop", ["a"])["a"]
        assert found.metadata == {"new": "y"}
        np.testing.assert_array_equal(found.vector, vector(2))

    def test_the_same_write_twice_is_the_same_as_once(self, store: Store) -> None:
        for _ in range(2):
            assert store.upsert("shop", [point("a")]) == {}
        assert [found.id for found in store.scan("shop")] == ["a"]

    def test_fetch_leaves_out_what_does_not_exist(self, store: Store) -> None:
        store.upsert("shop", [point("a")])
        assert set(store.fetch("shop", ["a", "missing", "a"])) == {"a"}
        assert store.fetch("shop", []) == {}

    def test_a_namespace_that_does_not_exist_is_empty(self, store: Store) -> None:
        store.upsert("other", [point("a")])
        assert store.fetch("never", ["a"]) == {}
        assert store.delete("never", [Deletion("a", position(9))]) == {}
        assert list(store.query("never", vector(1), 3)) == []
        assert list(store.scan("never")) == []

    def test_namespaces_are_apart(self, store: Store) -> None:
        store.upsert("one", [point("a", 1)])
        store.upsert("two", [point("a", 2)])
        store.delete("one", [Deletion("a", position(9))])

        assert store.fetch("one", ["a"]) == {}
        assert set(store.fetch("two", ["a"])) == {"a"}
        assert "two" in store.namespaces()

    def test_a_delete_removes_and_absent_ids_are_no_error(self, store: Store) -> None:
        store.upsert("shop", [point("a"), point("b")])

        assert store.delete("shop", [Deletion("a", position(9)), Deletion("x", position(9))]) == {}
        assert set(store.fetch("shop", ["a", "b", "x"])) == {"b"}

    def test_any_number_of_points_goes_in_one_call(self, store: Store) -> None:
        ids = [f"row-{number}" for number in range(2_300)]
        assert store.upsert("shop", [point(each, 3) for each in ids]) == {}

        assert set(store.fetch("shop", ids)) == set(ids)
        assert {found.id for found in store.scan("shop")} == set(ids)
        assert store.delete("shop", [Deletion(each, position(9)) for each in ids[1:]]) == {}
        assert [found.id for found in store.scan("shop")] == ["row-0"]

    def test_no_points_are_fine(self, store: Store) -> None:
        assert store.upsert("shop", []) == {}
        assert store.delete("shop", []) == {}

    def test_large_metadata_is_cut_by_bytes(self, store: Store) -> None:
        long = "x" * 30_000
        points = [point(f"row-{number}", metadata={"text": long}) for number in range(150)]
        assert store.upsert("shop", points) == {}
        assert len(store.fetch("shop", [each.id for each in points])) == 150

    def test_odd_ids_come_back(self, store: Store) -> None:
        ids = ["a b", "a/b", "a&b=c", "ä".encode().hex(), "%41", "+", "#", "x" * 512]
        store.upsert("shop", [point(each) for each in ids])
        assert set(store.fetch("shop", ids)) == set(ids)

    def test_points_that_a_row_no_longer_has_go_with_its_change(self, store: Store) -> None:
        chunks = [f"a#{number}" for number in range(4)]
        store.upsert("shop", [point(each, 1, at=position(1)) for each in chunks])

        store.upsert("shop", [point("a#0", 2, at=position(2))])
        assert store.delete("shop", [Deletion(each, position(2)) for each in chunks[1:]]) == {}
        assert [found.id for found in store.scan("shop")] == ["a#0"]

        store.upsert("shop", [point(each, 3, at=position(3)) for each in chunks])
        assert set(store.fetch("shop", chunks)) == set(chunks)

    def test_a_scan_shows_what_nobody_touches_once_while_other_points_come_and_go(
        self, store: Store
    ) -> None:
        ids = [f"row-{number:04}" for number in range(1_500)]
        store.upsert("shop", [point(each) for each in ids])

        scan = store.scan("shop")
        seen = [found.id for found in islice(scan, 10)]
        store.delete("shop", [Deletion(each, position(9)) for each in ids[::2]])
        store.upsert("shop", [point(f"new-{number}") for number in range(100)])
        seen += [found.id for found in scan]

        assert len(seen) == len(set(seen))
        assert set(seen) >= set(ids[1::2])

    def test_bad_points_do_not_fail_their_batch(
        self, store: Store, refused: Sequence[Point]
    ) -> None:
        good = [point(f"row-{number}") for number in range(30)]
        bad = [each.id for each in refused]

        found = store.upsert("shop", [*good[:10], *refused, *good[10:]])

        assert set(found) == set(bad)
        for error in found.values():
            assert isinstance(error, RecordError)
            assert error.stage is Stage.STORE
            assert error.kind
        assert set(store.fetch("shop", [each.id for each in good])) == {each.id for each in good}
        assert {each.id for each in store.scan("shop")}.isdisjoint(bad)

    def test_a_query_finds_the_nearest_first(self, store: Store) -> None:
        store.upsert("shop", [point(f"p{seed}", seed) for seed in range(20)])

        found = store.query("shop", vector(4), 3)

        assert len(found) == 3
        assert found[0].id == "p4"
        assert found[0].score == pytest.approx(1.0, abs=1e-4)
        assert [match.score for match in found] == sorted(
            (match.score for match in found), reverse=True
        )
        assert found[0].metadata == {"category": "audio"}

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ({"category": "audio"}, {"a", "b"}),
            ({"category": {"$ne": "audio"}}, {"c"}),
            ({"price": {"$gt": 10}}, {"b", "c"}),
            ({"price": {"$gte": 5, "$lt": 20}}, {"a", "b"}),
            ({"category": {"$in": ["video", "none"]}}, {"c"}),
            ({"tags": "new"}, {"b"}),
            ({"$or": [{"price": 5}, {"category": "video"}]}, {"a", "c"}),
            ({"$and": [{"price": {"$lte": 15}}, {"tags": {"$exists": True}}]}, {"b"}),
            ({"price": {"$nin": [5, 25]}}, {"b"}),
            ({"tags": {"$ne": "new"}}, {"c"}),
            ({"tags": {"$exists": False}}, {"a"}),
            ({"sold": True}, {"a"}),
            ({"category": "x' OR '1'='1"}, set()),
        ],
        ids=str,
    )
    def test_a_query_can_be_filtered(
        self, store: Store, where: dict[str, object], expected: set[str]
    ) -> None:
        rows: dict[str, dict[str, MetadataValue]] = {
            "a": {"category": "audio", "price": 5, "sold": True},
            "b": {"category": "audio", "price": 15, "tags": ["new", "hot"]},
            "c": {"category": "video", "price": 25, "sold": False, "tags": ["old"]},
        }
        store.upsert("shop", [point(each, metadata=row) for each, row in rows.items()])
        assert {match.id for match in store.query("shop", vector(1), 10, where)} == expected

    @pytest.mark.parametrize("where", [{"$near": 1}, {"price": {"$about": 1}}])
    def test_a_filter_that_is_none_is_the_callers_mistake(
        self, store: Store, where: dict[str, object]
    ) -> None:
        store.upsert("shop", [point("a", 1)])
        with pytest.raises(ConfigError):
            store.query("shop", vector(1), 10, where)

    def test_many_threads_write_and_read(self, store: Store) -> None:
        barrier = threading.Barrier(4)

        def work(number: int) -> int:
            barrier.wait()
            ids = [f"{number}-{row}" for row in range(50)]
            store.upsert("shop", [point(each, number + 1) for each in ids])
            return len(store.fetch("shop", ids))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [50] * 4

    def test_the_check_passes_for_the_right_size_and_fails_for_another(self, store: Store) -> None:
        store.check(DIMENSIONS)
        with pytest.raises(FatalError, match=r"8.*9|9.*8"):
            store.check(DIMENSIONS + 1)

    def test_vectors_of_another_size_stop_the_task(self, store: Store) -> None:
        store.check(DIMENSIONS)
        wrong = Point("a", vector(1, 5), {}, point("a").stamp)
        with pytest.raises(FatalError, match="5"):
            store.upsert("shop", [point("b"), wrong])

    def test_a_missing_index_stops_the_task(self, absent: Store) -> None:
        assert not absent.create(DIMENSIONS)  # is not asked to
        with pytest.raises(
            MissingIndexError, match=r"Make it with 8 dimensions .*, or set store\.create=true"
        ) as raised:
            absent.check(DIMENSIONS)
        assert raised.value.coming == ""
        with pytest.raises(FatalError):
            absent.fetch("shop", ["a"])
        with pytest.raises(FatalError):
            absent.upsert("shop", [point("a")])

    def test_an_index_that_the_first_run_makes_is_foretold(
        self, create: Callable[[int | None], Store]
    ) -> None:
        if self.is_always_there:
            pytest.skip("there is no index to make")
        store = create(None)
        with pytest.raises(MissingIndexError, match="The first run makes it") as raised:
            store.check(DIMENSIONS)
        assert re.fullmatch(
            r"the \w+ \S+ will be made by the first run \(8 dimensions, cosine\)",
            raised.value.coming,
        )
        assert store.create(DIMENSIONS), "looking has made nothing"

    def test_a_store_may_make_its_index(self, create: Callable[[int | None], Store]) -> None:
        store = create(None)
        assert store.create(DIMENSIONS) is not self.is_always_there
        store.check(DIMENSIONS)
        store.upsert("shop", [point("a", 1), point("b", 2)])
        assert not store.create(DIMENSIONS)  # it is there, and stays as it is

        assert set(store.fetch("shop", ["a", "b"])) == {"a", "b"}
        best = store.query("shop", vector(2), 1)[0]
        assert best.id == "b"
        assert best.score == pytest.approx(1.0, abs=1e-4)
        with pytest.raises(FatalError, match=r"8.*9|9.*8"):
            store.check(DIMENSIONS + 1)

    def test_an_index_is_not_made_for_a_model_of_other_dimensions(
        self, create: Callable[[int | None], Store]
    ) -> None:
        with pytest.raises(FatalError, match=r"8.*9|9.*8"):
            create(DIMENSIONS).create(DIMENSIONS + 1)
        store = create(DIMENSIONS)
        store.create(DIMENSIONS)
        store.check(DIMENSIONS)

    def test_its_capabilities_fit_together(self, store: Store) -> None:
        can = store.capabilities
        assert can.settle_s >= 0
        assert can.write_timeout_s >= 0
        assert (can.second_look_s is None) is can.guarded

    def test_a_store_that_numbers_its_writes_says_when_they_show(self, store: Store) -> None:
        log = store.write_log
        if log is None:
            pytest.skip("of this store time alone tells")
        store.upsert("shop", [point("a", 1)])
        first = log.mark("shop")
        assert first is not None
        store.upsert("shop", [point("b", 2)])
        second = log.mark("shop")
        assert second is not None
        assert second > first
        shown = log.shown_to("shop")
        assert shown is not None
        assert shown >= second
        assert {each.id for each in store.scan("shop")} == {"a", "b"}, "a mark is not seen"
        assert log.mark("nowhere") is None

    def test_a_row_of_several_points_is_replaced_as_a_whole(self, store: Store) -> None:
        transactions = store.transactions
        if transactions is None:
            pytest.skip("this store writes point by point")
        long = [point(f"1#{number}", number + 1, at=position(5)) for number in range(4)]
        assert transactions.replace("shop", [Replacement("1#0", long, ())]) == {}
        assert {each.id for each in store.scan("shop")} == {"1#0", "1#1", "1#2", "1#3"}

        short = [point(f"1#{number}", number + 5, at=position(7)) for number in range(2)]
        gone = [Deletion(f"1#{number}", position(7)) for number in (2, 3)]
        other = [point("2#0", 1, at=position(8)), point("2#1", 2, at=position(8))]
        rows = [Replacement("1#0", short, gone), Replacement("2#0", other, ())]
        assert transactions.replace("shop", rows) == {}
        found = store.fetch("shop", [f"1#{number}" for number in range(5)])
        assert {each.id: each.stamp for each in found.values()} == {
            each.id: each.stamp for each in short
        }

        left = [Deletion("1#1", position(9)), Deletion("1#0", position(9))]
        assert transactions.replace("shop", [Replacement("1#0", (), left)]) == {}
        assert {each.id for each in store.scan("shop")} == {"2#0", "2#1"}

    def test_an_older_row_of_several_points_leaves_all_as_it_is(self, store: Store) -> None:
        transactions = store.transactions
        if transactions is None or not store.capabilities.guarded:
            pytest.skip("this store writes point by point, or what comes last")
        new = [point(f"1#{number}", number + 1, at=position(5)) for number in range(2)]
        late = [point(f"1#{number}", number + 3, at=position(4)) for number in range(3)]
        older = Replacement("1#0", late, [Deletion("1#3", position(4))])
        left = [Deletion(f"1#{number}", position(4)) for number in range(3)]
        transactions.replace("shop", [Replacement("1#0", new, ())])
        assert transactions.replace("shop", [older]) == {}
        assert transactions.replace("shop", [Replacement("1#0", (), left)]) == {}
        assert {each.id: each.stamp for each in store.scan("shop")} == {
            each.id: each.stamp for each in new
        }
        gone = [Deletion(f"1#{number}", position(6)) for number in range(2)]
        transactions.replace("shop", [Replacement("1#0", (), gone)])
        assert transactions.replace("shop", [older]) == {}
        assert list(store.scan("shop")) == [], "its deletion is remembered"

    def test_a_point_that_is_refused_takes_its_row_with_it(
        self, store: Store, refused: Sequence[Point]
    ) -> None:
        transactions = store.transactions
        if transactions is None:
            pytest.skip("this store writes point by point")
        bad = refused[0]
        good = Replacement("2#0", [point("2#0", 1), point("2#1", 2)], ())
        rows = [Replacement("1#0", [point("1#0", 1), bad], ()), good]
        answer = transactions.replace("shop", rows)
        assert answer.keys() == {"1#0"}
        assert {each.id for each in store.scan("shop")} == {"2#0", "2#1"}

    def test_a_guarded_store_refuses_older_writes(self, store: Store) -> None:
        if not store.capabilities.guarded:
            pytest.skip("this store cannot compare")
        store.upsert("shop", [point("a", 5, at=position(5))])

        assert store.upsert("shop", [point("a", 4, at=position(4))]) == {}
        assert store.delete("shop", [Deletion("a", position(4))]) == {}
        assert store.fetch("shop", ["a"])["a"].stamp == point("a", 5, at=position(5)).stamp

    def test_other_stores_tell_of_no_deletion(self, store: Store) -> None:
        store.upsert("shop", [point("a", 5, at=position(5))])
        if not store.capabilities.guarded:
            store.delete("shop", [Deletion("a", position(7))])
        assert store.deleted("shop", ["a", "never"]) == {}

    def test_a_guarded_store_remembers_deletions(self, store: Store) -> None:
        if not store.capabilities.guarded:
            pytest.skip("this store cannot compare")
        store.upsert("shop", [point("a", 5, at=position(5))])
        store.delete("shop", [Deletion("a", position(7)), Deletion("never", position(7))])

        store.upsert("shop", [point("a", 6, at=position(6)), point("never", 6, at=position(6))])
        assert store.fetch("shop", ["a", "never"]) == {}
        assert store.deleted("shop", ["a", "never", "b"]) == {
            "a": position(7),
            "never": position(7),
        }
        store.upsert("shop", [point("a", 8, at=position(8))])
        assert set(store.fetch("shop", ["a"])) == {"a"}
        assert store.deleted("shop", ["a"]) == {}

    def test_a_guarded_store_refuses_what_is_older_point_by_point(self, store: Store) -> None:
        if not store.capabilities.guarded:
            pytest.skip("this store cannot compare")
        store.upsert("shop", [point("a", 5), point("b", 5)])

        store.upsert("shop", [point("a", 4), point("b", 6), point("c", 4)])
        found = store.fetch("shop", ["a", "b", "c"])
        assert {each: point.stamp.fingerprint for each, point in found.items() if point.stamp} == {
            "a": "fp-5",
            "b": "fp-6",
            "c": "fp-4",
        }
        store.delete("shop", [Deletion("a", position(4)), Deletion("b", position(9))])
        assert set(store.fetch("shop", ["a", "b", "c"])) == {"a", "c"}

    def test_an_equal_position_is_not_older(self, store: Store) -> None:
        at = position(5)
        store.upsert("shop", [point("a", 1, at=at, metadata={"turn": 1})])
        store.upsert("shop", [point("a", 1, at=at, metadata={"turn": 2})])
        assert store.fetch("shop", ["a"])["a"].metadata == {"turn": 2}
        store.delete("shop", [Deletion("a", at)])
        assert store.fetch("shop", ["a"]) == {}
        store.upsert("shop", [point("a", 1, at=at)])
        assert set(store.fetch("shop", ["a"])) == {"a"}

    def test_in_a_guarded_store_the_newest_wins_whoever_is_first(self, store: Store) -> None:
        if not store.capabilities.guarded:
            pytest.skip("this store cannot compare")
        draw = random.Random(8)
        ids = [f"row-{number}" for number in range(12)]
        last = {each: draw.choice([Deletion, Point]) for each in ids}
        works = [[(each, offset) for each in ids for offset in range(1, 8)] for _ in range(4)]
        for work in works:
            draw.shuffle(work)
        barrier = threading.Barrier(len(works))

        def change(work: list[tuple[str, int]]) -> None:
            barrier.wait()
            for part in _distinct(work):
                gone = {
                    each for each, at in part.items() if (last[each] is Deletion) is (at % 2 == 1)
                }
                store.upsert(
                    "shop", [point(each, at) for each, at in part.items() if each not in gone]
                )
                store.delete("shop", [Deletion(each, position(part[each])) for each in gone])

        with ThreadPoolExecutor(len(works)) as pool:
            list(pool.map(change, works))

        found = store.fetch("shop", ids)
        assert set(found) == {each for each in ids if last[each] is Point}
        assert {point.stamp.position for point in found.values() if point.stamp} == {position(7)}

    def test_positions_that_do_not_compare_never_block(self, store: Store) -> None:
        store.upsert("shop", [point("a", 9, at=position(9))])
        others = [position(1, 1), position(1, 0, "another"), position(1, 0, "")]
        for seed, other in enumerate(others, start=1):
            store.upsert("shop", [point("a", seed, at=other)])
            assert store.fetch("shop", ["a"])["a"].stamp == point("a", seed, at=other).stamp
        store.delete("shop", [Deletion("a", position(1))])
        assert store.fetch("shop", ["a"]) == {}


def _distinct(work: list[tuple[str, int]]) -> Iterator[dict[str, int]]:
    """In their order, in batches that have each id once."""
    batch: dict[str, int] = {}
    for each, at in work:
        if each in batch:
            yield batch
            batch = {}
        batch[each] = at
    yield batch
