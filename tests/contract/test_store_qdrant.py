"""The Qdrant store keeps the promises of a store, over REST and over gRPC.

On the engine of the real server, and on the local mode of its client, behind servers that speak as
the real one does; and on a real one where ``QDRANT_URL`` names it.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from qdrant_client import models

from tests.contract.lost_network import LostNetworkContract
from tests.contract.qdrant_engine import EdgeEngine
from tests.contract.qdrant_front import Fault, Front
from tests.contract.qdrant_grpc import grpc_server
from tests.contract.qdrant_local import LocalEngine
from tests.contract.qdrant_rest import rest_server
from tests.contract.relay import Relay, relay
from tests.contract.store_contract import DIMENSIONS, StoreContract, point, position, vector
from worker.clock import FakeClock
from worker.errors import ConfigError, FatalError, RetriableError
from worker.model import Point
from worker.store.port import Deletion
from worker.store.qdrant import QdrantStore
from worker.store.qdrant_config import QdrantConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

KEY = "qd_very-secret"


@pytest.fixture
def engine(tmp_path: Path) -> EdgeEngine:
    return EdgeEngine(tmp_path)


@pytest.fixture(params=["rest", "grpc"])
def front(request: pytest.FixtureRequest, engine: EdgeEngine) -> Iterator[Front]:
    serving = rest_server if request.param == "rest" else grpc_server
    with serving(engine) as running:
        running.key = KEY
        yield running


def config(front: Front, **others: object) -> QdrantConfig:
    keys: dict[str, Any] = {
        "store.index": "shop",
        "store.create": True,
        "store.api.key": KEY,
        "store.url": front.url,
    }
    if front.grpc_port:
        keys |= {"store.transport": "grpc", "store.grpc.port": front.grpc_port}
    return QdrantConfig.model_validate(keys | others)


def unfit() -> list[Point]:
    """Points that cannot be kept, whatever the server thinks of them."""
    stamp = point("a").stamp
    return [
        Point("nan", np.full(DIMENSIONS, np.nan, np.float32), {}, stamp),
        point("\ud800"),
        point("text", metadata={"text": "\ud800"}),
        point("number", metadata={"number": 2**63}),
    ]


@pytest.fixture
def store(front: Front) -> Iterator[QdrantStore]:
    made = QdrantStore(config(front))
    made.create(DIMENSIONS)
    yield made
    made.close()


class TestQdrantEngine(StoreContract):
    """The suite; ``store`` comes from the module."""

    @pytest.fixture(autouse=True)
    def _binding(self, request: pytest.FixtureRequest) -> None:
        if "'sold': True" in request.node.name:
            pytest.skip("the engine's Python binding takes true for 1; the local mode has this one")

    @pytest.fixture
    def refused(self, front: Front) -> Sequence[Point]:
        front.refused = {"refused"}
        return [point("refused"), *unfit()]

    @pytest.fixture
    def absent(self, front: Front) -> QdrantStore:
        return QdrantStore(config(front, **{"store.create": False}))

    @pytest.fixture
    def create(self, front: Front) -> Callable[[int | None], QdrantStore]:
        return lambda dimensions: QdrantStore(config(front, **{"store.dimensions": dimensions}))


class TestQdrantLocalMode(StoreContract):
    """The client's own imitation of the server, which is Python."""

    @pytest.fixture
    def front(self) -> Iterator[Front]:
        with rest_server(LocalEngine()) as running:
            yield running

    @pytest.fixture
    def store(self, front: Front) -> Iterator[QdrantStore]:
        made = QdrantStore(config(front, **{"store.vector": "text"}))
        made.create(DIMENSIONS)
        yield made
        made.close()

    @pytest.fixture
    def refused(self) -> Sequence[Point]:
        return unfit()

    @pytest.fixture
    def absent(self, front: Front) -> QdrantStore:
        return QdrantStore(config(front, **{"store.create": False}))

    @pytest.fixture
    def create(self, front: Front) -> Callable[[int | None], QdrantStore]:
        return lambda dimensions: QdrantStore(config(front, **{"store.dimensions": dimensions}))

    @pytest.mark.skip("in Python, each of thousands of points against hundreds of conditions")
    def test_any_number_of_points_goes_in_one_call(self) -> None:  # type: ignore[override]
        pass


if "QDRANT_URL" in os.environ:

    class TestQdrantServer(StoreContract):
        @pytest.fixture(params=["rest", "grpc"])
        def store(self, request: pytest.FixtureRequest) -> Iterator[QdrantStore]:
            name = f"vecsink-{uuid.uuid4().hex[:12]}"
            keys = {
                "store.index": name,
                "store.create": True,
                "store.url": os.environ["QDRANT_URL"],
                "store.api.key": os.environ.get("QDRANT_API_KEY"),
                "store.transport": request.param,
            }
            made = QdrantStore(QdrantConfig.model_validate(keys))
            made.create(DIMENSIONS)
            yield made
            made._connection.client().delete_collection(name)
            made.close()

        @pytest.fixture
        def refused(self) -> Sequence[Point]:
            return unfit()

        @pytest.fixture
        def absent(self, store: QdrantStore) -> QdrantStore:
            nowhere = {"index": f"{store._config.index}-nowhere", "create": False}
            return QdrantStore(store._config.model_copy(update=nowhere))

        @pytest.fixture
        def create(self, store: QdrantStore) -> Callable[[int | None], QdrantStore]:
            store._connection.client().delete_collection(store._config.index)
            made = store._config
            return lambda given: QdrantStore(made.model_copy(update={"dimensions": given}))


def test_the_collection_is_made_with_what_it_needs_and_only_once(
    front: Front, engine: EdgeEngine
) -> None:
    fields = {
        "store.payload.indexes": "category keyword, price float",
        "store.metric": "dotproduct",
    }
    store = QdrantStore(config(front, **fields))
    for _ in range(2):
        store.create(DIMENSIONS)
    store.check(DIMENSIONS)
    held = engine.named("shop")
    assert (held.vectors.size, held.vectors.distance.value) == (DIMENSIONS, "Dot")
    assert held.indexes == {
        "_ns": "keyword",
        "_tp": "keyword",
        "_off": "integer",
        "_gone": "integer",
        "category": "keyword",
        "price": "float",
    }


def test_a_missing_collection_is_fatal_and_names_what_exists(
    front: Front, engine: EdgeEngine
) -> None:
    engine.create("books", models.VectorParams(size=8, distance=models.Distance.COSINE))
    with pytest.raises(FatalError, match=r"'shop'.*books"):
        QdrantStore(config(front, **{"store.create": False})).check(DIMENSIONS)


def test_a_collection_without_our_payload_indexes_is_fatal(
    front: Front, engine: EdgeEngine
) -> None:
    engine.create("shop", models.VectorParams(size=8, distance=models.Distance.COSINE))
    with pytest.raises(FatalError, match=r"_gone, _ns, _off, _tp.*store\.create"):
        QdrantStore(config(front, **{"store.create": False})).check(DIMENSIONS)


def test_a_collection_that_vanishes_is_fatal(store: QdrantStore, engine: EdgeEngine) -> None:
    store.upsert("n", [point("a")])
    engine.drop("shop")
    with pytest.raises(
        FatalError, match=r"Collection '…' doesn't exist.*store\.index is gone, a start with"
    ):
        store.upsert("n", [point("a")])
    with pytest.raises(FatalError, match=r"store\.index"):
        store.fetch("n", ["a"])


def test_a_vector_of_another_name_is_fatal(front: Front, engine: EdgeEngine) -> None:
    params = models.VectorParams(size=8, distance=models.Distance.COSINE)
    engine.create("shop", {"text": params})
    with pytest.raises(FatalError, match=r"store\.vector.*'text'"):
        QdrantStore(config(front)).check(DIMENSIONS)
    store = QdrantStore(config(front, **{"store.vector": "text"}))
    store.create(DIMENSIONS)
    store.check(DIMENSIONS)


def test_a_server_that_cannot_compare_is_fatal(front: Front) -> None:
    front.version = "1.15.4"
    with pytest.raises(FatalError, match=r"1\.15\.4.*1\.16"):
        QdrantStore(config(front)).check(DIMENSIONS)


def test_a_wrong_key_is_fatal_and_never_shown(front: Front) -> None:
    wrong = "qd_wrong-secret"
    store = QdrantStore(config(front, **{"store.api.key": wrong}))
    with pytest.raises(FatalError, match=r"store\.api\.key") as raised:
        store.check(DIMENSIONS)
    assert wrong not in f"{raised.value!s} {store._config!r}"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_retriable_and_passes(front: Front, store: QdrantStore, status: int) -> None:
    store.upsert("n", [point("a")])
    front.faults.append(Fault(status))
    with pytest.raises(RetriableError) as raised:
        store.fetch("n", ["a"])
    assert raised.value.retry_after_s is None
    assert set(store.fetch("n", ["a"])) == {"a"}


def test_the_wait_that_the_server_asks_for_is_kept(front: Front, store: QdrantStore) -> None:
    front.faults.append(Fault(429, {"Retry-After": "7"}))
    with pytest.raises(RetriableError) as raised:
        store.upsert("n", [point("a")])
    assert raised.value.retry_after_s == 7


def test_nobody_at_the_address_is_retriable(front: Front) -> None:
    nowhere = {"store.url": "http://127.0.0.1:1", "store.grpc.port": 1}
    with pytest.raises(RetriableError):
        QdrantStore(config(front, **nowhere)).check(DIMENSIONS)


class TestLostNetwork(LostNetworkContract):
    @pytest.fixture
    def between(self, front: Front) -> Iterator[Relay]:
        with relay(front.grpc_port or urlsplit(front.url).port or 0) as network:
            yield network

    @pytest.fixture
    def through(self, front: Front, between: Relay) -> Iterator[QdrantStore]:
        where = "store.grpc.port" if front.grpc_port else "store.url"
        at = between.port if front.grpc_port else f"http://127.0.0.1:{between.port}"
        store = QdrantStore(config(front, **{where: at, "store.timeout.ms": 1000}))
        store.create(DIMENSIONS)
        yield store
        store.close()


def test_a_write_that_is_not_carried_out_in_time_is_tried_again(
    front: Front, store: QdrantStore
) -> None:
    front.write_status = models.UpdateStatus.WAIT_TIMEOUT
    with pytest.raises(RetriableError, match="in time"):
        store.upsert("n", [point("a")])
    with pytest.raises(RetriableError, match="in time"):
        store.delete("n", [Deletion("a", position(1))])


def test_points_that_the_server_refuses_are_reported_alone_and_not_quoted(
    front: Front, store: QdrantStore
) -> None:
    front.refused = {"row-7", "row-20"}
    rows = [point(f"row-{number}") for number in range(30)]
    refused = store.upsert("n", rows)
    assert set(refused) == front.refused
    assert all("row" not in str(error) for error in refused.values())
    assert len(store.fetch("n", [row.id for row in rows])) == 28


def test_where_every_point_is_refused_the_task_stops(front: Front, store: QdrantStore) -> None:
    front.refused = {f"row-{number}" for number in range(30)}
    with pytest.raises(FatalError, match="every point"):
        store.upsert("n", [point(row) for row in front.refused])


def test_some_points_refused_for_one_reason_may_be_bad_rows_that_came_together(
    front: Front, store: QdrantStore
) -> None:
    front.refused = {f"row-{number}" for number in range(7)}
    assert set(store.upsert("n", [point(row) for row in front.refused])) == front.refused
    front.refused.add("row-7")
    with pytest.raises(FatalError, match="every point"):
        store.upsert("n", [point(row) for row in front.refused])


def test_what_was_deleted_is_found_by_nobody_and_forgotten_in_time(
    front: Front, engine: EdgeEngine
) -> None:
    clock = FakeClock()
    store = QdrantStore(config(front, **{"store.tombstone.ttl.ms": 1}), clock=clock)
    store.create(DIMENSIONS)
    store.upsert("n", [point("a"), point("b")])
    store.delete("n", [Deletion("a", position(9)), Deletion("b", position(9))])
    assert store.namespaces() == []
    assert list(store.scan("n")) == []
    assert list(store.query("n", vector(1), 10)) == []
    assert len(engine.scroll("shop", None, 10, None)[0]) == 2

    clock.advance(3600)
    store.delete("n", [])
    assert engine.scroll("shop", None, 10, None)[0] == []


def test_points_of_others_are_left_alone(engine: EdgeEngine, store: QdrantStore) -> None:
    other = models.PointStruct(id=str(uuid.uuid4()), vector=vector(1).tolist(), payload={"x": 1})
    engine.upsert("shop", [other], None)
    store.upsert("n", [point("a")])
    assert [found.id for found in store.scan("n")] == ["a"]
    assert [match.id for match in store.query("n", vector(1), 10)] == ["a"]
    assert store.namespaces() == ["n"]


def test_a_filter_in_qdrants_own_language(store: QdrantStore) -> None:
    store.upsert("n", [point("a", metadata={"price": 5}), point("b", metadata={"price": 15})])
    where = {"must": [{"key": "price", "range": {"gt": 10}}]}
    assert [match.id for match in store.query("n", vector(1), 10, where)] == ["b"]
    with pytest.raises(ConfigError, match="must"):
        store.query("n", vector(1), 10, {"must": [{"price": 5}]})


def test_what_cannot_be_kept_is_named(store: QdrantStore) -> None:
    refused = store.upsert("n", unfit())
    kinds = {point_id: error.kind for point_id, error in refused.items()}
    assert kinds == {
        "nan": "VectorNotFinite",
        "\ud800": "PointId",
        "text": "Metadata",
        "number": "Metadata",
    }
