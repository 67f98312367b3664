"""What a query answers: each hit as JSON, and no more than 4 MB of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from worker.pinecone_local.replay import vector_of
from worker.pinecone_local.wire import Refusal, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.pinecone_local.records import Hit, Record
    from worker.pinecone_local.vector_requests import QueryRequest
    from worker.pinecone_local.vectors import Namespace

RESULT_BYTES_MAX = 4 * 1024 * 1024


def matches_of(
    namespace: Namespace, hits: Sequence[Hit], request: QueryRequest
) -> list[dict[str, Any]]:
    """Describe hits with as much of their records as was asked for.

    Raises:
        Refusal: They come to more than 4 MB (400); a smaller ``topK``, or leaving out values or
            metadata, helps: https://docs.pinecone.io/docs/query-data, "Limits".
    """
    if not request.with_values and not request.with_metadata:
        return [{"id": hit.id, "score": hit.score, "values": []} for hit in hits]
    records = [namespace.get(hit.id) for hit in hits]
    size = sum(_size(record, request) for record in records if record is not None)
    if size > RESULT_BYTES_MAX:
        raise Refusal(
            Status.PAYLOAD_TOO_LARGE,
            f"Error, message length too large: found {size} bytes, "
            f"the limit is: {RESULT_BYTES_MAX} bytes",
            http=Status.INVALID_ARGUMENT.http,
        )
    return [_match(hit, record, request) for hit, record in zip(hits, records, strict=True)]


def _match(hit: Hit, record: Record | None, request: QueryRequest) -> dict[str, Any]:
    shown = {} if record is None else vector_of(record)
    wanted = ["values", "sparseValues"] if request.with_values else []
    wanted += ["metadata"] if request.with_metadata else []
    match: dict[str, Any] = {"id": hit.id, "score": hit.score, "values": []}
    return {**match, **{key: shown[key] for key in wanted if key in shown}}


def _size(record: Record, request: QueryRequest) -> int:
    """Bytes as they are counted in a request, too: 4 a dense value, 8 a sparse one."""
    size = len(record.id)
    if request.with_values:
        size += 0 if record.values is None else 4 * len(record.values)
        size += 0 if record.sparse is None else 8 * len(record.sparse.indices)
    if request.with_metadata and record.metadata:
        size += len(orjson.dumps(record.metadata))
    return size
