"""The local server, through Pinecone's own client: what a user of the service relies on."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pinecone")

from pinecone import Field, Pinecone, ServerlessSpec, SparseValues, Vector
from pinecone.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PayloadTooLargeError,
    PineconeConnectionError,
    UnauthorizedError,
)
from pinecone.models.indexes.deployment import ManagedDeployment

from worker.pinecone_local.faults import HEALTHY, FaultRule, Faults
from worker.pinecone_local.server import PineconeLocal, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEC = ServerlessSpec(cloud="aws", region="us-east-1")
MOVIES: list[dict[str, Any]] = [
    {"id": "m1", "values": [1.0, 0.0], "metadata": {"genre": "action", "year": 2019, "hit": True}},
    {"id": "m2", "values": [0.8, 0.6], "metadata": {"genre": "comedy", "year": 2020, "hit": False}},
    {"id": "m3", "values": [0.0, 1.0], "metadata": {"genre": "comedy", "year": 2021.5}},
    {"id": "m4", "values": [-1.0, 0.0], "metadata": {"genre": "drama", "tags": ["old", "long"]}},
    {"id": "m5", "values": [0.6, -0.8], "metadata": {"genre": ["comedy", "documentary"]}},
    {"id": "m6", "values": [0.0, -1.0]},
]


@pytest.fixture(scope="module")
def local() -> Iterator[PineconeLocal]:
    with PineconeLocal() as running:
        yield running


@pytest.fixture(scope="module")
def client(local: PineconeLocal) -> Iterator[Pinecone]:
    with Pinecone(api_key="any", host=local.url) as connected:
        for metric in ("cosine", "dotproduct", "euclidean"):
            connected.create_index(f"flat-{metric}", dimension=2, metric=metric, spec=SPEC)
        connected.create_index("words", vector_type="sparse", metric="dotproduct", spec=SPEC)
        yield connected


@pytest.fixture(scope="module")
def cosine(client: Pinecone) -> Iterator[Any]:
    with client.index("flat-cosine") as index:
        yield index


@pytest.fixture(scope="module")
def dotproduct(client: Pinecone) -> Iterator[Any]:
    with client.index("flat-dotproduct") as index:
        yield index


@pytest.fixture(scope="module")
def euclidean(client: Pinecone) -> Iterator[Any]:
    with client.index("flat-euclidean") as index:
        yield index


@pytest.fixture(scope="module")
def words(client: Pinecone) -> Iterator[Any]:
    with client.index("words") as index:
        yield index


@pytest.fixture(scope="module")
def documents(client: Pinecone) -> Iterator[Any]:
    fields = {
        "embedding": {"type": "dense_vector", "dimension": 4, "metric": "cosine"},
        "content": {"type": "string", "full_text_search": {"language": "en"}},
    }
    made = client.indexes.create(name="articles", schema={"fields": fields})
    assert set(made.schema.fields) == {"embedding", "content"}
    with client.index("articles") as index:
        yield index
    client.delete_index("articles")


@pytest.fixture
def namespace() -> str:
    return f"ns-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def movies(cosine: Any, namespace: str) -> Any:
    assert cosine.upsert(vectors=MOVIES, namespace=namespace).upserted_count == len(MOVIES)
    return cosine


@pytest.fixture
def fresh_name(client: Pinecone) -> Iterator[str]:
    name = f"idx-{uuid.uuid4().hex[:8]}"
    yield name
    if client.has_index(name):
        client.configure_index(name, deletion_protection="disabled")
        client.delete_index(name)


def found(index: Any, namespace: str, expression: dict[str, Any]) -> set[str]:
    response = index.query(vector=[1, 1], top_k=100, namespace=namespace, filter=expression)
    return {match.id for match in response.matches}


def listed(index: Any, **options: Any) -> list[list[str]]:
    return [[item.id for item in page.vectors] for page in index.list(**options)]


class TestIndexes:
    def test_classic_arguments_make_an_index_for_vectors(
        self, client: Pinecone, fresh_name: str
    ) -> None:
        made = client.create_index(
            fresh_name, dimension=3, metric="euclidean", spec=SPEC, tags={"team": "search"}
        )

        described = client.describe_index(fresh_name)
        assert made.status.ready
        assert described.dimension == 3
        assert described.metric == "euclidean"
        assert described.vector_type == "dense"
        assert described.tags == {"team": "search"}
        assert described.deletion_protection == "disabled"
        assert described.deployment == ManagedDeployment(cloud="aws", region="us-east-1")
        assert set(described.schema.fields) == {"_values", "_sparse_values"}

    def test_sparse_index_has_no_dimension(self, client: Pinecone) -> None:
        described = client.describe_index("words")

        assert set(described.schema.fields) == {"_sparse_values"}
        assert described.dimension is None
        assert described.vector_type == "sparse"

    def test_index_without_name_gets_one(self, client: Pinecone) -> None:
        fields = {"_values": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}}
        made = client.indexes.create(schema={"fields": fields})

        assert client.has_index(made.name)
        client.delete_index(made.name)

    def test_list_and_has_know_every_index(self, client: Pinecone, fresh_name: str) -> None:
        assert not client.has_index(fresh_name)
        client.create_index(fresh_name, dimension=2, spec=SPEC)

        assert client.has_index(fresh_name)
        names = [index.name for index in client.list_indexes()]
        assert fresh_name in names
        assert names == sorted(names)

    def test_deleted_index_is_gone(self, client: Pinecone, fresh_name: str) -> None:
        client.create_index(fresh_name, dimension=2, spec=SPEC)
        client.delete_index(fresh_name)

        assert not client.has_index(fresh_name)
        with pytest.raises(NotFoundError, match=f"Index {fresh_name} not found"):
            client.describe_index(fresh_name)

    def test_recreated_index_is_empty(self, client: Pinecone, fresh_name: str) -> None:
        client.create_index(fresh_name, dimension=2, spec=SPEC)
        with client.index(fresh_name) as index:
            index.upsert(vectors=[("a", [1.0, 2.0])])
        client.delete_index(fresh_name)
        made = client.create_index(fresh_name, dimension=2, spec=SPEC)

        assert made.host is not None
        with client.index(host=made.host) as index:
            assert index.describe_index_stats().total_vector_count == 0

    def test_name_can_be_used_once(self, client: Pinecone) -> None:
        with pytest.raises(ConflictError, match="Resource already exists") as raised:
            client.create_index("flat-cosine", dimension=2, spec=SPEC)
        assert raised.value.error_code == "ALREADY_EXISTS"

    def test_unknown_index_cannot_be_deleted_or_configured(self, client: Pinecone) -> None:
        with pytest.raises(NotFoundError):
            client.delete_index("nobody-made-this")
        with pytest.raises(NotFoundError):
            client.configure_index("nobody-made-this", tags={"a": "b"})

    def test_protected_index_cannot_be_deleted(self, client: Pinecone, fresh_name: str) -> None:
        client.create_index(fresh_name, dimension=2, spec=SPEC, deletion_protection="enabled")
        with pytest.raises(ForbiddenError, match="Deletion protection is enabled"):
            client.delete_index(fresh_name)

        client.configure_index(fresh_name, deletion_protection="disabled")
        client.delete_index(fresh_name)
        assert not client.has_index(fresh_name)

    def test_tags_are_merged_and_an_empty_value_removes_one(
        self, client: Pinecone, fresh_name: str
    ) -> None:
        client.create_index(fresh_name, dimension=2, spec=SPEC, tags={"a": "1", "b": "2"})
        client.configure_index(fresh_name, tags={"a": "", "c": "3"})

        assert client.describe_index(fresh_name).tags == {"b": "2", "c": "3"}

    @pytest.mark.parametrize(
        ("fields", "status", "words"),
        [
            ({"v": {"type": "dense_vector", "dimension": 2}}, 422, "missing field `metric`"),
            ({"v": {"type": "dense_vector", "dimension": 0, "metric": "cosine"}}, 400, "Dimension"),
            ({"v": {"type": "dense_vector", "dimension": 2, "metric": "l1"}}, 400, "Metric"),
            ({"t": {"type": "string"}}, 422, "full_text_search"),
            ({"t": {"type": "string", "filterable": True}}, 400, "only accepts fields used for"),
            ({"_own": {"type": "sparse_vector"}}, 400, "reserved"),
            ({"a": {"type": "sparse_vector"}, "b": {"type": "sparse_vector"}}, 400, "at most 1"),
            ({"v": {"type": "matrix"}}, 422, "unknown variant"),
        ],
    )
    def test_bad_schema_is_refused(
        self, client: Pinecone, fields: dict[str, Any], status: int, words: str
    ) -> None:
        with pytest.raises(ApiError, match=words) as raised:
            client.indexes.create(name="never", schema={"fields": fields}, timeout=-1)
        assert raised.value.status_code == status
        assert not client.has_index("never")

    def test_unknown_region_is_not_found(self, client: Pinecone) -> None:
        with pytest.raises(NotFoundError, match="region: nowhere not found"):
            client.create_index(
                "never", dimension=2, spec=ServerlessSpec(cloud="aws", region="nowhere")
            )

    def test_deployment_without_type_is_unprocessable(self, client: Pinecone) -> None:
        fields = {"_values": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}}
        with pytest.raises(ApiError) as raised:
            client.indexes.create(
                name="never", schema={"fields": fields}, deployment={"cloud": "aws"}, timeout=-1
            )
        assert raised.value.status_code == 422


class TestUpsert:
    def test_all_notations_of_a_record_are_stored(self, cosine: Any, namespace: str) -> None:
        written = cosine.upsert(
            vectors=[
                Vector(id="a", values=[0.1, 0.2], metadata={"kind": "object"}),
                ("b", [0.3, 0.4]),
                ("c", [0.5, 0.6], {"kind": "tuple"}),
                {"id": "d", "values": [0.7, 0.8], "metadata": {"kind": "dict"}},
            ],
            namespace=namespace,
        )

        stored = cosine.fetch(ids=["a", "b", "c", "d"], namespace=namespace).vectors
        assert written.upserted_count == 4
        assert stored["a"].values == [0.1, 0.2]
        assert stored["a"].metadata == {"kind": "object"}
        assert stored["b"].metadata is None
        assert stored["c"].metadata == {"kind": "tuple"}
        assert stored["d"].values == [0.7, 0.8]

    def test_second_upsert_replaces_the_whole_record(self, cosine: Any, namespace: str) -> None:
        cosine.upsert(vectors=[("a", [1.0, 0.0], {"old": True})], namespace=namespace)
        cosine.upsert(vectors=[("a", [0.0, 1.0], {"new": 1})], namespace=namespace)

        stored = cosine.fetch(ids=["a"], namespace=namespace).vectors["a"]
        assert stored.values == [0.0, 1.0]
        assert stored.metadata == {"new": 1}

    def test_later_of_two_equal_ids_stays(self, cosine: Any, namespace: str) -> None:
        cosine.upsert(vectors=[("a", [1.0, 0.0]), ("a", [0.0, 1.0])], namespace=namespace)

        assert cosine.fetch(ids=["a"], namespace=namespace).vectors["a"].values == [0.0, 1.0]

    def test_metadata_comes_back_as_it_was(self, cosine: Any, namespace: str) -> None:
        metadata = {
            "text": "日本語 🚀 café",
            "int": 3,
            "float": 1.5,
            "yes": True,
            "no": False,
            "list": ["a", "b"],
            "none": [],
            "": "empty name",
            "_own": "underscore",
        }
        cosine.upsert(vectors=[("a", [1.0, 0.0], metadata)], namespace=namespace)

        stored = cosine.fetch(ids=["a"], namespace=namespace).vectors["a"].metadata
        assert stored == metadata
        assert stored["yes"] is True

    def test_thousand_records_fit_and_one_more_does_not(self, cosine: Any, namespace: str) -> None:
        vectors = [(f"r{number}", [1.0, number + 1.0]) for number in range(1001)]

        assert cosine.upsert(vectors=vectors[:1000], namespace=namespace).upserted_count == 1000
        with pytest.raises(ApiError, match="exceeds the maximum of 1000") as raised:
            cosine.upsert(vectors=vectors, namespace=namespace)
        assert raised.value.status_code == 400

    def test_request_over_two_megabytes_is_too_large(self, cosine: Any, namespace: str) -> None:
        vectors = [(f"r{number}", [1.0, 2.0], {"text": "x" * 30_000}) for number in range(80)]
        with pytest.raises(PayloadTooLargeError, match="2MB"):
            cosine.upsert(vectors=vectors, namespace=namespace)

    def test_metadata_over_forty_kilobytes_is_refused(self, cosine: Any, namespace: str) -> None:
        fits = {"t": "x" * (40_960 - 8)}
        cosine.upsert(vectors=[("a", [1.0, 2.0], fits)], namespace=namespace)
        with pytest.raises(ApiError, match="exceeds the limit of 40960 bytes per vector"):
            cosine.upsert(vectors=[("b", [1.0, 2.0], {"t": "x" * 40_953})], namespace=namespace)

    @pytest.mark.parametrize(
        ("metadata", "words"),
        [
            ({"a": None}, "got 'null' for field 'a'"),
            ({"a": {"b": 1}}, "Metadata value must be a string, number, boolean or list of"),
            ({"a": [1, 2]}, "Metadata value must be"),
            ({"a": ["x", 1]}, "Metadata value must be"),
            ({"$a": 1}, r"may not begin with '\$'"),
        ],
    )
    def test_bad_metadata_is_refused(
        self, cosine: Any, namespace: str, metadata: dict[str, Any], words: str
    ) -> None:
        with pytest.raises((ApiError, TypeError), match=words):
            cosine.upsert(vectors=[("a", [1.0, 2.0], metadata)], namespace=namespace)
        assert cosine.fetch(ids=["a"], namespace=namespace).vectors == {}

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ([1.0], "Vector dimension 1 does not match the dimension of the index 2"),
            ([1.0, 2.0, 3.0], "Vector dimension 3 does not match the dimension of the index 2"),
            ([1.0, math.nan], "null"),
            ([math.inf, 1.0], "null"),
            ([1.0, 1e300], "finite"),
            ([0.0, 0.0], "Vector ID 'bad' contains only zeros"),
        ],
    )
    def test_bad_values_are_refused_and_nothing_is_written(
        self, cosine: Any, namespace: str, values: list[float], words: str
    ) -> None:
        with pytest.raises(ApiError, match=words) as raised:
            cosine.upsert(vectors=[("good", [1.0, 2.0]), ("bad", values)], namespace=namespace)
        assert raised.value.status_code == 400
        assert cosine.fetch(ids=["good"], namespace=namespace).vectors == {}

    def test_ids_have_one_to_512_ascii_characters(self, cosine: Any, namespace: str) -> None:
        longest = "i" * 512
        cosine.upsert(vectors=[(longest, [1.0, 2.0])], namespace=namespace)

        assert longest in cosine.fetch(ids=[longest], namespace=namespace).vectors
        with pytest.raises(Exception, match="512"):
            cosine.upsert(vectors=[("i" * 513, [1.0, 2.0])], namespace=namespace)
        with pytest.raises(Exception, match="ASCII"):
            cosine.upsert(vectors=[("ü", [1.0, 2.0])], namespace=namespace)

    @pytest.mark.parametrize(
        "record_id", ["a/b", "a b", "a.b", "..", "a:b#c", "a?b&c=d", "100%", "[x]", "+", "~!@$^*()"]
    )
    def test_odd_ids_survive_every_operation(
        self, cosine: Any, namespace: str, record_id: str
    ) -> None:
        cosine.upsert(vectors=[(record_id, [1.0, 2.0])], namespace=namespace)

        assert list(cosine.fetch(ids=[record_id], namespace=namespace).vectors) == [record_id]
        assert cosine.query(id=record_id, top_k=1, namespace=namespace).matches[0].id == record_id
        assert listed(cosine, namespace=namespace, prefix=record_id) == [[record_id]]
        cosine.delete(ids=[record_id], namespace=namespace)
        assert cosine.fetch(ids=[record_id], namespace=namespace).vectors == {}

    def test_batches_are_counted_together(self, cosine: Any, namespace: str) -> None:
        vectors = [(f"r{number}", [1.0, number + 1.0]) for number in range(23)]
        written = cosine.upsert(
            vectors=vectors, namespace=namespace, batch_size=10, show_progress=False
        )

        assert written.upserted_count == 23
        assert written.total_batch_count == 3
        assert not written.has_errors

    def test_write_is_reconciled_when_a_query_says_so(self, cosine: Any, namespace: str) -> None:
        written = cosine.upsert(vectors=[("a", [1.0, 2.0])], namespace=namespace)
        read = cosine.query(vector=[1.0, 2.0], top_k=1, namespace=namespace)

        assert written.response_info.lsn_committed >= 1
        assert read.response_info.lsn_reconciled >= written.response_info.lsn_committed
        assert written.response_info.request_id != read.response_info.request_id


class TestQuery:
    def test_best_match_comes_first(self, movies: Any, namespace: str) -> None:
        response = movies.query(vector=[1.0, 0.1], top_k=3, namespace=namespace)

        assert [match.id for match in response.matches] == ["m1", "m2", "m5"]
        assert response.namespace == namespace
        assert response.usage.read_units > 0

    def test_values_and_metadata_come_only_when_asked_for(
        self, movies: Any, namespace: str
    ) -> None:
        bare = movies.query(vector=[1.0, 0.0], top_k=1, namespace=namespace).matches[0]
        full = movies.query(
            vector=[1.0, 0.0],
            top_k=1,
            namespace=namespace,
            include_values=True,
            include_metadata=True,
        ).matches[0]

        assert bare.values == []
        assert bare.metadata is None
        assert full.values == [1.0, 0.0]
        assert full.metadata == {"genre": "action", "year": 2019, "hit": True}

    def test_cosine_score_ignores_length(self, cosine: Any, namespace: str) -> None:
        cosine.upsert(
            vectors=[("same", [3.0, 3.0]), ("right", [1.0, 0.0]), ("back", [-1.0, -1.0])],
            namespace=namespace,
        )
        matches = cosine.query(vector=[1.0, 1.0], top_k=3, namespace=namespace).matches

        assert [(match.id, match.score) for match in matches] == [
            ("same", 1.0),
            ("right", pytest.approx(math.sqrt(0.5), abs=1e-6)),
            ("back", -1.0),
        ]

    def test_dotproduct_score_grows_with_length(self, dotproduct: Any, namespace: str) -> None:
        dotproduct.upsert(
            vectors=[("short", [1.0, 1.0]), ("long", [2.0, 3.0])], namespace=namespace
        )
        matches = dotproduct.query(vector=[2.0, 1.0], top_k=2, namespace=namespace).matches

        assert [(match.id, match.score) for match in matches] == [("long", 7.0), ("short", 3.0)]

    def test_euclidean_score_is_the_squared_distance_and_ascends(
        self, euclidean: Any, namespace: str
    ) -> None:
        euclidean.upsert(
            vectors=[("far", [4.0, 4.0]), ("here", [1.0, 1.0]), ("near", [1.0, 3.0])],
            namespace=namespace,
        )
        matches = euclidean.query(vector=[1.0, 1.0], top_k=3, namespace=namespace).matches

        assert [(match.id, match.score) for match in matches] == [
            ("here", 0.0),
            ("near", 4.0),
            ("far", 18.0),
        ]

    def test_ties_are_in_the_order_of_ids(self, cosine: Any, namespace: str) -> None:
        names = [f"t{number:02}" for number in range(40)]
        cosine.upsert(vectors=[(name, [1.0, 2.0]) for name in reversed(names)], namespace=namespace)
        matches = cosine.query(vector=[1.0, 0.0], top_k=10, namespace=namespace).matches

        assert [match.id for match in matches] == names[:10]

    def test_query_by_id_uses_the_stored_vector(self, movies: Any, namespace: str) -> None:
        matches = movies.query(id="m3", top_k=2, namespace=namespace).matches

        assert [match.id for match in matches] == ["m3", "m2"]
        assert matches[0].score == 1.0

    def test_query_by_an_absent_id_finds_nothing(self, movies: Any, namespace: str) -> None:
        assert movies.query(id="absent", top_k=2, namespace=namespace).matches == []

    def test_query_of_an_absent_namespace_finds_nothing(self, cosine: Any) -> None:
        response = cosine.query(vector=[1.0, 0.0], top_k=2, namespace="nobody-wrote-here")

        assert response.matches == []
        assert response.namespace == "nobody-wrote-here"

    def test_wrong_dimension_is_refused(self, movies: Any, namespace: str) -> None:
        with pytest.raises(ApiError, match="Vector dimension 3 does not match") as raised:
            movies.query(vector=[1.0, 2.0, 3.0], top_k=1, namespace=namespace)
        assert raised.value.status_code == 400

    def test_top_k_over_ten_thousand_is_refused(self, movies: Any, namespace: str) -> None:
        assert len(movies.query(vector=[1, 0], top_k=10_000, namespace=namespace).matches) == 6
        with pytest.raises(Exception, match="10000"):
            movies.query(vector=[1.0, 0.0], top_k=10_001, namespace=namespace)

    def test_result_over_four_megabytes_is_refused(self, cosine: Any, namespace: str) -> None:
        for start in range(0, 120, 40):
            rows = [(f"{at}", [1.0, 0.0], {"t": "x" * 40_000}) for at in range(start, start + 40)]
            cosine.upsert(vectors=rows, namespace=namespace)

        def found(top_k: int, *, include_metadata: bool) -> int:
            answer = cosine.query(
                vector=[1.0, 0.0],
                top_k=top_k,
                namespace=namespace,
                include_metadata=include_metadata,
            )
            return len(answer.matches)

        with pytest.raises(ApiError, match="message length too large") as raised:
            found(120, include_metadata=True)
        assert raised.value.status_code == 400
        assert found(100, include_metadata=True) == 100
        assert found(120, include_metadata=False) == 120

    def test_namespaces_do_not_see_each_other(self, cosine: Any, namespace: str) -> None:
        cosine.upsert(vectors=[("a", [1.0, 0.0])], namespace=namespace)
        cosine.upsert(vectors=[("b", [1.0, 0.0])], namespace=f"{namespace}-other")

        matches = cosine.query(vector=[1.0, 0.0], top_k=10, namespace=namespace).matches
        assert [match.id for match in matches] == ["a"]

    def test_query_namespaces_merges(self, cosine: Any, namespace: str) -> None:
        spaces = [f"{namespace}-1", f"{namespace}-2"]
        cosine.upsert(vectors=[("a", [1.0, 0.0]), ("b", [0.0, 1.0])], namespace=spaces[0])
        cosine.upsert(vectors=[("c", [1.0, 1.0])], namespace=spaces[1])
        results = cosine.query_namespaces(
            vector=[1.0, 0.0], namespaces=[*spaces, "absent"], metric="cosine", top_k=2
        )

        assert [match.id for match in results.matches] == ["a", "c"]

    def test_deleted_and_updated_records_show_at_once(self, movies: Any, namespace: str) -> None:
        movies.delete(ids=["m1"], namespace=namespace)
        movies.update(id="m6", values=[1.0, 0.0], namespace=namespace)

        matches = movies.query(vector=[1.0, 0.0], top_k=1, namespace=namespace).matches
        assert [match.id for match in matches] == ["m6"]

    def test_search_by_vector_or_id_needs_no_model(self, movies: Any, namespace: str) -> None:
        hits = movies.search(
            namespace=namespace, top_k=2, vector=[1.0, 0.0], fields=["genre"]
        ).result.hits
        same = movies.search(namespace=namespace, top_k=1, id="m3").result.hits

        assert [(hit.id, hit.fields) for hit in hits] == [
            ("m1", {"genre": "action"}),
            ("m2", {"genre": "comedy"}),
        ]
        assert same[0].id == "m3"
        with pytest.raises(ApiError, match="Integrated inference is not configured"):
            movies.search(namespace=namespace, top_k=1, inputs={"text": "x"})


class TestFilters:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ({"genre": "action"}, {"m1"}),
            ({"genre": {"$eq": "comedy"}}, {"m2", "m3", "m5"}),
            ({"genre": {"$ne": "comedy"}}, {"m1", "m4"}),
            ({"genre": {"$in": ["drama", "documentary"]}}, {"m4", "m5"}),
            ({"genre": {"$nin": ["drama", "comedy"]}}, {"m1"}),
            ({"tags": "old"}, {"m4"}),
            ({"tags": {"$in": ["long", "x"]}}, {"m4"}),
            ({"year": 2020}, {"m2"}),
            ({"year": {"$eq": 2020.0}}, {"m2"}),
            ({"year": {"$ne": 2020}}, {"m1", "m3"}),
            ({"year": {"$gt": 2020}}, {"m3"}),
            ({"year": {"$gte": 2020}}, {"m2", "m3"}),
            ({"year": {"$lt": 2020}}, {"m1"}),
            ({"year": {"$lte": 2020}}, {"m1", "m2"}),
            ({"year": {"$gt": 2019, "$lt": 2021}}, {"m2"}),
            ({"year": {"$in": [2019, 2021.5]}}, {"m1", "m3"}),
            ({"hit": True}, {"m1"}),
            ({"hit": {"$eq": False}}, {"m2"}),
            ({"hit": {"$ne": True}}, {"m2"}),
            ({"year": {"$exists": True}}, {"m1", "m2", "m3"}),
            ({"year": {"$exists": False}}, {"m4", "m5", "m6"}),
            ({"genre": "comedy", "year": {"$gte": 2021}}, {"m3"}),
            ({"$and": [{"genre": "comedy"}, {"genre": "documentary"}]}, {"m5"}),
            ({"$or": [{"genre": "drama"}, {"year": {"$lt": 2020}}]}, {"m1", "m4"}),
            (
                {"$or": [{"$and": [{"genre": "comedy"}, {"hit": False}]}, {"tags": "old"}]},
                {"m2", "m4"},
            ),
            ({"$and": [{"$or": [{"year": 2019}, {"year": 2020}]}, {"hit": True}]}, {"m1"}),
            ({}, {"m1", "m2", "m3", "m4", "m5", "m6"}),
            ({"year": "2020"}, set()),
            ({"hit": 1}, set()),
            ({"genre": {"$gt": 1}}, set()),
            ({"absent": "x"}, set()),
        ],
    )
    def test_filter_selects(
        self, movies: Any, namespace: str, expression: dict[str, Any], expected: set[str]
    ) -> None:
        assert found(movies, namespace, expression) == expected

    def test_filter_builder_is_understood(self, movies: Any, namespace: str) -> None:
        condition = (Field("genre") == "comedy") & Field("year").gte(2020) | Field("tags").exists()

        assert found(movies, namespace, condition.to_dict()) == {"m2", "m3", "m4"}

    @pytest.mark.parametrize(
        "expression",
        [
            {"genre": ["comedy", "documentary"]},
            {"genre": {"$eq": ["comedy"]}},
            {"genre": {"$in": "comedy"}},
            {"genre": {"$in": [["comedy"]]}},
            {"year": {"$gt": "2020"}},
            {"year": {"$gt": True}},
            {"year": {"$between": [1, 2]}},
            {"year": {"$exists": 1}},
            {"year": {}},
            {"year": None},
            {"year": {"gt": 2020}},
            {"$not": {"year": 2020}},
            {"$and": {"year": 2020}},
            {"$or": []},
        ],
    )
    def test_filter_outside_the_language_is_refused(
        self, movies: Any, namespace: str, expression: dict[str, Any]
    ) -> None:
        with pytest.raises(ApiError) as raised:
            found(movies, namespace, expression)
        assert raised.value.status_code == 400

    def test_filter_sees_updated_metadata(self, movies: Any, namespace: str) -> None:
        movies.update(id="m1", set_metadata={"genre": "comedy"}, namespace=namespace)

        assert found(movies, namespace, {"genre": "action"}) == set()
        assert "m1" in found(movies, namespace, {"genre": "comedy"})


class TestSparse:
    def test_sparse_record_has_no_dense_values(self, words: Any, namespace: str) -> None:
        words.upsert(
            vectors=[{"id": "a", "sparse_values": {"indices": [5, 2], "values": [0.5, 0.25]}}],
            namespace=namespace,
        )

        stored = words.fetch(ids=["a"], namespace=namespace).vectors["a"]
        assert stored.values == []
        assert stored.sparse_values.indices == [5, 2]
        assert stored.sparse_values.values == [0.5, 0.25]

    def test_score_is_the_sparse_dot_product(self, words: Any, namespace: str) -> None:
        words.upsert(
            vectors=[
                {"id": "both", "sparse_values": {"indices": [1, 2], "values": [1.0, 2.0]}},
                {"id": "one", "sparse_values": {"indices": [2, 9], "values": [0.5, 5.0]}},
                {"id": "none", "sparse_values": {"indices": [7], "values": [9.0]}},
            ],
            namespace=namespace,
        )
        matches = words.query(
            sparse_vector=SparseValues(indices=[1, 2], values=[3.0, 4.0]),
            top_k=10,
            namespace=namespace,
            include_values=True,
        ).matches

        assert [(match.id, match.score) for match in matches] == [("both", 11.0), ("one", 2.0)]
        assert matches[0].sparse_values.indices == [1, 2]

    def test_hybrid_score_adds_both_products(self, dotproduct: Any, namespace: str) -> None:
        dotproduct.upsert(
            vectors=[
                {
                    "id": "hybrid",
                    "values": [1.0, 0.0],
                    "sparse_values": {"indices": [3], "values": [2.0]},
                },
                {"id": "dense", "values": [2.0, 0.0]},
            ],
            namespace=namespace,
        )
        matches = dotproduct.query(
            vector=[1.0, 0.0],
            sparse_vector={"indices": [3], "values": [1.5]},
            top_k=2,
            namespace=namespace,
        ).matches

        assert [(match.id, match.score) for match in matches] == [("hybrid", 4.0), ("dense", 2.0)]

    def test_update_replaces_sparse_values(self, dotproduct: Any, namespace: str) -> None:
        dotproduct.upsert(vectors=[("a", [1.0, 0.0])], namespace=namespace)
        dotproduct.update(
            id="a", sparse_values={"indices": [4], "values": [0.5]}, namespace=namespace
        )

        stored = dotproduct.fetch(ids=["a"], namespace=namespace).vectors["a"]
        assert stored.values == [1.0, 0.0]
        assert stored.sparse_values.indices == [4]

    def test_cosine_index_takes_no_sparse_values(self, cosine: Any, namespace: str) -> None:
        sparse = {"indices": [1], "values": [1.0]}
        with pytest.raises(ApiError, match="does not support sparse values"):
            cosine.upsert(
                vectors=[{"id": "a", "values": [1.0, 2.0], "sparse_values": sparse}],
                namespace=namespace,
            )
        with pytest.raises(ApiError, match="does not support sparse values"):
            cosine.query(vector=[1.0, 2.0], sparse_vector=sparse, top_k=1, namespace=namespace)

    @pytest.mark.parametrize(
        "sparse",
        [
            {"indices": [], "values": []},
            {"indices": [1, 1], "values": [0.5, 0.5]},
            {"indices": [1, 2], "values": [0.5]},
            {"indices": [-1], "values": [0.5]},
            {"indices": [2**32], "values": [0.5]},
            {"indices": list(range(2049)), "values": [0.5] * 2049},
            {"indices": [1], "values": [math.nan]},
        ],
    )
    def test_bad_sparse_values_are_refused(
        self, words: Any, namespace: str, sparse: dict[str, Any]
    ) -> None:
        with pytest.raises((ApiError, ValueError)):
            words.upsert(vectors=[{"id": "a", "sparse_values": sparse}], namespace=namespace)


class TestFetch:
    def test_absent_ids_are_left_out(self, movies: Any, namespace: str) -> None:
        response = movies.fetch(ids=["m1", "absent", "m2"], namespace=namespace)

        assert set(response.vectors) == {"m1", "m2"}
        assert response.namespace == namespace
        assert response.usage.read_units > 0

    def test_absent_namespace_has_nothing(self, cosine: Any) -> None:
        assert cosine.fetch(ids=["m1"], namespace="nobody-wrote-here").vectors == {}

    def test_over_a_thousand_ids_are_refused(self, movies: Any, namespace: str) -> None:
        movies.fetch(ids=[f"{number:040}" for number in range(1000)], namespace=namespace)
        with pytest.raises(ApiError, match="exceeds the maximum of 1000"):
            movies.fetch(ids=[f"{number}" for number in range(1001)], namespace=namespace)

    def test_by_metadata_pages_through_all_matches(self, movies: Any, namespace: str) -> None:
        expression = {"genre": {"$exists": True}}
        pages, token = [], None
        while True:
            page = movies.fetch_by_metadata(
                filter=expression, namespace=namespace, limit=2, pagination_token=token
            )
            pages.append(sorted(page.vectors))
            if page.pagination is None:
                break
            token = page.pagination.next

        assert pages == [["m1", "m2"], ["m3", "m4"], ["m5"]]

    def test_by_metadata_returns_whole_records(self, movies: Any, namespace: str) -> None:
        response = movies.fetch_by_metadata(filter={"genre": "drama"}, namespace=namespace)

        assert response.vectors["m4"].values == [-1.0, 0.0]
        assert response.vectors["m4"].metadata["tags"] == ["old", "long"]
        assert response.pagination is None


class TestUpdate:
    def test_set_metadata_merges(self, movies: Any, namespace: str) -> None:
        response = movies.update(
            id="m1", set_metadata={"year": 1999, "x": "y"}, namespace=namespace
        )

        stored = movies.fetch(ids=["m1"], namespace=namespace).vectors["m1"]
        assert response.matched_records is None
        assert stored.metadata == {"genre": "action", "year": 1999, "hit": True, "x": "y"}
        assert stored.values == [1.0, 0.0]

    def test_values_leave_metadata_alone(self, movies: Any, namespace: str) -> None:
        movies.update(id="m1", values=[0.0, 5.0], namespace=namespace)

        stored = movies.fetch(ids=["m1"], namespace=namespace).vectors["m1"]
        assert stored.values == [0.0, 5.0]
        assert stored.metadata["genre"] == "action"

    def test_absent_id_stays_absent(self, movies: Any, namespace: str) -> None:
        movies.update(id="absent", values=[1.0, 1.0], namespace=namespace)

        assert movies.fetch(ids=["absent"], namespace=namespace).vectors == {}

    def test_filter_counts_in_a_dry_run_and_changes_in_a_real_one(
        self, movies: Any, namespace: str
    ) -> None:
        selected = {"genre": {"$eq": "comedy"}}
        change: dict[str, Any] = {"filter": selected, "set_metadata": {"seen": True}}

        assert movies.update(**change, namespace=namespace, dry_run=True).matched_records == 3
        assert found(movies, namespace, {"seen": True}) == set()
        assert movies.update(**change, namespace=namespace).matched_records == 3
        assert found(movies, namespace, {"seen": True}) == {"m2", "m3", "m5"}

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"values": [1.0]}, "Vector dimension 1 does not match"),
            ({"values": [0.0, 0.0]}, "only zeros"),
            ({"set_metadata": {"a": None}}, "got 'null' for field 'a'"),
            ({"sparse_values": {"indices": [1], "values": [1.0]}}, "does not support sparse"),
        ],
    )
    def test_bad_change_is_refused(
        self, movies: Any, namespace: str, change: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ApiError, match=words):
            movies.update(id="m1", namespace=namespace, **change)


class TestDelete:
    def test_by_ids_ignores_absent_ones(self, movies: Any, namespace: str) -> None:
        assert movies.delete(ids=["m1", "absent"], namespace=namespace) is None

        assert listed(movies, namespace=namespace) == [["m2", "m3", "m4", "m5", "m6"]]

    def test_by_filter(self, movies: Any, namespace: str) -> None:
        movies.delete(filter={"year": {"$lt": 2021}}, namespace=namespace)

        assert listed(movies, namespace=namespace) == [["m3", "m4", "m5", "m6"]]

    def test_everything_leaves_the_namespace(self, movies: Any, namespace: str) -> None:
        movies.delete(delete_all=True, namespace=namespace)

        assert movies.query(vector=[1.0, 0.0], top_k=10, namespace=namespace).matches == []
        assert movies.describe_namespace(name=namespace).record_count == 0

    @pytest.mark.parametrize(
        "selection", [{"ids": ["a"]}, {"filter": {"a": 1}}, {"delete_all": True}]
    )
    def test_absent_namespace_is_not_found(self, cosine: Any, selection: dict[str, Any]) -> None:
        with pytest.raises(NotFoundError, match="Namespace not found"):
            cosine.delete(namespace="nobody-wrote-here", **selection)

    def test_over_a_thousand_ids_are_refused(self, movies: Any, namespace: str) -> None:
        with pytest.raises(ApiError, match="exceeds the maximum of 1000"):
            movies.delete(ids=[f"{number}" for number in range(1001)], namespace=namespace)

    def test_deleted_id_can_be_written_again(self, movies: Any, namespace: str) -> None:
        movies.delete(ids=["m1"], namespace=namespace)
        movies.upsert(vectors=[("m1", [0.5, 0.5])], namespace=namespace)

        stored = movies.fetch(ids=["m1"], namespace=namespace).vectors["m1"]
        assert stored.values == [0.5, 0.5]
        assert stored.metadata is None


class TestList:
    @pytest.fixture
    def numbered(self, cosine: Any, namespace: str) -> Any:
        vectors = [(f"doc{number}#1", [1.0, number + 1.0]) for number in range(120)]
        cosine.upsert(vectors=vectors, namespace=namespace)
        return cosine

    def test_ids_come_in_bitwise_order_a_hundred_a_page(
        self, numbered: Any, namespace: str
    ) -> None:
        pages = listed(numbered, namespace=namespace)

        assert [len(page) for page in pages] == [100, 20]
        assert [item for page in pages for item in page] == sorted(
            f"doc{number}#1" for number in range(120)
        )

    def test_prefix_narrows(self, numbered: Any, namespace: str) -> None:
        assert listed(numbered, namespace=namespace, prefix="doc11#") == [["doc11#1"]]
        assert len(listed(numbered, namespace=namespace, prefix="doc11")[0]) == 11
        assert listed(numbered, namespace=namespace, prefix="nothing") == []

    def test_pages_join_without_gap(self, numbered: Any, namespace: str) -> None:
        pages = listed(numbered, namespace=namespace, prefix="doc11", limit=5)

        assert [len(page) for page in pages] == [5, 5, 1]
        assert len({item for page in pages for item in page}) == 11

    def test_page_names_the_namespace_and_its_successor(
        self, numbered: Any, namespace: str
    ) -> None:
        first = numbered.list_paginated(namespace=namespace, limit=60)
        second = numbered.list_paginated(
            namespace=namespace, limit=60, pagination_token=first.pagination.next
        )

        assert first.namespace == namespace
        assert first.usage.read_units >= 1
        assert second.pagination is None

    def test_absent_namespace_lists_nothing(self, cosine: Any) -> None:
        response = cosine.list_paginated(namespace="nobody-wrote-here")

        assert response.vectors == []
        assert response.pagination is None

    def test_bad_token_is_refused(self, cosine: Any, namespace: str) -> None:
        with pytest.raises(ApiError, match="Invalid pagination token"):
            cosine.list_paginated(namespace=namespace, pagination_token="*")


class TestStatsAndNamespaces:
    def test_statistics_count_by_namespace(self, client: Pinecone, fresh_name: str) -> None:
        client.create_index(fresh_name, dimension=2, spec=SPEC)
        with client.index(fresh_name) as index:
            index.upsert(vectors=[("a", [1.0, 2.0])])
            index.upsert(vectors=[("a", [1.0, 2.0]), ("b", [1.0, 2.0])], namespace="two")
            stats = index.describe_index_stats()

        assert stats.total_vector_count == 3
        assert stats.dimension == 2
        assert stats.metric == "cosine"
        assert stats.vector_type == "dense"
        assert stats.index_fullness == 0
        counts = {name: summary.vector_count for name, summary in stats.namespaces.items()}
        assert counts == {"__default__": 1, "two": 2}

    def test_statistics_take_no_filter(self, cosine: Any) -> None:
        with pytest.raises(ApiError, match="do not support describing index stats"):
            cosine.describe_index_stats(filter={"a": 1})

    def test_unnamed_namespace_has_a_second_name(self, euclidean: Any) -> None:
        euclidean.upsert(vectors=[("a", [1.0, 2.0])])

        assert "a" in euclidean.fetch(ids=["a"], namespace="__default__").vectors
        assert euclidean.query(vector=[1.0, 2.0], top_k=1).namespace == ""
        assert euclidean.describe_namespace(name="__default__").record_count == 1
        euclidean.delete(delete_all=True)

    def test_namespace_is_made_described_and_deleted(self, cosine: Any, namespace: str) -> None:
        made = cosine.create_namespace(
            name=namespace, schema={"fields": {"genre": {"filterable": True}}}
        )
        described = cosine.describe_namespace(name=namespace)
        cosine.delete_namespace(name=namespace)

        assert made.name == described.name == namespace
        assert described.record_count == 0
        assert described.schema.fields["genre"].filterable
        assert described.indexed_fields.fields == ["genre"]
        with pytest.raises(NotFoundError):
            cosine.describe_namespace(name=namespace)
        with pytest.raises(NotFoundError):
            cosine.delete_namespace(name=namespace)

    def test_namespace_name_can_be_used_once(self, movies: Any, namespace: str) -> None:
        with pytest.raises(ConflictError, match="already exists"):
            movies.create_namespace(name=namespace)

    @pytest.mark.parametrize("name", ["a/b", "..", "with space", "100%", "q?x=1#y", "tab\tstop"])
    def test_odd_names_work(self, cosine: Any, namespace: str, name: str) -> None:
        odd = f"{namespace}{name}" if name != ".." else name
        cosine.upsert(vectors=[("a", [1.0, 2.0])], namespace=odd)

        assert cosine.describe_namespace(name=odd).record_count == 1
        assert "a" in cosine.fetch(ids=["a"], namespace=odd).vectors
        cosine.delete_namespace(name=odd)
        assert cosine.fetch(ids=["a"], namespace=odd).vectors == {}

    def test_namespaces_are_listed_in_pages_by_prefix(self, cosine: Any, namespace: str) -> None:
        names = [f"{namespace}-{letter}" for letter in "cabed"]
        for name in names:
            cosine.create_namespace(name=name)
        first = cosine.list_namespaces_paginated(prefix=namespace, limit=2)
        pages = list(cosine.list_namespaces(prefix=namespace, limit=2))

        assert first.total_count == 5
        assert first.pagination is not None
        assert [[item.name for item in page.namespaces] for page in pages] == [
            sorted(names)[:2],
            sorted(names)[2:4],
            sorted(names)[4:],
        ]

    def test_name_over_512_characters_is_refused(self, cosine: Any) -> None:
        with pytest.raises((ApiError, ValueError), match="512"):
            cosine.upsert(vectors=[("a", [1.0, 2.0])], namespace="n" * 513)


class TestDocuments:
    @pytest.fixture
    def filled(self, documents: Any, namespace: str) -> Any:
        texts = ["Machine learning is fun", "Deep learning needs layers", "Rome was not built"]
        rows = [
            {
                "_id": f"d{at}",
                "content": text,
                "embedding": [float(at == axis) for axis in range(4)],
            }
            for at, text in enumerate(texts)
        ]
        rows[0]["category"], rows[1]["category"] = "tech", "science"
        assert documents.documents.upsert(namespace=namespace, documents=rows).upserted_count == 3
        return documents.documents

    def test_fetch_returns_all_fields_and_search_none(self, filled: Any, namespace: str) -> None:
        clause = {"type": "dense_vector", "field": "embedding", "values": [0.0, 1.0, 0.0, 0.0]}
        bare = filled.search(namespace=namespace, top_k=1, score_by=[clause]).matches[0]
        full = filled.search(
            namespace=namespace, top_k=1, score_by=[clause], include_fields=["*"]
        ).matches[0]

        assert bare.to_dict() == {"_id": "d1", "_score": 1.0}
        assert full.category == "science"
        fetched = filled.fetch(namespace=namespace, ids=["d1", "absent"]).documents
        assert set(fetched) == {"d1"}
        assert set(fetched["d1"].to_dict()) == {"_id", "content", "embedding", "category"}

    def test_unnamed_namespace_exists_once_documents_are_in_it(self, documents: Any) -> None:
        with pytest.raises(NotFoundError):
            documents.describe_namespace(name="__default__")
        row = {"_id": "d", "content": "text", "embedding": [1.0, 0.0, 0.0, 0.0]}
        documents.documents.upsert(namespace="__default__", documents=[row])

        assert documents.describe_namespace(name="__default__").record_count == 1
        documents.delete_namespace(name="__default__")
        with pytest.raises(NotFoundError):
            documents.describe_namespace(name="__default__")

    def test_text_search_ranks_by_words(self, filled: Any, namespace: str) -> None:
        clause = {"type": "text", "fields": ["content"], "query": "machine learning"}
        matches = filled.search(namespace=namespace, top_k=3, score_by=[clause]).matches

        assert [match.id for match in matches] == ["d0", "d1"]

    def test_query_strings_and_texts_are_scored_together(self, filled: Any, namespace: str) -> None:
        text = {"type": "text", "fields": ["content"], "query": "layers"}
        lucene = {"type": "query_string", "query": "content:(machine OR rome) NOT built"}
        matches = filled.search(namespace=namespace, top_k=3, score_by=[text, lucene]).matches

        assert {match.id for match in matches} == {"d0", "d1"}
        metadata = {"type": "query_string", "query": "category:tech"}
        with pytest.raises(ApiError, match="not a full-text-search field"):
            filled.search(namespace=namespace, top_k=3, score_by=[metadata])

    def test_search_and_delete_by_filter(self, filled: Any, namespace: str) -> None:
        clause = {"type": "dense_vector", "field": "embedding", "values": [0.0, 1.0, 0.0, 0.0]}
        matches = filled.search(
            namespace=namespace, top_k=3, score_by=[clause], filter={"category": "tech"}
        ).matches

        assert [match.id for match in matches] == ["d0"]
        deleted = filled.delete(namespace=namespace, filter={"category": "tech"})
        assert deleted.matched_records == 1
        assert [item.id for item in filled.list(namespace=namespace)] == ["d1", "d2"]

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (Field("content").match_all("learning machine"), {"d0"}),
            (Field("content").match_any("machine layers"), {"d0", "d1"}),
            (Field("content").match_phrase("deep learning"), {"d1"}),
            (Field("content").match_phrase("learning deep"), set()),
            (Field("content").match_any("learning") & (Field("category") == "tech"), {"d0"}),
        ],
    )
    def test_fetch_by_words(
        self, filled: Any, namespace: str, condition: Any, expected: set[str]
    ) -> None:
        fetched = filled.fetch(namespace=namespace, filter=condition.to_dict())

        assert set(fetched.documents) == expected

    @pytest.mark.parametrize(
        "expression",
        [
            {"content": "Rome"},
            {"content": {"$eq": "Rome"}},
            {"embedding": {"$exists": True}},
            {"category": {"$match_any": "tech"}},
        ],
    )
    def test_each_kind_of_field_has_its_own_operators(
        self, filled: Any, namespace: str, expression: dict[str, Any]
    ) -> None:
        with pytest.raises(ApiError) as raised:
            filled.fetch(namespace=namespace, filter=expression)
        assert raised.value.status_code == 400
        with pytest.raises(ApiError):
            filled.delete(namespace=namespace, filter={"content": {"$match_any": "Rome"}})

    def test_update_sets_and_removes_fields(self, filled: Any, namespace: str) -> None:
        filled.update(
            namespace=namespace,
            documents=[
                {"_id": "d0", "category": "new"},
                {"_id": "d1", "_remove_fields": ["category"]},
                {"_id": "absent", "category": "x"},
            ],
        )
        fetched = filled.fetch(namespace=namespace, ids=["d0", "d1", "absent"]).documents

        assert fetched["d0"].category == "new"
        assert fetched["d1"].get("category") is None
        assert set(fetched) == {"d0", "d1"}

    def test_each_index_serves_one_interface(
        self, documents: Any, cosine: Any, namespace: str
    ) -> None:
        with pytest.raises(ApiError, match="documents API"):
            documents.upsert(vectors=[("a", [1.0, 0.0, 0.0, 0.0])], namespace=namespace)
        with pytest.raises(ApiError, match="vectors API"):
            cosine.documents.upsert(namespace=namespace, documents=[{"_id": "a", "x": "y"}])

    def test_missing_vector_is_refused(self, documents: Any, namespace: str) -> None:
        with pytest.raises(ApiError, match="embedding") as raised:
            documents.documents.upsert(
                namespace=namespace, documents=[{"_id": "a", "content": "x"}]
            )
        assert raised.value.error_code == "INVALID_ARGUMENT"


class TestKeysAndFaults:
    """Own servers under another host name, as the client keeps a retry budget for each name."""

    def test_wrong_key_is_unauthorized(self) -> None:
        settings = Settings(api_key="right", advertise="localhost")
        with PineconeLocal(settings) as server, Pinecone(api_key="w", host=server.url) as wrong:
            with pytest.raises(UnauthorizedError, match="Unauthorized"):
                list(wrong.list_indexes())
            with Pinecone(api_key="right", host=server.url) as right:
                assert list(right.list_indexes()) == []

    def test_client_tries_again_after_too_many_requests(self) -> None:
        with (
            PineconeLocal(Settings(advertise="localhost")) as server,
            Pinecone(api_key="k", host=server.url) as client,
        ):
            client.create_index("busy", dimension=2, spec=SPEC)
            with client.index("busy") as index:
                server.faults = Faults(
                    rules=[FaultRule(operations=["upsert"], status=429, retry_after_s=0, count=2)]
                )
                index.upsert(vectors=[("a", [1.0, 2.0])])
                server.faults = HEALTHY

            assert server.stats["upsert"]["calls"] == 3
            assert server.stats["upsert"]["errors"] == 2
            assert server.stats["upsert"]["records"] == 1

    def test_lost_answer_is_a_broken_connection_and_the_write_stays(self) -> None:
        with (
            PineconeLocal(Settings(advertise="localhost")) as server,
            Pinecone(api_key="k", host=server.url) as client,
        ):
            client.create_index("gone", dimension=2, spec=SPEC)
            with client.index("gone") as index:
                server.faults = Faults(
                    rules=[FaultRule(operations=["upsert"], status=0, count=1, applied=True)]
                )
                with pytest.raises(PineconeConnectionError):
                    index.upsert(vectors=[("a", [1.0, 2.0])])

                assert "a" in index.fetch(ids=["a"]).vectors
