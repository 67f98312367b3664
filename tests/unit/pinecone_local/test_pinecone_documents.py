"""What the documents interface refuses, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from worker.pinecone_local.document_requests import (
    decode_document_delete,
    decode_document_update,
    decode_document_upsert,
)
from worker.pinecone_local.records import Metric
from worker.pinecone_local.schema import check_schema
from worker.pinecone_local.shape import Shape
from worker.pinecone_local.wire import Refusal

SHAPE = Shape(
    dense_field="v",
    sparse_field="s",
    text_fields=frozenset({"t"}),
    dimension=2,
    metric=Metric.COSINE,
    documents=True,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * (100 * 1024 + 1), "bytes of text"),
        ("x " * 10_001, "10001 tokens"),
        (None, "must be a string"),
        (7, "must be a string"),
    ],
    ids=["bytes", "words", "null", "number"],
)
def test_text_that_no_searchable_field_holds_is_refused(text: object, words: str) -> None:
    body = {"documents": [{"_id": "a", "v": [1.0, 0.0], "t": text}]}

    with pytest.raises(Refusal, match=words):
        decode_document_upsert(SHAPE, "n", body)


@pytest.mark.parametrize(
    "body",
    [
        {"documents": [{"_id": "a", "v": None}]},
        {"documents": [{"_id": "a", "s": None}]},
        {"documents": [{"_id": "a", "t": None}]},
        {"documents": [{"_id": "a", "n": None}]},
        {"filter": {"n": 1}, "set_fields": {"v": None}},
    ],
)
def test_update_removes_no_field_by_setting_it_to_null(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        decode_document_update(SHAPE, "n", body)


@pytest.mark.parametrize("change", [{"set_fields": {"n": 1}}, {"remove_fields": ["n"]}])
def test_update_by_id_takes_no_change_for_all(change: dict[str, Any]) -> None:
    body = {"documents": [{"_id": "a", "n": 2}], **change}

    with pytest.raises(Refusal, match="need a 'filter'"):
        decode_document_update(SHAPE, "n", body)


def test_delete_of_everything_is_asked_for_by_a_boolean() -> None:
    with pytest.raises(Refusal, match="delete_all"):
        decode_document_delete(SHAPE, "n", {"delete_all": "yes"})
    with pytest.raises(Refusal, match="Exactly one"):
        decode_document_delete(SHAPE, "n", {"delete_all": False})


@pytest.mark.parametrize(
    ("name", "field", "words"),
    [
        ("t", {"type": "string", "full_text_search": {"boost": 2}}, "unknown field `boost`"),
        ("t", {"type": "string", "full_text_search": {"stemming": "no"}}, "invalid type"),
        ("s", {"type": "sparse_vector", "description": 5}, "expected a string"),
        ("s", {"type": "sparse_vector", "description": "x" * 257}, "exceeds 256 characters"),
        ("_sparse_values", {"type": "sparse_vector", "description": "x"}, "do not accept"),
    ],
)
def test_schema_takes_known_options_alone(name: str, field: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        check_schema({"fields": {name: field}})
