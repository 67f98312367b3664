"""What the Weaviate store makes of failures: outage, fatal, or one bad point."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from grpc import StatusCode
from weaviate.proto.v1 import search_get_pb2

from tests.contract.lost_network import LostNetworkContract
from tests.contract.relay import Relay, relay
from tests.contract.store_contract import DIMENSIONS, point, position, vector
from tests.contract.weaviate_front import Failure, Front, weaviate_front
from worker.errors import ConfigError, FatalError, RetriableError
from worker.store.point_uuid import point_uuid
from worker.store.port import Deletion
from worker.store.weaviate import WeaviateStore
from worker.store.weaviate_config import WeaviateConfig
from worker.store.weaviate_points import Place, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weaviate.proto.v1 import batch_pb2


@pytest.fixture
def front() -> Iterator[Front]:
    with weaviate_front() as running:
        yield running


def opened(front: Front, **others: object) -> WeaviateStore:
    keys = {
        "store.index": "Shop",
        "store.url": front.url,
        "store.grpc.address": front.grpc_address,
    }
    return WeaviateStore(WeaviateConfig.model_validate(keys | others))


@pytest.fixture
def store(front: Front) -> Iterator[WeaviateStore]:
    made = opened(front)
    made.check(DIMENSIONS)
    front.asked.clear()
    yield made
    made.close()


@pytest.mark.parametrize(
    "code",
    [
        StatusCode.UNAVAILABLE,
        StatusCode.RESOURCE_EXHAUSTED,
        StatusCode.INTERNAL,
        StatusCode.UNKNOWN,
        StatusCode.ABORTED,
    ],
    ids=lambda code: code.name,
)
def test_what_nobody_knows_is_retriable_and_asked_once(
    front: Front, store: WeaviateStore, code: StatusCode
) -> None:
    front.failures.append(Failure(code))
    with pytest.raises(RetriableError):
        store.fetch("n", ["a"])
    assert front.asked == ["Search"]


def test_no_answer_in_time_is_retriable(front: Front) -> None:
    front.failures.append(Failure(StatusCode.INTERNAL, delay_s=0.5))
    with pytest.raises(RetriableError, match="DEADLINE"):
        opened(front, **{"store.timeout.ms": 200}).fetch("n", ["a"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_rest_api_is_retriable_after_the_wait_that_it_asks_for(
    front: Front, store: WeaviateStore, status: int
) -> None:
    front.status, front.headers = status, {"Retry-After": "3"}
    with pytest.raises(RetriableError) as raised:
        store.check(DIMENSIONS)
    assert raised.value.retry_after_s == 3
    assert "secret" not in str(raised.value)


def test_a_connection_that_closes_is_retriable(front: Front, store: WeaviateStore) -> None:
    front.status = 0
    with pytest.raises(RetriableError):
        store.check(DIMENSIONS)


class TestLostNetwork(LostNetworkContract):
    @pytest.fixture
    def between(self, front: Front) -> Iterator[Relay]:
        with relay(int(front.grpc_address.rpartition(":")[2])) as network:
            yield network

    @pytest.fixture
    def through(self, front: Front, between: Relay) -> Iterator[WeaviateStore]:
        address = f"127.0.0.1:{between.port}"
        store = opened(front, **{"store.grpc.address": address, "store.timeout.ms": 500})
        yield store
        store.close()


def test_a_page_that_is_no_weaviate_is_fatal(front: Front, store: WeaviateStore) -> None:
    front.body = b"<html>welcome</html>"
    with pytest.raises(FatalError, match=r"store\.url"):
        store.check(DIMENSIONS)


@pytest.mark.parametrize("code", [StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED])
def test_a_refused_key_is_fatal(front: Front, store: WeaviateStore, code: StatusCode) -> None:
    front.failures.append(Failure(code))
    with pytest.raises(FatalError, match=r"store\.api\.key"):
        store.upsert("n", [point("a")])


def test_a_missing_collection_is_fatal(front: Front, store: WeaviateStore) -> None:
    front.failures.append(Failure(StatusCode.UNKNOWN, "could not find class Shop in schema"))
    with pytest.raises(FatalError, match=r"store\.index"):
        store.fetch("n", ["a"])


def test_a_missing_tenant_has_no_points(front: Front, store: WeaviateStore) -> None:
    missing = Failure(StatusCode.UNKNOWN, 'tenant not found: "n"')
    front.failures.extend([missing] * 4)
    assert store.fetch("n", ["a"]) == {}
    assert list(store.scan("n")) == []
    assert list(store.query("n", vector(1), 1)) == []
    assert store.delete("n", [Deletion("a", position(1))]) == {}


def found(row: str, offset: int, written_ms: int) -> search_get_pb2.SearchResult:
    written = prepared(Place("Shop", "n", "n"), point(row, offset), {}, frozenset())
    hit = search_get_pb2.SearchResult()
    hit.metadata.id = written.uuid
    hit.metadata.last_update_time_unix = written_ms
    hit.metadata.vector_bytes = written.vector.tobytes()
    hit.properties.non_ref_props.fields["_stored"].text_value = written.stored
    return hit


@pytest.mark.parametrize(("versions", "searches"), [(1, 1), (2, 1), (40, 3)])
def test_of_an_object_that_the_server_finds_as_it_was_before_too_the_newest_counts(
    front: Front, store: WeaviateStore, versions: int, searches: int
) -> None:
    front.found = [
        found(row, offset, written_ms=1000 + offset) for offset in range(versions) for row in "abc"
    ]
    held = store.fetch("n", ["a", "b", "c"])
    assert {row: one.stamp and one.stamp.position for row, one in held.items()} == dict.fromkeys(
        "abc", position(versions - 1)
    )
    assert front.asked == ["Search"] * searches


@pytest.mark.parametrize("name", ["", "default", "mine"])
@pytest.mark.parametrize(("distance", "score"), [("cosine", 0.75), ("dot", -0.25)])
def test_scores_are_those_of_the_only_vector_with_or_without_a_name(
    front: Front, store: WeaviateStore, name: str, distance: str, score: float
) -> None:
    front.vectors = {name: distance}
    near = found("a", 1, written_ms=1000)
    near.metadata.distance = 0.25
    front.found = [near]
    store.check(DIMENSIONS)
    assert [match.score for match in store.query("n", vector(1), 1)] == [score]


def test_a_collection_of_several_vectors_is_fatal(front: Front, store: WeaviateStore) -> None:
    front.vectors = {"text": "cosine", "image": "cosine"}
    with pytest.raises(FatalError, match="a single vector"):
        store.check(DIMENSIONS)


@pytest.mark.parametrize("stored", ["", "no JSON", "[]", "{}", "null"])
def test_objects_of_others_in_a_tenant_are_no_points(
    front: Front, store: WeaviateStore, stored: str
) -> None:
    theirs = [search_get_pb2.SearchResult() for _ in range(300)]
    for number, hit in enumerate(theirs):
        hit.metadata.id = f"{number:08d}"
        hit.properties.non_ref_props.fields["_stored"].text_value = stored
    ours = found("a", 1, written_ms=1000)
    ours.metadata.id = "99999999"
    front.found = [*theirs, ours]
    assert [one.id for one in store.scan("n")] == ["a"]
    assert [one.id for one in store.query("n", vector(1), 400)] == ["a"]
    assert front.asked == ["Search", "Search", "Search"]


def refusing(*rows: str, said: str) -> object:
    uuids = {point_uuid("n", row) for row in rows}

    def refused(given: batch_pb2.BatchObject) -> str | None:
        return said if given.uuid in uuids else None

    return refused


def test_refused_points_are_reported_alone_and_not_quoted(
    front: Front, store: WeaviateStore
) -> None:
    front.refused = refusing("a", "c", said="invalid text property: 'secret'")  # type: ignore[assignment]
    refused = store.upsert("n", [point(one) for one in "abcd"])
    assert set(refused) == {"a", "c"}
    assert all("secret" not in str(error) for error in refused.values())


def test_where_every_point_is_refused_for_one_reason_the_task_stops(
    front: Front, store: WeaviateStore
) -> None:
    front.refused = refusing(*"abcdefgh", said="invalid property")  # type: ignore[assignment]
    with pytest.raises(FatalError, match="every point"):
        store.upsert("n", [point(one) for one in "abcdefgh"])
    assert set(store.upsert("n", [point(one) for one in "abcdefg"])) == set("abcdefg")


@pytest.mark.parametrize("rows", ["a", "abcdefgh"])
@pytest.mark.parametrize(
    "said",
    [
        "context deadline exceeded",
        "store is read-only",
        "not enough memory",
        "no replica",
        "put inverted indices props: write: no space left on device",
        'add dimension tracking for vector "": no space left on device',
        "unexpected EOF",
        "open: too many open files",
        "write: invalid argument",
        "write tcp: broken pipe",
        "shard n: not found",
        'tenant not found: "n"',
        "an unexpected error occurred: panic occurred: invalid memory address",
        "ResourceExhausted",
        "what nobody has said before",
    ],
)
def test_what_is_not_known_to_be_about_the_point_is_an_outage_with_what_was_said_and_where(
    front: Front, store: WeaviateStore, said: str, rows: str
) -> None:
    front.refused = refusing(*rows, said=said)  # type: ignore[assignment]
    words = re.escape(said.partition('"')[0])
    where = rf"to n: {len(rows)} of {len(rows) + 1} objects.*{point_uuid('n', 'a')}: {words}"
    with pytest.raises(RetriableError, match=where):
        store.upsert("n", [point(row) for row in (*rows, "z")])


@pytest.mark.parametrize(
    "said",
    [
        "new node has a vector with length 8. Existing nodes have vectors with length 9",
        "vector dimensions do not match the index dimensions",
        "insert called with a vector of the wrong size: 8. Saved length: 9, path: x",
    ],
)
def test_vectors_of_another_length_stop_the_task(
    front: Front, store: WeaviateStore, said: str
) -> None:
    front.refused = refusing("a", said=said)  # type: ignore[assignment]
    with pytest.raises(FatalError):
        store.upsert("n", [point("a"), point("b")])


def test_a_bad_point_beside_an_outage_is_no_dead_letter_yet(
    front: Front, store: WeaviateStore
) -> None:
    said = {point_uuid("n", "a"): "invalid text property", point_uuid("n", "b"): "unexpected EOF"}
    front.refused = lambda given: said.get(given.uuid)
    with pytest.raises(RetriableError, match="unexpected EOF"):
        store.upsert("n", [point(row) for row in "abc"])


@pytest.mark.parametrize("words", ["a disk", "a dimension", "class not found"])
def test_words_of_a_row_that_is_refused_are_not_the_servers(
    front: Front, store: WeaviateStore, words: str
) -> None:
    front.refused = refusing("a", said=f"invalid text property: '{words}'")  # type: ignore[assignment]
    assert set(store.upsert("n", [point("a"), point("b")])) == {"a"}


@pytest.mark.parametrize("namespace", ["forbidden", "unauthorized", "class not found"])
def test_words_of_the_namespace_are_not_the_servers(
    front: Front, store: WeaviateStore, namespace: str
) -> None:
    front.failures.append(Failure(StatusCode.UNKNOWN, f"busy with 'it', not \"{namespace}\""))
    with pytest.raises(RetriableError, match=namespace):
        store.fetch(namespace, ["a"])


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://[::1]:8080", "[::1]:50051"),
        ("http://127.0.0.1:8080", "127.0.0.1:50051"),
        ("https://weaviate", "weaviate:50051"),
    ],
)
def test_grpc_is_spoken_with_the_host_of_the_rest_api(url: str, target: str) -> None:
    config = WeaviateConfig.model_validate({"store.index": "Shop", "store.url": url})
    assert config.grpc_target == target


def test_points_that_were_not_deleted_are_tried_again(front: Front, store: WeaviateStore) -> None:
    front.undeleted = 2
    with pytest.raises(RetriableError, match="2"):
        store.delete("n", [Deletion("a", position(1))])


def test_a_filter_that_the_server_refuses_is_the_callers_mistake(front: Front) -> None:
    store = opened(front, **{"store.properties": "price number"})
    front.failures.append(Failure(StatusCode.UNKNOWN, "no such prop with name 'price' found"))
    with pytest.raises(ConfigError, match="no such prop"):
        store.query("n", vector(1), 1, {"price": 1})


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"colour": "red"}, r"store\.properties"),
        ({"price": "red"}, "number"),
        ({"price": {"$gt": "red"}}, "no number"),
        ({"price": {"$in": []}}, "at least one"),
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_is_the_callers_mistake(
    front: Front, where: dict[str, object], words: str
) -> None:
    store = opened(front, **{"store.properties": "price number"})
    with pytest.raises(ConfigError, match=words):
        store.query("n", vector(1), 1, where)
    assert front.asked == []
