"""The Weaviate store keeps the promises of a store, on a real server of one node.

Building the server takes minutes, once: ``make test-weaviate`` does it before it runs these.
Elsewhere they are left out where it is not built.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from tests.contract.store_contract import DIMENSIONS, StoreContract, point, position, vector
from tests.stack.weaviate import Weaviate, require_weaviate
from tests.stack.worker_process import eventually
from worker.errors import FatalError, RetriableError
from worker.model import Point
from worker.store.port import Deletion
from worker.store.weaviate import WeaviateStore
from worker.store.weaviate_config import WeaviateConfig
from worker.store.weaviate_protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

KEY = "wv-very-secret"
PROPERTIES = "category text, price number, sold boolean, tags text[]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weaviate]:
    require_weaviate()
    weaviate = Weaviate(tmp_path_factory.mktemp("weaviate"), KEY)
    weaviate.start()
    yield weaviate
    weaviate.stop()


@pytest.fixture
def index() -> str:
    return f"Shop{uuid.uuid4().hex[:12]}"


def opened(server: Weaviate, index: str, **others: object) -> WeaviateStore:
    keys = {
        "store.index": index,
        "store.url": server.url,
        "store.grpc.address": f"127.0.0.1:{server.grpc_port}",
        "store.api.key": KEY,
        "store.properties": PROPERTIES,
        "store.create": True,
    }
    OPEN.append(WeaviateStore(WeaviateConfig.model_validate(keys | others)))
    return OPEN[-1]


OPEN: list[WeaviateStore] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def store(server: Weaviate, index: str) -> Iterator[WeaviateStore]:
    made = opened(server, index)
    made.create(DIMENSIONS)
    made.check(DIMENSIONS)
    yield made
    drop(server, index)


def drop(server: Weaviate, index: str) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    httpx.delete(f"{server.url}/v1/schema/{index}", headers=headers).raise_for_status()


class TestWeaviateStore(StoreContract):
    """The suite; ``store`` comes from the module."""

    @pytest.fixture
    def refused(self) -> Sequence[Point]:
        return [
            Point("nan", np.full(DIMENSIONS, np.nan, np.float32), {}, point("a").stamp),
            point("\ud800"),
            point("text", metadata={"text": "\ud800"}),
        ]

    @pytest.fixture
    def absent(self, server: Weaviate) -> WeaviateStore:
        return opened(server, "Nowhere", **{"store.create": False})

    @pytest.fixture
    def create(
        self, server: Weaviate, index: str
    ) -> Iterator[Callable[[int | None], WeaviateStore]]:
        yield lambda dimensions: opened(server, index, **{"store.dimensions": dimensions})
        drop(server, index)


def test_a_missing_collection_is_fatal_and_names_what_exists(
    server: Weaviate, store: WeaviateStore, index: str
) -> None:
    with pytest.raises(FatalError, match=rf"'Nowhere'.*{index}"):
        opened(server, "Nowhere", **{"store.create": False}).check(DIMENSIONS)


def test_a_wrong_key_is_fatal_and_never_shown(server: Weaviate, store: WeaviateStore) -> None:
    wrong = opened(server, store._config.index, **{"store.api.key": "wv-wrong-secret"})
    for call in (lambda: wrong.check(DIMENSIONS), lambda: wrong.fetch("n", ["a"])):
        with pytest.raises(FatalError, match=r"store\.api\.key") as raised:
            call()
        assert "wrong-secret" not in f"{raised.value!s} {wrong._config!r}"


def test_nobody_at_the_address_is_retriable(server: Weaviate, index: str) -> None:
    opened(server, index).create(DIMENSIONS)
    for nowhere in ({"store.url": "http://127.0.0.1:1"}, {"store.grpc.address": "127.0.0.1:1"}):
        with pytest.raises(RetriableError):
            opened(server, index, **nowhere).check(DIMENSIONS)
    drop(server, index)


def test_a_collection_that_vanishes_is_fatal(
    server: Weaviate, store: WeaviateStore, index: str
) -> None:
    store.upsert("n", [point("a")])
    drop(server, index)
    with pytest.raises(FatalError, match="delete that"):
        store.upsert("n", [point("a")])
    with pytest.raises(FatalError):
        store.fetch("n", ["a"])  # from what the server has made instead
    drop(server, index)
    store.create(DIMENSIONS)
    store.check(DIMENSIONS)


def test_a_collection_of_others_is_fatal(server: Weaviate) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    wanted = {"class": "Others", "vectorizer": "none"}
    httpx.post(f"{server.url}/v1/schema", json=wanted, headers=headers).raise_for_status()
    with pytest.raises(FatalError, match="multi-tenancy"):
        opened(server, "Others").check(DIMENSIONS)
    drop(server, "Others")


def test_a_vector_comes_once_in_an_answer(store: WeaviateStore) -> None:
    """Of a vector without a name the server sends the numbers beside the bytes."""
    store.upsert("n", [point("a")])
    (hit,) = Protocol(store._config).page("n", "", 1)
    assert [one.name for one in hit.metadata.vectors] == ["default"]
    assert not hit.metadata.vector
    assert not hit.metadata.vector_bytes


def test_a_collection_whose_vector_has_no_name_is_as_good(server: Weaviate, index: str) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    wanted = {
        "class": index,
        "vectorizer": "none",
        "multiTenancyConfig": {"enabled": True, "autoTenantCreation": True},
        "properties": [{"name": "_stored", "dataType": ["text"]}],
    }
    httpx.post(f"{server.url}/v1/schema", json=wanted, headers=headers).raise_for_status()
    store = opened(server, index)
    store.create(DIMENSIONS)
    store.check(DIMENSIONS)
    written = point("a")
    assert store.upsert("n", [written]) == {}
    for held in (store.fetch("n", ["a"])["a"], next(iter(store.scan("n")))):
        assert held.vector.tolist() == written.vector.tolist()
        assert (held.metadata, held.stamp) == (written.metadata, written.stamp)
    (best,) = store.query("n", written.vector, 1)
    assert best.score == pytest.approx(1.0, abs=1e-4)
    drop(server, index)


def test_namespaces_of_any_name_are_tenants(store: WeaviateStore) -> None:
    names = ["shop.public.products", "", "a_b", "Größe / 🎧"]
    for name in names:
        store.upsert(name, [point("a", metadata={"of": name})])
    assert sorted(store.namespaces()) == sorted(names)
    for name in names:
        assert store.fetch(name, ["a"])["a"].metadata == {"of": name}
    with pytest.raises(FatalError, match=r"store\.namespace"):
        store.upsert("x" * 65, [point("a")])


def test_values_of_another_type_are_kept_beside_the_properties(store: WeaviateStore) -> None:
    store.upsert("n", [point("a", metadata={"price": "12", "category": ["x"], "sold": 1})])
    assert store.fetch("n", ["a"])["a"].metadata == {"price": "12", "category": ["x"], "sold": 1}
    assert list(store.query("n", vector(1), 3, {"price": {"$exists": True}})) == []


def test_a_value_that_somebody_elses_property_does_not_take_is_refused_alone(
    server: Weaviate, index: str
) -> None:
    opened(server, index, **{"store.properties": ""}).create(DIMENSIONS)
    headers = {"authorization": f"Bearer {KEY}"}
    url, wanted = f"{server.url}/v1/schema/{index}/properties", {"name": "price"}
    made = httpx.post(url, json=wanted | {"dataType": ["int"]}, headers=headers)
    made.raise_for_status()
    store = opened(server, index, **{"store.properties": "price number"})
    refused = store.upsert("n", [point(str(one), metadata={"price": one}) for one in (1, 1.5, 2)])
    assert set(refused) == {"1.5"}
    assert set(store.fetch("n", ["1", "1.5", "2"])) == {"1", "2"}
    drop(server, index)


def test_a_restart_loses_nothing(server: Weaviate, store: WeaviateStore) -> None:
    store.upsert("n", [point("a"), point("b")])
    store.delete("n", [Deletion("b", position(9))])
    server.kill()
    with pytest.raises(RetriableError):
        store.fetch("n", ["a"])
    server.start()
    eventually(lambda: is_there(store), "it is found again", 10.0)
    assert set(store.fetch("n", ["a", "b"])) == {"a"}


def is_there(store: WeaviateStore) -> bool:
    try:
        store.check(DIMENSIONS)
    except RetriableError:
        return False
    return True


def test_the_index_may_be_an_alias_which_moves_to_another_collection(
    server: Weaviate, store: WeaviateStore, index: str
) -> None:
    other, alias = f"Other{index}", f"Alias{index}"
    opened(server, other).create(DIMENSIONS)
    aliases = f"{server.url}/v1/aliases"
    headers = {"authorization": f"Bearer {KEY}"}
    body = {"alias": alias, "class": index}
    httpx.post(aliases, json=body, headers=headers).raise_for_status()
    named = opened(server, alias)
    assert not named.create(DIMENSIONS)
    named.check(DIMENSIONS)
    assert named.upsert("n", [point("a"), point("b")]) == {}
    assert named.delete("n", [Deletion("b", position(1))]) == {}
    for one in (store, named):
        assert set(one.fetch("n", ["a", "b"])) == {"a"}
        assert [found.id for found in one.scan("n")] == ["a"]
        assert [match.id for match in one.query("n", vector(0), 5)] == ["a"]
        assert one.namespaces() == ["n"]
    moved = {"class": other}
    httpx.put(f"{aliases}/{alias}", json=moved, headers=headers).raise_for_status()
    assert named.fetch("n", ["a"]) == {}
    named.upsert("n", [point("c")])
    assert set(opened(server, other).fetch("n", ["a", "c"])) == {"c"}
    httpx.delete(f"{aliases}/{alias}", headers=headers).raise_for_status()
    drop(server, other)
