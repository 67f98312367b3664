"""What every store promises, whatever it is; a store's own test file brings the fixture."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from worker.errors import ConfigError, FatalError
from worker.model import Point, Position, Stamp
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Fixture ``store``: empty, takes 8 dimensions, cosine, shows writes at once."""

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
        ],
        ids=str,
    )
    def test_a_query_can_be_filtered(
        self, store: Store, where: dict[str, object], expected: set[str]
    ) -> None:
        rows: dict[str, dict[str, MetadataValue]] = {
            "a": {"category": "audio", "price": 5},
            "b": {"category": "audio", "price": 15, "tags": ["new", "hot"]},
            "c": {"category": "video", "price": 25},
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

    def test_a_guarded_store_refuses_older_writes(self, store: Store) -> None:
        if not store.capabilities.guarded:
            pytest.skip("this store cannot compare")
        store.upsert("shop", [point("a", 5, at=position(5))])

        assert store.upsert("shop", [point("a", 4, at=position(4))]) == {}
        assert store.delete("shop", [Deletion("a", position(4))]) == {}
        assert store.fetch("shop", ["a"])["a"].stamp == point("a", 5, at=position(5)).stamp

    def test_a_guarded_store_remembers_deletions(self, store: Store) -> None:
        if not store.capabilities.guarded:
            pytest.skip("this store cannot compare")
        store.upsert("shop", [point("a", 5, at=position(5))])
        store.delete("shop", [Deletion("a", position(7)), Deletion("never", position(7))])

        store.upsert("shop", [point("a", 6, at=position(6)), point("never", 6, at=position(6))])
        assert store.fetch("shop", ["a", "never"]) == {}
        store.upsert("shop", [point("a", 8, at=position(8))])
        assert set(store.fetch("shop", ["a"])) == {"a"}

    def test_positions_that_do_not_compare_never_block(self, store: Store) -> None:
        store.upsert("shop", [point("a", 9, at=position(9))])
        others = [position(1, 1), position(1, 0, "another"), position(1, 0, "")]
        for seed, other in enumerate(others, start=1):
            store.upsert("shop", [point("a", seed, at=other)])
            assert store.fetch("shop", ["a"])["a"].stamp == point("a", seed, at=other).stamp
        store.delete("shop", [Deletion("a", position(1))])
        assert store.fetch("shop", ["a"]) == {}
