"""What tests can say to the store in memory."""

from __future__ import annotations

import numpy as np
import pytest

from worker.clock import FakeClock
from worker.errors import ConfigError, FatalError, RecordError, RetriableError, Stage
from worker.model import Point, Position, Stamp
from worker.store.filters import matches
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour
from worker.store.port import Deletion


def point(point_id: str, offset: int) -> Point:
    stamp = Stamp("fp", Position("t", 0, offset), "m")
    return Point(point_id, np.ones(2, np.float32), {"at": offset}, stamp)


def lagging(clock: FakeClock) -> MemoryStore:
    behaviour = MemoryBehaviour(guarded=False, settle_s=5)
    return MemoryStore(MemoryConfig(), behaviour=behaviour, clock=clock)


def test_a_lagging_store_shows_writes_and_deletes_later() -> None:
    clock = FakeClock()
    store = lagging(clock)
    store.upsert("n", [point("a", 1)])
    assert store.fetch("n", ["a"]) == {}
    assert set(store.points("n")) == {"a"}

    clock.advance(5)
    assert set(store.fetch("n", ["a"])) == {"a"}
    store.delete("n", [Deletion("a", Position("t", 0, 2))])
    assert [found.id for found in store.scan("n")] == ["a"]
    assert store.namespaces() == ["n"]

    clock.advance(5)
    assert store.fetch("n", ["a"]) == {}
    assert store.namespaces() == []


def test_an_unguarded_store_takes_whatever_comes_last() -> None:
    store = lagging(FakeClock())
    store.upsert("n", [point("a", 5)])
    store.upsert("n", [point("a", 4)])
    assert store.points("n")["a"].metadata == {"at": 4}
    assert not store.capabilities.guarded
    assert store.capabilities.settle_s == 5


def test_the_next_calls_of_a_method_raise_what_they_are_told_to() -> None:
    store = MemoryStore(MemoryConfig())
    store.fail_next("upsert", RetriableError("away"), FatalError("gone"))
    store.fetch("n", ["a"])
    with pytest.raises(RetriableError, match="away"):
        store.upsert("n", [point("a", 1)])
    with pytest.raises(FatalError, match="gone"):
        store.upsert("n", [point("a", 1)])
    assert store.points("n") == {}
    store.upsert("n", [point("a", 1)])
    assert set(store.points("n")) == {"a"}
    assert store.calls == {"upsert": 3, "fetch": 1}


def test_a_refused_id_is_reported_and_its_neighbours_are_written() -> None:
    store = MemoryStore(MemoryConfig())
    error = RecordError("refused", stage=Stage.STORE, kind="Test")
    store.refuse("b", error)
    assert store.upsert("n", [point("a", 1), point("b", 1)]) == {"b": error}
    assert set(store.points("n")) == {"a"}


def test_latency_is_waited_for_on_the_clock() -> None:
    clock = FakeClock()
    store = MemoryStore(MemoryConfig(), behaviour=MemoryBehaviour(latency_s=0.5), clock=clock)
    store.fetch("n", ["a"])
    assert clock.waits == [0.5]


def test_a_later_change_of_the_callers_vector_does_not_reach_the_store() -> None:
    store = MemoryStore(MemoryConfig())
    written = point("a", 1)
    store.upsert("n", [written])
    written.vector[0] = 9
    assert store.fetch("n", ["a"])["a"].vector[0] == 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"n": {"$eq": 3.0}}, True),
        ({"n": True}, False),
        ({"yes": 1}, False),
        ({"yes": {"$in": [True]}}, True),
        ({"n": {"$nin": [1, 2]}}, True),
        ({"absent": {"$ne": 1}}, False),
        ({"absent": {"$gt": 1}}, False),
        ({"word": {"$gt": 1}}, False),
        ({"absent": {"$exists": False}}, True),
        ({}, True),
    ],
    ids=str,
)
def test_filters_compare_as_json_does(where: dict[str, object], expected: bool) -> None:  # noqa: FBT001 - a parametrised expectation
    assert matches(where, {"n": 3, "yes": True, "word": "b"}) is expected


@pytest.mark.parametrize("where", [{"$not": []}, {"n": {"$regex": "a"}}], ids=str)
def test_an_unknown_operator_is_an_error(where: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="operator"):
        matches(where, {"n": 1})
