"""Whatever a client sends, the answer is an answer: no body makes the server fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from worker.clock import FakeClock
from worker.pinecone_local.data_api import VectorsApi
from worker.pinecone_local.document_api import DocumentsApi
from worker.pinecone_local.gateway import Answer, Call
from worker.pinecone_local.index import Index
from worker.pinecone_local.index_requests import decode_configure, decode_create
from worker.pinecone_local.namespace_api import NamespacesApi
from worker.pinecone_local.records_api import RecordsApi
from worker.pinecone_local.shape import Shape
from worker.pinecone_local.wire import ApiVersion, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.pinecone_local.definition import Definition

DENSE = {"_values": {"type": "dense_vector", "dimension": 2, "metric": "dotproduct"}}
SPARSE = {"_sparse_values": {"type": "sparse_vector"}}
DOCUMENTS = {
    "v": {"type": "dense_vector", "dimension": 2, "metric": "cosine"},
    "s": {"type": "sparse_vector"},
    "t": {"type": "string", "full_text_search": {}},
}
KEYS = st.sampled_from(
    [
        "id",
        "_id",
        "ids",
        "values",
        "indices",
        "vectors",
        "vector",
        "sparseValues",
        "sparseVector",
        "metadata",
        "setMetadata",
        "filter",
        "topK",
        "top_k",
        "namespace",
        "includeValues",
        "includeMetadata",
        "deleteAll",
        "delete_all",
        "dryRun",
        "limit",
        "paginationToken",
        "pagination_token",
        "prefix",
        "name",
        "schema",
        "fields",
        "documents",
        "score_by",
        "type",
        "field",
        "query",
        "include_fields",
        "set_fields",
        "remove_fields",
        "_remove_fields",
        "v",
        "s",
        "t",
        "$and",
        "$or",
        "$in",
        "$gt",
        "$exists",
        "$match_any",
        "spec",
        "serverless",
        "cloud",
        "region",
        "deployment",
        "deployment_type",
        "dimension",
        "metric",
        "tags",
        "vector_type",
        "deletion_protection",
        "sparse_values",
        "sparse_indices",
        "inputs",
    ]
)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "dense_vector", "text", "managed", "cosine", "aws", "\x00", "é"])
)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SPARSE_VALUES = {"indices": [1, 2], "values": [0.5, 0.5]}
VALID: list[dict[str, Any]] = [
    {
        "vectors": [
            {"id": "a", "values": [1, 2], "sparseValues": SPARSE_VALUES, "metadata": {"k": 1}}
        ]
    },
    {"id": "a", "values": [1, 2], "sparseValues": SPARSE_VALUES, "setMetadata": {"k": ["x"]}},
    {"filter": {"$or": [{"k": {"$in": ["x"]}}, {"k": {"$gt": 1}}]}, "setMetadata": {"k": 1}},
    {"ids": ["a"], "namespace": "n"},
    {"topK": 3, "vector": [1, 2], "sparseVector": SPARSE_VALUES, "filter": {"k": {"$ne": 1}}},
    {"filter": {"k": 1}, "limit": 3, "paginationToken": "YQ=="},
    {"name": "new", "schema": {"fields": {"k": {"filterable": True}}}},
    {"query": {"top_k": 2, "vector": {"values": [1, 2]}, "filter": {}}, "fields": ["k"]},
    {"documents": [{"_id": "a", "v": [1, 2], "s": SPARSE_VALUES, "t": "words", "k": True}]},
    {"documents": [{"_id": "a", "k": 2, "_remove_fields": ["s"]}]},
    {"filter": {"k": 1}, "set_fields": {"v": [1, 2], "k": 2}, "remove_fields": ["s"]},
    {"filter": {"$and": [{"t": {"$match_any": "x"}}, {"k": 1}]}, "include_fields": ["t"]},
    {"top_k": 2, "score_by": [{"type": "dense_vector", "field": "v", "values": [1, 2]}]},
    {
        "top_k": 2,
        "score_by": [{"type": "sparse_vector", "field": "s", "sparse_values": SPARSE_VALUES}],
    },
    {"top_k": 2, "score_by": [{"type": "text", "fields": ["t"], "query": "words"}]},
    {"name": "i", "schema": {"fields": DOCUMENTS}, "tags": {"a": "b"}, "deployment": None},
    {"name": "i", "dimension": 2, "metric": "cosine", "spec": {"serverless": {"cloud": "aws"}}},
]


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A valid body with one value replaced by anything."""
    body: dict[str, Any] = orjson.loads(orjson.dumps(draw(st.sampled_from(VALID))))
    place: Any = body
    while True:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            place[key] = draw(JSON)
            return body
        place = inner


BODY = spoiled() | st.dictionaries(KEYS, JSON, max_size=6)


def handlers(fields: dict[str, Any]) -> list[Callable[[Call], Answer]]:
    index = Index(Shape.of(fields), clock=FakeClock(), visibility_s=lambda: 0.0)
    vectors, documents = VectorsApi(index), DocumentsApi(index)
    namespaces, records = NamespacesApi(index), RecordsApi(index)
    return [
        vectors.upsert,
        vectors.update,
        vectors.delete,
        vectors.query,
        vectors.fetch_by_metadata,
        vectors.stats,
        namespaces.create,
        records.search,
        documents.upsert,
        documents.update,
        documents.delete,
        documents.fetch,
        documents.list_ids,
        documents.search,
    ]


def call(body: object) -> Call:
    path = ("namespaces", "n", "documents")
    return Call(ApiVersion("2026-07"), path, QueryParams(), orjson.dumps(body))


@pytest.mark.parametrize("fields", [DENSE, SPARSE, DOCUMENTS], ids=["dense", "sparse", "documents"])
@given(body=BODY)
def test_data_plane_answers_or_refuses_any_body(fields: dict[str, Any], body: object) -> None:
    for handler in handlers(fields):
        try:
            answer = handler(call(body))
        except Refusal:
            continue
        assert orjson.dumps(answer.body, option=orjson.OPT_SERIALIZE_NUMPY)


@given(body=BODY, version=st.sampled_from(["2026-07", "2025-01"]))
def test_control_plane_answers_or_refuses_any_body(body: dict[str, Any], version: str) -> None:
    asked = ApiVersion(version)
    base = {"name": "base", "schema": {"fields": DENSE}}
    definition = decode_create(ApiVersion("2026-07"), base)
    decoders: list[Callable[[], Definition]] = [
        lambda: decode_create(asked, body),
        lambda: decode_configure(asked, definition, body),
    ]
    for decode in decoders:
        try:
            decoded = decode()
        except Refusal:
            continue
        assert orjson.dumps(decoded.described(asked, "http://localhost:1"))


@given(st.text(max_size=20))
def test_any_pagination_token_is_a_page_or_a_refusal(token: str) -> None:
    index = Index(Shape.of(DENSE), clock=FakeClock(), visibility_s=lambda: 0.0)
    params = QueryParams({"paginationToken": token, "limit": "5"})
    try:
        answer = VectorsApi(index).list_ids(Call(ApiVersion("2026-07"), ("",), params, b""))
    except Refusal:
        return
    assert isinstance(answer.body, dict)
    assert answer.body["vectors"] == []
