"""The Pinecone store keeps the promises of a store, through the real client, on pinecone-local."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from pinecone import Pinecone, ServerlessSpec

from tests.contract.store_contract import DIMENSIONS, StoreContract, point
from worker.errors import FatalError, RetriableError
from worker.model import Point
from worker.pinecone_local.faults import FaultRule, Faults
from worker.pinecone_local.server import PineconeLocal, Settings
from worker.store.pinecone import PineconeStore
from worker.store.pinecone_config import PineconeConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

KEY = "local-key"
NOBODY_ANSWERS = Faults(rules=[FaultRule(status=0, operations=["upsert"], count=1)])


@pytest.fixture(scope="module")
def server() -> Iterator[PineconeLocal]:
    with PineconeLocal(Settings(api_key=KEY)) as local:
        yield local


@pytest.fixture
def index(server: PineconeLocal) -> Iterator[str]:
    spec = ServerlessSpec(cloud="aws", region="us-east-1")
    with Pinecone(api_key=KEY, host=server.url) as control:
        control.create_index(name="shop", dimension=DIMENSIONS, metric="cosine", spec=spec)
        yield "shop"
        server.faults = Faults()
        control.delete_index("shop")


def opened(
    server: PineconeLocal, index: str, key: str = KEY, more: dict[str, object] | None = None
) -> PineconeStore:
    keys = {"store.index": index, "store.api.key": key, "store.url": server.url}
    return PineconeStore(PineconeConfig.model_validate(keys | (more or {})))


@pytest.fixture
def store(server: PineconeLocal, index: str) -> Iterator[PineconeStore]:
    made = opened(server, index)
    yield made
    made.close()


class TestPineconeStore(StoreContract):
    """The suite; ``store`` comes from the module."""

    @pytest.fixture
    def refused(self) -> Sequence[Point]:
        whole = point("a")
        return [
            point("x" * 513),
            point("Größe"),
            point("too-large", metadata={"text": "x" * 41_000}),
            Point("nan", np.full(DIMENSIONS, np.nan, np.float32), {}, whole.stamp),
            Point("zero", np.zeros(DIMENSIONS, np.float32), {}, whole.stamp),
        ]

    @pytest.fixture
    def absent(self, server: PineconeLocal) -> Iterator[PineconeStore]:
        store = opened(server, "nowhere")
        yield store
        store.close()

    @pytest.fixture
    def create(self, server: PineconeLocal) -> Iterator[Callable[[int | None], PineconeStore]]:
        made: list[PineconeStore] = []

        def create(dimensions: int | None) -> PineconeStore:
            keys: dict[str, object] = {"store.create": True, "store.dimensions": dimensions}
            made.append(opened(server, "made", more=keys))
            return made[-1]

        yield create
        for store in made:
            store.close()
        with Pinecone(api_key=KEY, host=server.url) as control:
            control.delete_index("made")


def test_a_wrong_key_is_fatal(server: PineconeLocal, index: str) -> None:
    with pytest.raises(FatalError, match=r"store\.api\.key"):
        opened(server, index, "another-key").check(DIMENSIONS)


def test_a_missing_index_is_fatal_and_names_what_exists(server: PineconeLocal, index: str) -> None:
    with pytest.raises(FatalError, match=r"'books'.*shop"):
        opened(server, "books").check(DIMENSIONS)


def test_an_index_that_vanishes_is_fatal(server: PineconeLocal, store: PineconeStore) -> None:
    store.upsert("n", [point("a")])
    server.faults = Faults(rules=[FaultRule(status=404, message="index not found")])
    with pytest.raises(FatalError):
        store.upsert("n", [point("a")])


def test_where_nobody_answers_an_index_that_was_deleted_is_fatal(server: PineconeLocal) -> None:
    store = opened(server, "books", more={"store.create": True})
    assert store.create(DIMENSIONS)
    server.faults = NOBODY_ANSWERS
    with pytest.raises(RetriableError):
        store.upsert("n", [point("a")])
    with Pinecone(api_key=KEY, host=server.url) as control:
        control.delete_index("books")
    with pytest.raises(FatalError, match=r"'books' is gone: a start with store\.create=true"):
        store.upsert("n", [point("a")])
    store.close()


def test_an_index_that_was_made_anew_elsewhere_is_found_with_a_warning(
    server: PineconeLocal, index: str, store: PineconeStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.upsert("n", [point("b")])
    server.faults = NOBODY_ANSWERS
    with pytest.raises(RetriableError):
        store.upsert("n", [point("a")])
    spec = ServerlessSpec(cloud="aws", region="us-east-1")
    with Pinecone(api_key=KEY, host=server.url) as control:
        control.delete_index(index)
        control.create_index(name=index, dimension=DIMENSIONS, metric="cosine", spec=spec)
    assert not store.upsert("n", [point("a")])
    assert set(store.fetch("n", ["a", "b"])) == {"a"}
    assert "'shop' is at another address" in caplog.text


def test_while_the_control_plane_is_away_an_index_stays_where_it_was(
    server: PineconeLocal, store: PineconeStore
) -> None:
    store.upsert("n", [point("a")])
    server.faults = Faults(
        rules=[
            FaultRule(status=0, operations=["fetch"], count=1),
            FaultRule(status=503, operations=["describe_index"]),
        ]
    )
    with pytest.raises(RetriableError):
        store.fetch("n", ["a"])
    assert set(store.fetch("n", ["a"])) == {"a"}


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_an_outage_is_retriable_and_passes(
    server: PineconeLocal, store: PineconeStore, status: int
) -> None:
    store.upsert("n", [point("a")])
    server.faults = Faults(rules=[FaultRule(status=status, retry_after_s=3, count=1)])
    with pytest.raises(RetriableError) as raised:
        store.fetch("n", ["a"])
    assert raised.value.retry_after_s == (3 if status else None)
    assert raised.value.code == (str(status) if status else "PineconeConnectionError")
    assert set(store.fetch("n", ["a"])) == {"a"}


def test_where_a_url_is_too_long_its_halves_are_asked_for(
    server: PineconeLocal, store: PineconeStore
) -> None:
    ids = [f"a/{number} b" for number in range(9)]
    store.upsert("shop", [point(point_id) for point_id in ids])
    server.faults = Faults(rules=[FaultRule(status=414, operations=["fetch"], count=2)])
    assert sorted(store.fetch("shop", [*ids, "absent"])) == ids


def test_points_that_the_server_refuses_are_reported_alone(store: PineconeStore) -> None:
    zero = point("zero")
    zero.vector[:] = 0
    rows = [point(f"row-{number}") for number in range(30)]

    refused = store.upsert("n", [*rows, zero])

    assert set(refused) == {"zero"}
    assert len(store.fetch("n", [row.id for row in rows])) == 30


def test_its_numbers_say_what_does_not_show_yet(
    server: PineconeLocal, store: PineconeStore
) -> None:
    store.upsert("n", [point("a", 1)])
    log = store.write_log
    server.faults = Faults(visibility_s=3600.0)
    store.upsert("n", [point("b", 2)])
    number = log.mark("n")
    shown_to = log.shown_to("n")
    assert number is not None
    assert shown_to is not None
    assert shown_to < number
    assert "b" not in store.fetch("n", ["a", "b"])


@pytest.mark.parametrize("status", [400, 404])
def test_a_log_that_pinecone_does_not_tell_is_no_error(
    server: PineconeLocal, store: PineconeStore, status: int
) -> None:
    store.upsert("n", [point("a", 1)])
    rule = FaultRule(status=status, operations=["delete", "query"], message="no such namespace")
    server.faults = Faults(rules=[rule])
    assert store.write_log.mark("n") is None
    assert store.write_log.shown_to("n") is None


def test_an_outage_is_one_for_the_log_as_well(server: PineconeLocal, store: PineconeStore) -> None:
    store.upsert("n", [point("a", 1)])
    server.faults = Faults(rules=[FaultRule(status=503, operations=["delete", "query"])])
    with pytest.raises(RetriableError):
        store.write_log.mark("n")
    with pytest.raises(RetriableError):
        store.write_log.shown_to("n")
