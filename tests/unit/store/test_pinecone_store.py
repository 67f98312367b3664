"""What the Pinecone store makes of answers: outage, fatal, or one bad point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from tests.unit.store.scripted_pinecone import ScriptedPinecone, scripted_pinecone, status
from worker.errors import ConfigError, FatalError, RetriableError, Stage
from worker.model import Point, Position, Stamp
from worker.store.pinecone import PineconeStore
from worker.store.pinecone_config import PineconeConfig
from worker.store.pinecone_requests import Body, prepared
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.store.scripted_pinecone import Answer, Asked

KEY = "pcsk_very-secret"


@pytest.fixture
def server() -> Iterator[ScriptedPinecone]:
    with scripted_pinecone() as script:
        yield script


@pytest.fixture
def store(server: ScriptedPinecone) -> Iterator[PineconeStore]:
    opened = PineconeStore(config(server))
    yield opened
    opened.close()


def config(server: ScriptedPinecone, **others: object) -> PineconeConfig:
    keys = {"store.index": "shop", "store.api.key": KEY, "store.url": server.url}
    return PineconeConfig.model_validate(keys | others)


def point(point_id: str = "a", **metadata: Any) -> Point:
    vector = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    return Point(point_id, vector, metadata, Stamp("fp", Position("t", 0, 1), "m"))


def deletion(point_id: str) -> Deletion:
    return Deletion(point_id, Position("t", 0, 1))


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 529])
def test_an_outage_is_retriable_and_the_client_asks_once(
    server: ScriptedPinecone, store: PineconeStore, code: int
) -> None:
    server.answers["/vectors/upsert"] = status(code, Retry_After="7.5")
    with pytest.raises(RetriableError) as raised:
        store.upsert("n", [point()])
    assert raised.value.retry_after_s == 7.5
    assert len(server.to("/vectors/upsert")) == 1


def test_the_control_plane_is_asked_once_too(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    server.answers["/indexes/shop"] = status(503)
    with pytest.raises(RetriableError):
        store.check(4)
    assert len(server.asked) == 1


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", "inf", "soon"])
def test_a_retry_after_that_is_no_number_of_seconds_counts_as_none(
    server: ScriptedPinecone, store: PineconeStore, said: str
) -> None:
    server.answers["/vectors/fetch"] = status(429, Retry_After=said)
    with pytest.raises(RetriableError) as raised:
        store.fetch("n", ["a"])
    assert raised.value.retry_after_s is None


@pytest.mark.parametrize(("code", "advice"), [(401, "api.key"), (403, "quota"), (402, "billing")])
def test_a_refused_key_is_fatal_says_what_to_do_and_hides_the_key(
    server: ScriptedPinecone, store: PineconeStore, code: int, advice: str
) -> None:
    server.answers["/vectors/upsert"] = status(code)
    with pytest.raises(FatalError, match=advice) as raised:
        store.upsert("n", [point()])
    assert KEY not in str(raised.value)
    assert KEY not in repr(store._config)


def test_nobody_at_the_address_is_retriable(server: ScriptedPinecone) -> None:
    store = PineconeStore(config(server, **{"store.url": "http://127.0.0.1:1"}))
    with pytest.raises(RetriableError):
        store.fetch("n", ["a"])


@pytest.mark.parametrize(
    "wrong", [{"store.api.key": "a key\n"}, {"store.host": "nodothere"}], ids=str
)
def test_settings_that_the_client_cannot_use_are_a_config_error(
    server: ScriptedPinecone, wrong: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="store"):
        PineconeStore(config(server, **wrong)).check(4)


def test_a_missing_index_names_those_that_exist(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    server.answers["/indexes/shop"] = status(404)
    server.answers["/indexes"] = lambda _: (
        200,
        {},
        {"indexes": [server.index(name="books"), server.index(name="art")]},
    )
    with pytest.raises(FatalError, match=r"'shop'.*art, books"):
        store.check(4)


def test_a_document_index_is_told_apart(server: ScriptedPinecone, store: PineconeStore) -> None:
    fields = {
        "body": {"type": "string", "full_text_search": {}},
        "v": {"type": "dense_vector", "dimension": 4, "metric": "cosine"},
    }
    answer = server.index(schema={"fields": fields})
    server.answers["/indexes/shop"] = lambda _: (200, {}, answer)
    with pytest.raises(FatalError, match="document index"):
        store.check(4)


def test_a_sparse_index_is_told_apart(server: ScriptedPinecone, store: PineconeStore) -> None:
    answer = server.index(schema={"fields": {"_sparse_values": {"type": "sparse_vector"}}})
    server.answers["/indexes/shop"] = lambda _: (200, {}, answer)
    with pytest.raises(FatalError, match="sparse"):
        store.check(4)


def test_an_index_in_the_making_is_waited_for(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    answer = server.index(status={"ready": False, "state": "Initializing"})
    server.answers["/indexes/shop"] = lambda _: (200, {}, answer)
    with pytest.raises(RetriableError, match="not ready"):
        store.check(4)


def test_with_a_host_the_control_plane_is_not_asked(server: ScriptedPinecone) -> None:
    store = PineconeStore(config(server, **{"store.host": server.url}))
    store.check(4)
    store.upsert("n", [point()])
    store.close()
    assert {each.path for each in server.asked} == {"/describe_index_stats", "/vectors/upsert"}


def test_an_answer_that_is_not_pinecones_is_fatal(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    server.answers["/indexes/shop"] = lambda _: (200, {}, {"name": "shop", "dimension": 4})
    with pytest.raises(FatalError, match="2026-07"):
        store.check(4)


def test_an_answer_that_cannot_be_unpacked_is_retriable(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    """The client does not translate what httpx says of it."""

    def no_gzip(_asked: Asked) -> Answer:
        return 200, {"Content-Encoding": "gzip"}, {}

    for path in ("/vectors/upsert", "/vectors/delete", "/vectors/fetch", "/query", "/indexes/shop"):
        server.answers[path] = no_gzip
    with pytest.raises(RetriableError, match="cannot be unpacked"):
        store.check(4)
    del server.answers["/indexes/shop"]
    for call in (
        lambda: store.upsert("n", [point()]),
        lambda: store.delete("n", [deletion("a")]),
        lambda: store.fetch("n", ["a"]),
        lambda: store.write_log.mark("n"),
        lambda: store.write_log.shown_to("n"),
    ):
        with pytest.raises(RetriableError, match="cannot be unpacked") as raised:
            call()
        assert raised.value.code == "DecodingError"


def test_a_proxy_of_the_environment_is_asked_for_both_planes(
    server: ScriptedPinecone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself the client looks for none."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    server.answers["/indexes/shop"] = lambda _: (200, {}, server.index(host="http://localhost:1"))
    store = PineconeStore(config(server, **{"store.url": "http://pinecone.test"}))
    store.check(4)
    store.upsert("n", [point()])
    store.close()
    assert len(server.to("/vectors/upsert")) == 1


@pytest.mark.parametrize("address", ["http://h:port", "http://\u2024.test"])
def test_an_address_that_is_no_url_is_fatal_wherever_it_comes_from(
    server: ScriptedPinecone, store: PineconeStore, address: str
) -> None:
    """The client does not translate what httpx says of it."""
    named = PineconeStore(config(server, **{"store.url": address, "store.create": "true"}))
    for call in (lambda: named.create(4), lambda: named.check(4)):
        with pytest.raises(FatalError, match=r"store\.url"):
            call()
    server.answers["/indexes/shop"] = lambda _: (200, {}, server.index(host="\u2024.test"))
    with pytest.raises(FatalError, match=r"store\.host"):
        store.check(4)


def bad_ids(*ids: str) -> Any:
    def answer(asked: Asked) -> Answer:
        sent = [each["id"] for each in asked.body["vectors"]]
        found = [each for each in sent if each in ids]
        if found:
            return 400, {}, {"code": 3, "message": f"Bad value '{found[0]}'s secret' for 'x'"}
        return 200, {}, {"upsertedCount": len(sent)}

    return answer


def test_one_bad_point_is_found_and_its_neighbours_are_written(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    server.answers["/vectors/upsert"] = bad_ids("p41", "p7")

    refused = store.upsert("n", [point(f"p{number}") for number in range(100)])

    assert set(refused) == {"p41", "p7"}
    assert refused["p7"].stage is Stage.STORE
    assert refused["p7"].kind == "PointRefused"
    assert "secret" not in str(refused["p7"])
    assert len(server.to("/vectors/upsert")) < 30


def test_when_every_point_is_refused_alone_the_task_stops_soon(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    server.answers["/vectors/upsert"] = status(400, "the index has a new rule")
    with pytest.raises(FatalError, match="new rule"):
        store.upsert("n", [point(f"p{number}") for number in range(1_000)])
    assert len(server.to("/vectors/upsert")) < 50


@pytest.mark.parametrize(("points", "stops"), [(2, False), (7, False), (8, True)])
def test_a_few_points_refused_for_the_same_reason_are_bad_rows_that_came_together(
    server: ScriptedPinecone, store: PineconeStore, points: int, *, stops: bool
) -> None:
    server.answers["/vectors/upsert"] = status(400, "no")
    sent = [point(f"p{number}") for number in range(points)]
    if stops:
        with pytest.raises(FatalError, match="every point"):
            store.upsert("n", sent)
    else:
        assert set(store.upsert("n", sent)) == {one.id for one in sent}


def test_points_refused_for_different_reasons_are_bad_points(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    def answer(asked: Asked) -> Answer:
        first = asked.body["vectors"][0]["id"]
        return 400, {}, {"message": "too odd" if first == "a" else "too even"}

    server.answers["/vectors/upsert"] = answer
    assert set(store.upsert("n", [point("a"), point("b")])) == {"a", "b"}


def test_a_point_that_is_alone_and_too_large_says_so(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    server.answers["/vectors/upsert"] = status(413)
    assert store.upsert("n", [point()])["a"].kind == "PointTooLarge"


def test_a_refusal_about_dimensions_is_fatal_at_once(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    message = "Vector dimension 4 does not match the dimension of the index 5"
    server.answers["/vectors/upsert"] = status(400, message)
    with pytest.raises(FatalError, match="dimension"):
        store.upsert("n", [point("a"), point("b")])
    assert len(server.to("/vectors/upsert")) == 1


def test_a_refusal_of_a_field_named_dimension_is_about_a_point(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    message = "Metadata value must be a string, got '[1]' for field 'dimension'"
    server.answers["/vectors/upsert"] = status(400, message)

    assert set(store.upsert("n", [point("a")])) == {"a"}


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (point("ä"), "PointId"),
        (point("x" * 513), "PointId"),
        (point(""), "PointId"),
        (point("big", text="x" * 41_000), "MetadataTooLarge"),
        (point("odd", text="\ud800"), "Metadata"),
        (point("huge", number=2**70), "Metadata"),
        (Point("nan", np.full(4, np.nan, np.float32), {}, point().stamp), "VectorNotFinite"),
    ],
    ids=["not ascii", "long id", "empty id", "metadata", "surrogate", "integer", "nan"],
)
def test_what_breaks_a_rule_never_leaves(
    server: ScriptedPinecone, store: PineconeStore, bad: Point, kind: str
) -> None:
    refused = store.upsert("n", [point("good"), bad])

    assert {point_id: error.kind for point_id, error in refused.items()} == {bad.id: kind}
    [sent] = server.to("/vectors/upsert")
    assert [each["id"] for each in sent.body["vectors"]] == ["good"]


def test_a_namespace_that_cannot_exist_is_fatal_and_no_fault_of_a_point(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    with pytest.raises(FatalError, match=r"store\.namespace"):
        store.upsert("größe", [point()])
    assert not server.asked


def test_ids_that_cannot_exist_are_not_asked_for(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    assert store.fetch("n", ["ä", "x" * 513, ""]) == {}
    assert store.delete("n", [deletion("ä")]) == {}
    assert not server.asked


def test_requests_stay_below_the_limits(server: ScriptedPinecone, store: PineconeStore) -> None:
    store.upsert("n", [point(f"p{number}") for number in range(1_001)])
    assert [len(each.body["vectors"]) for each in server.to("/vectors/upsert")] == [1000, 1]

    server.asked.clear()
    store.upsert("n", [point(f"p{number}", text="ü" * 15_000) for number in range(100)])
    sizes = [each.size for each in server.to("/vectors/upsert")]
    assert max(sizes) < 2_000_000
    assert len(sizes) == 2

    ids = [f"{number:03}{'&' * 500}" for number in range(20)]
    store.fetch("n", ids)
    fetches = server.to("/vectors/fetch")
    assert [each for asked in fetches for each in asked.query["ids"]] == ids
    assert max(each.url_length for each in fetches) < 8_000


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_a_body_in_pieces_is_as_long_as_it_says_and_holds_each_point(count: int) -> None:
    body = Body([prepared(point(f"p{number}", n=number)) for number in range(count)], 'shop "1"')
    pieces = list(body)
    assert len(pieces) == -(-count // 64) + 1
    assert len(b"".join(pieces)) == len(body)
    sent = orjson.loads(b"".join(pieces))
    assert sent["namespace"] == 'shop "1"'
    assert [(one["id"], one["metadata"]["n"]) for one in sent["vectors"]] == [
        (f"p{number}", number) for number in range(count)
    ]


def test_vectors_travel_in_their_shortest_exact_form(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    store.upsert("n", [point()])
    [sent] = server.to("/vectors/upsert")
    assert sent.body["vectors"][0]["values"] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("message", ["Namespace not found", "nothing here"])
def test_a_404_for_a_namespace_is_an_empty_one(
    server: ScriptedPinecone, store: PineconeStore, message: str
) -> None:
    for path in ("/vectors/fetch", "/vectors/delete", "/query", "/vectors/list"):
        server.answers[path] = status(404, message)
    vector = np.ones(4, np.float32)

    assert store.fetch("n", ["a"]) == {}
    assert store.delete("n", [deletion("a")]) == {}
    assert list(store.query("n", vector, 3)) == []
    assert list(store.scan("n")) == []


def test_a_404_for_the_index_is_fatal(server: ScriptedPinecone, store: PineconeStore) -> None:
    store.check(4)
    for path in ("/vectors/fetch", "/vectors/upsert", "/describe_index_stats"):
        server.answers[path] = status(404, "not here")
    with pytest.raises(FatalError, match=r"store\.index"):
        store.fetch("n", ["a"])
    with pytest.raises(FatalError, match=r"store\.index"):
        store.upsert("n", [point()])


def test_a_foreign_point_has_no_stamp(server: ScriptedPinecone, store: PineconeStore) -> None:
    found = {"id": "a", "values": [1, 2, 3, 4], "metadata": {"size": 3.0}}
    answer = {"vectors": {"a": found}, "namespace": "n", "usage": {"readUnits": 1}}
    server.answers["/vectors/fetch"] = lambda _: (200, {}, answer)
    fetched = store.fetch("n", ["a"])["a"]
    assert fetched.stamp is None
    assert fetched.metadata == {"size": 3}


def test_with_distances_a_higher_score_is_still_better(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    dense = {"type": "dense_vector", "dimension": 4, "metric": "euclidean"}
    answer = server.index(schema={"fields": {"_values": dense}})
    server.answers["/indexes/shop"] = lambda _: (200, {}, answer)
    matches = [{"id": "near", "score": 0.1}, {"id": "far", "score": 2.0}]
    server.answers["/query"] = lambda _: (
        200,
        {},
        {"matches": matches, "namespace": "n", "usage": {"readUnits": 1}},
    )
    found = store.query("n", np.ones(4, np.float32), 2)
    assert [match.id for match in found] == ["near", "far"]
    assert found[0].score > found[1].score


def test_the_capabilities_are_pinecones(server: ScriptedPinecone) -> None:
    store = PineconeStore(config(server, **{"store.settle.ms": "2500"}))
    assert store.capabilities.guarded is False
    assert store.capabilities.settle_s == 2.5


def test_https_to_a_server_without_it_is_not_waited_for(server: ScriptedPinecone) -> None:
    secure = str(config(server).url).replace("http://", "https://")
    store = PineconeStore(config(server, **{"store.url": secure}))

    with pytest.raises(FatalError, match="nobody speaks TLS"):
        store.check(3)


@pytest.mark.parametrize("url", ["localhost:5080", "api.pinecone.io", "ftp://pinecone", "https://"])
def test_an_address_without_scheme_or_host_is_a_mistake_in_the_settings(
    server: ScriptedPinecone, url: str
) -> None:
    with pytest.raises(ValueError, match="begins with http:// or https://"):
        config(server, **{"store.url": url})


def test_a_server_without_numbers_tells_nothing(
    server: ScriptedPinecone, store: PineconeStore
) -> None:
    log = store.write_log
    assert log.mark("n") is None
    assert log.shown_to("n") is None
    (deletion,) = server.to("/vectors/delete")
    (query,) = server.to("/query")
    assert deletion.body["namespace"] == query.body["namespace"] == "n"
    assert any(query.body["vector"]), "a query of zeros may be refused"
