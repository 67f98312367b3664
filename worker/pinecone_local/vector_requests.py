"""Bodies of the vectors interface, decoded and checked: upsert, update, delete, query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from worker.immutable import immutable
from worker.pinecone_local.commands import (
    Command,
    DeleteAll,
    DeleteIds,
    DeleteMatching,
    PatchById,
    PatchMatching,
    Upsert,
)
from worker.pinecone_local.filters import compile_filter
from worker.pinecone_local.metadata import check_id, check_metadata, check_namespace
from worker.pinecone_local.records import Batch, Patch, Query, Sparse
from worker.pinecone_local.values import dense_row, dense_rows, sparse_vector, stored_row
from worker.pinecone_local.wire import Refusal, Status, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.pinecone_local.filters import Predicate
    from worker.pinecone_local.metadata import Metadata
    from worker.pinecone_local.shape import Shape

    Body: TypeAlias = Mapping[str, Any]

RECORDS_MAX = 1_000
IDS_MAX = 1_000
REQUEST_BYTES_MAX = 2_000_000
TOP_K_MAX = 10_000
PAGE = 100
_INTEGER = re.compile(r"-?[0-9]{1,18}")
NO_SPARSE = (
    "Index configuration does not support sparse values - "
    "only indexes that are sparse or using dotproduct are supported"
)


@immutable(eq=False)
class QueryRequest:
    """A decoded query; either ``record_id`` or ``query`` is set."""

    namespace: str
    record_id: str | None
    query: Query | None
    limit: int
    keep: Predicate | None
    with_values: bool
    with_metadata: bool


def decode_upsert(shape: Shape, body: Body) -> Upsert:
    """Check an upsert: 1 to 1,000 records, 2 MB as Pinecone counts (4 bytes a dense value)."""
    vectors = body.get("vectors")
    if not isinstance(vectors, list) or not vectors:
        raise invalid("vectors must be a non-empty list of records to upsert")
    if len(vectors) > RECORDS_MAX:
        raise invalid(
            f"Request contains {len(vectors)} vectors, which exceeds the maximum of {RECORDS_MAX}"
        )
    if not all(isinstance(vector, dict) for vector in vectors):
        raise invalid("each vector must be an object")
    namespace = check_namespace(body.get("namespace"))
    batch = _batch(shape, vectors)
    check_size(batch)
    return Upsert(namespace, batch)


def check_size(batch: Batch) -> None:
    """Refuse a request of more than 2 MB (413)."""
    if batch.size > REQUEST_BYTES_MAX:
        raise Refusal(
            Status.PAYLOAD_TOO_LARGE,
            "Your request is larger than the maximum supported size - 2MB. "
            "Please try to reduce your batch size.",
        )


def decode_update(shape: Shape, body: Body) -> PatchById | PatchMatching:
    """Check an update of one record by id, or of the metadata of many by filter."""
    record_id, expression = body.get("id"), body.get("filter")
    if (record_id in (None, "")) == (expression is None):
        raise invalid("Exactly one of 'id' or 'filter' must be provided for update")
    namespace = check_namespace(body.get("namespace"))
    metadata = check_metadata(body.get("setMetadata"))
    if expression is None:
        patch = _patch(shape, check_id(record_id), body, metadata)
        return PatchById(namespace, [(check_id(record_id), patch)])
    if body.get("values") or body.get("sparseValues"):
        raise invalid("Update by metadata request does not support updating vector values.")
    if not expression:
        raise invalid("Update with empty metadata filter is not allowed")
    if not metadata and not flag(body, "dryRun"):
        raise invalid("Update by metadata request must set at least one metadata field.")
    return PatchMatching(namespace, compile_filter(expression), Patch(set_metadata=metadata))


def decode_delete(_shape: Shape, body: Body) -> Command:
    """Check a delete by ids, by filter or of everything.

    As on Pinecone, a filter beside ids wins: the ids are not looked at.
    """
    namespace = check_namespace(body.get("namespace"))
    ids, expression, everything = body.get("ids"), body.get("filter"), flag(body, "deleteAll")
    if everything and ids:
        raise invalid("No explicit IDs allowed when delete_all=true")
    if everything and expression is not None:
        raise invalid("No filter allowed when delete_all=true")
    if everything:
        return DeleteAll(namespace)
    if expression is not None:
        if not expression:
            raise invalid("Delete with empty metadata filter is not allowed")
        return DeleteMatching(namespace, compile_filter(expression))
    return DeleteIds(namespace, check_ids(ids, "delete"))


def check_ids(ids: object, verb: str) -> list[str]:
    """Return 1 to 1,000 legal ids."""
    if not isinstance(ids, list) or not ids:
        raise invalid(f"Must specify at least one id to {verb}")
    if len(ids) > IDS_MAX:
        raise invalid(f"Request contains {len(ids)} ids, which exceeds the maximum of {IDS_MAX}")
    return [check_id(item) for item in ids]


def decode_query(shape: Shape, body: Body) -> QueryRequest:
    """Check a query by vector, by sparse vector, by both, or by the id of a stored record."""
    record_id = body.get("id") or None
    vector, sparse = body.get("vector") or None, body.get("sparseVector") or None
    if record_id is not None and (vector is not None or sparse is not None):
        other = "vector" if vector is not None else "sparse_vector"
        raise invalid(f"Cannot provide both 'ID' and '{other}' at the same time.")
    if record_id is None and vector is None and sparse is None:
        raise invalid("Query must contain a vector, a sparse vector or an id")
    if body.get("scanFactor") is not None or body.get("maxCandidates") is not None:
        raise invalid("scanFactor and maxCandidates need an index on dedicated read nodes")
    return QueryRequest(
        namespace=check_namespace(body.get("namespace")),
        record_id=None if record_id is None else check_id(record_id),
        query=None if record_id is not None else _query(shape, vector, sparse),
        limit=whole_number(body.get("topK"), "topK", 1, TOP_K_MAX),
        keep=optional_filter(body.get("filter")),
        with_values=flag(body, "includeValues"),
        with_metadata=flag(body, "includeMetadata"),
    )


def whole_number(value: object, name: str, low: int, high: int) -> int:
    """Return an integer within bounds; text is read, as in a query string."""
    text = str(value)
    if isinstance(value, bool) or not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
        raise invalid(
            f"Invalid {name}: must be an integer between {low} and {high}, got {text[:50]}"
        )
    return int(text)


def page_limit(body: Body, most: int) -> int:
    """Return how many records a page may have: 100, unless the body says otherwise."""
    given = body.get("limit")
    return whole_number(PAGE if given is None else given, "limit", 1, most)


def flag(body: Body, name: str) -> bool:
    """Return a boolean member, which is false where it is absent or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"Invalid {name}: must be true or false, got {str(value)[:50]}")
    return bool(value)


def optional_filter(expression: object) -> Predicate | None:
    """Compile the filter of a search; without one, or with an empty one, all records pass."""
    keep = None if expression is None else compile_filter(expression)
    return keep if expression else None


def _query(shape: Shape, vector: object, sparse: object) -> Query:
    if vector is not None and not shape.dense_field:
        raise invalid("Cannot query a sparse index with a dense vector")
    if sparse is not None and not shape.takes_sparse:
        raise invalid(NO_SPARSE)
    return Query(
        dense=None if vector is None else dense_row(vector, shape.dimension),
        sparse=None if sparse is None else sparse_vector(sparse),
    )


def _batch(shape: Shape, vectors: Sequence[Body]) -> Batch:
    ids = [check_id(vector.get("id")) for vector in vectors]
    return Batch(
        ids=ids,
        values=_dense_column(shape, vectors, ids),
        dense=np.full(len(ids), bool(shape.dense_field)),
        sparse=[_sparse(shape, vector.get("sparseValues")) for vector in vectors],
        metadata=[check_metadata(vector.get("metadata")) or None for vector in vectors],
    )


def _dense_column(shape: Shape, vectors: Sequence[Body], ids: Sequence[str]) -> Any:  # noqa: ANN401 - an array, whose type needs numpy's generics
    lists = [vector.get("values") or [] for vector in vectors]
    if shape.dense_field:
        return dense_rows(lists, shape.dimension, ids)
    if any(lists):
        raise invalid("Cannot write dense values to a sparse index")
    return np.zeros((len(ids), 0), dtype=np.float32)


def _sparse(shape: Shape, value: object) -> Sparse | None:
    if value is None:
        if not shape.dense_field:
            raise invalid("Sparse vector must contain at least one value")
        return None
    if not shape.takes_sparse:
        raise invalid(NO_SPARSE)
    return sparse_vector(value)


def _patch(shape: Shape, record_id: str, body: Body, metadata: Metadata | None) -> Patch:
    values, sparse = body.get("values") or None, body.get("sparseValues")
    if values is not None and not shape.dense_field:
        raise invalid("Cannot write dense values to a sparse index")
    if sparse is not None and not shape.takes_sparse:
        raise invalid(NO_SPARSE)
    return Patch(
        values=None if values is None else stored_row(values, shape.dimension, record_id),
        sparse=None if sparse is None else sparse_vector(sparse),
        set_metadata=metadata,
    )
