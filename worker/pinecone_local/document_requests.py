"""Bodies of the documents interface, decoded and checked: upsert, update, delete.

A document is an id and fields; the schema says which fields are vectors or searchable text, all
others are metadata. Stored, it is a record whose metadata holds every field but the vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from worker.pinecone_local.commands import (
    Command,
    DeleteAll,
    DeleteIds,
    DeleteMatching,
    PatchById,
    PatchMatching,
    Upsert,
)
from worker.pinecone_local.document_filters import metadata_filter
from worker.pinecone_local.metadata import (
    check_id,
    check_metadata,
    check_namespace,
    is_string_list,
)
from worker.pinecone_local.records import Batch, Patch
from worker.pinecone_local.text_search import check_text
from worker.pinecone_local.values import dense_rows, sparse_vector, stored_row
from worker.pinecone_local.vector_requests import RECORDS_MAX, check_ids, check_size, flag
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.pinecone_local.records import Record
    from worker.pinecone_local.shape import Shape

    Body: TypeAlias = Mapping[str, Any]


def decode_document_upsert(shape: Shape, namespace: str, body: Body) -> Upsert:
    """Check 1 to 1,000 documents with distinct ids; dense fields are required in each."""
    documents = _documents(body)
    ids = [check_id(item.get("_id"), what="Document ID") for item in documents]
    for item in documents:
        _check_searchable(shape, item)
    batch = Batch(
        ids=ids,
        values=_dense_column(shape, documents, ids),
        dense=np.full(len(ids), bool(shape.dense_field)),
        sparse=[
            sparse_vector(item[shape.sparse_field])
            if shape.sparse_field and shape.sparse_field in item
            else None
            for item in documents
        ],
        metadata=[_metadata(shape, item) for item in documents],
    )
    check_size(batch)
    return Upsert(check_namespace(namespace), batch)


def decode_document_update(shape: Shape, namespace: str, body: Body) -> PatchById | PatchMatching:
    """Check patches by id, or one patch for all documents that match a filter."""
    stored = check_namespace(namespace)
    if body.get("filter") is None:
        if any(body.get(name) is not None for name in ("set_fields", "remove_fields")):
            raise invalid("'set_fields' and 'remove_fields' need a 'filter'")
        documents = _documents(body)
        ids = [check_id(item.get("_id"), what="Document ID") for item in documents]
        patches = [
            _patch(shape, item, check_names(item.get("_remove_fields"), "_remove_fields"))
            for item in documents
        ]
        return PatchById(stored, list(zip(ids, patches, strict=True)))
    if body.get("documents") is not None:
        raise invalid("'documents' and 'filter' are mutually exclusive")
    changes = body.get("set_fields") or {}
    removed = check_names(body.get("remove_fields"), "remove_fields")
    if not isinstance(changes, dict):
        raise invalid("'set_fields' must be an object")
    if not changes and not removed:
        raise invalid("An update by filter must set or remove at least one field")
    patch = _patch(shape, changes, removed)
    return PatchMatching(stored, metadata_filter(shape, body["filter"]), patch)


def decode_document_delete(shape: Shape, namespace: str, body: Body) -> Command:
    """Check a delete by exactly one of ids, filter, ``delete_all``."""
    stored = check_namespace(namespace)
    chosen = [key for key in ("ids", "filter") if body.get(key) is not None]
    if flag(body, "delete_all"):
        chosen.append("delete_all")
    if len(chosen) != 1:
        raise invalid("Exactly one of 'ids', 'filter' or 'delete_all' must be provided")
    if chosen == ["ids"]:
        return DeleteIds(stored, check_ids(body["ids"], "delete"))
    if chosen == ["filter"]:
        return DeleteMatching(stored, metadata_filter(shape, body["filter"]))
    return DeleteAll(stored)


def check_names(value: object, what: str) -> list[str]:
    """Return a list of field names; none is the empty list."""
    if value is None:
        return []
    if not is_string_list(value):
        raise invalid(f"'{what}' must be a list of strings")
    return list(value)  # type: ignore[call-overload, no-any-return]  # checked above


def document_of(shape: Shape, record: Record) -> dict[str, Any]:
    """All fields of a stored document, without its id."""
    fields: dict[str, Any] = dict(record.metadata or {})
    if record.values is not None:
        fields[shape.dense_field] = record.values
    if record.sparse is not None:
        fields[shape.sparse_field] = record.sparse.as_json()
    return fields


def _documents(body: Body) -> list[dict[str, Any]]:
    documents = body.get("documents")
    if not isinstance(documents, list) or not documents:
        raise invalid("'documents' must contain at least one document")
    if len(documents) > RECORDS_MAX:
        raise invalid(
            f"Number of documents ({len(documents)}) exceeds the maximum limit of {RECORDS_MAX}"
        )
    if not all(isinstance(item, dict) for item in documents):
        raise invalid("each document must be an object")
    if len({str(item.get("_id")) for item in documents}) != len(documents):
        raise invalid("document IDs must be unique within a request")
    return documents


def _check_searchable(shape: Shape, document: Body) -> None:
    if shape.dense_field and shape.dense_field not in document:
        raise invalid(
            f"Document '{document['_id']}' lacks the required field '{shape.dense_field}'"
        )
    if not shape.data_fields & set(document):
        raise invalid(f"Document '{document['_id']}' has no searchable field of the schema")


def _dense_column(shape: Shape, documents: Sequence[Body], ids: Sequence[str]) -> Any:  # noqa: ANN401 - an array, whose type needs numpy's generics
    if not shape.dense_field:
        return np.zeros((len(ids), 0), dtype=np.float32)
    return dense_rows([item[shape.dense_field] for item in documents], shape.dimension, ids)


def _metadata(shape: Shape, document: Body) -> dict[str, Any]:
    own = {"_id", "_remove_fields", shape.dense_field, shape.sparse_field}
    texts = {key: value for key, value in document.items() if key in shape.text_fields}
    for name, text in texts.items():
        check_text(name, text)
    others = {key: value for key, value in document.items() if key not in own and key not in texts}
    _check_names(others)
    return {**(check_metadata(others) or {}), **texts}


def _check_names(fields: Body) -> None:
    for name in fields:
        if name.startswith("_"):
            raise invalid(f"Field names beginning with '_' are reserved, got '{name}'")


def _patch(shape: Shape, fields: Body, removed: Sequence[str]) -> Patch:
    dense, sparse = fields.get(shape.dense_field), fields.get(shape.sparse_field)
    for name in {shape.dense_field, shape.sparse_field} & set(fields):
        if fields[name] is None:
            raise invalid(f"Field '{name}' cannot be null; remove it by its name instead")
    if set(removed) & set(fields):
        raise invalid("A field cannot be both set and removed")
    if shape.dense_field and shape.dense_field in removed:
        raise invalid(f"The required field '{shape.dense_field}' cannot be removed")
    return Patch(
        values=None if dense is None else stored_row(dense, shape.dimension, "update"),
        sparse=None if sparse is None else sparse_vector(sparse),
        set_metadata=_metadata(shape, fields),
        remove=removed,
        drop_sparse=bool(shape.sparse_field) and shape.sparse_field in removed,
    )
