"""The vectors interface of one index: what each operation answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.commands import PatchMatching
from worker.pinecone_local.filters import compile_filter
from worker.pinecone_local.gateway import Answer, Call
from worker.pinecone_local.matches import matches_of
from worker.pinecone_local.metadata import (
    DEFAULT_NAMESPACE,
    check_namespace,
    check_prefix,
    not_found,
)
from worker.pinecone_local.pages import after_token, page_of
from worker.pinecone_local.persistence import Entry
from worker.pinecone_local.records import Query
from worker.pinecone_local.replay import vector_of
from worker.pinecone_local.vector_requests import (
    QueryRequest,
    check_ids,
    decode_delete,
    decode_query,
    decode_update,
    decode_upsert,
    flag,
    page_limit,
    whole_number,
)
from worker.pinecone_local.wire import DEFAULT_NAMESPACE_VERSION, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.pinecone_local.commands import Command
    from worker.pinecone_local.index import Index
    from worker.pinecone_local.records import Record
    from worker.pinecone_local.vectors import Namespace

LIST_MAX = 100
FETCH_BY_METADATA_MAX = 10_000
FETCHED_PER_READ_UNIT = 10
READ_UNIT = {"readUnits": 1}


class VectorsApi:
    """Handlers of ``/vectors/*``, ``/query`` and ``/describe_index_stats``."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def upsert(self, call: Call) -> Answer:
        """POST /vectors/upsert."""
        self._refuse_documents()
        command = decode_upsert(self._index.shape, call.body)
        headers = self._write("upsert", command, call)
        count = len(command.batch.ids)
        return Answer({"upsertedCount": count}, headers=headers, records=count)

    def update(self, call: Call) -> Answer:
        """POST /vectors/update."""
        self._refuse_documents()
        body = call.body
        command = decode_update(self._index.shape, body)
        if not isinstance(command, PatchMatching):
            return Answer({}, headers=self._write("update", command, call), records=1)
        namespace = self._index.visible.get(command.namespace)
        matched = 0 if namespace is None else len(namespace.matching(command.keep))
        headers = {} if flag(body, "dryRun") else self._write("update", command, call)
        return Answer({"matchedRecords": matched}, headers=headers, records=matched)

    def delete(self, call: Call) -> Answer:
        """POST /vectors/delete."""
        self._refuse_documents()
        body = call.body
        command = decode_delete(self._index.shape, body)
        if not self._index.exists(command.namespace):
            raise not_found(command.namespace)
        headers = self._write("delete", command, call)
        return Answer({}, headers=headers, records=len(body.get("ids") or ()))

    def query(self, call: Call) -> Answer:
        """POST /query."""
        body = call.body
        matches, headers = self.matches(body)
        answer = {"matches": matches, "namespace": _echo(body), "usage": READ_UNIT}
        return Answer(answer, headers=headers, records=len(matches))

    def matches(self, body: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """What a query finds, and the headers that say how fresh that is."""
        self._refuse_documents()
        request = decode_query(self._index.shape, body)
        namespace = self._index.visible.get(request.namespace)
        found = [] if namespace is None else self._matches(namespace, request)
        return found, {"x-pinecone-max-indexed-lsn": str(self._index.visible_lsn)}

    def fetch(self, call: Call) -> Answer:
        """GET /vectors/fetch."""
        self._refuse_documents()
        ids = check_ids(call.params.getlist("ids"), "fetch")
        namespace = self._index.visible.get(check_namespace(call.params.get("namespace")))
        found = [] if namespace is None else [namespace.get(item) for item in dict.fromkeys(ids)]
        return _fetched([record for record in found if record is not None], call.params)

    def fetch_by_metadata(self, call: Call) -> Answer:
        """POST /vectors/fetch_by_metadata."""
        self._refuse_documents()
        body = call.body
        if not body.get("filter"):
            raise invalid("Empty filter provided for fetch by metadata request")
        keep = compile_filter(body["filter"])
        limit = page_limit(body, FETCH_BY_METADATA_MAX)
        after = after_token(body.get("paginationToken"))
        namespace = self._index.visible.get(check_namespace(body.get("namespace")))
        if namespace is None:
            return _fetched([], body)
        ids, pagination = page_of(namespace.matching(keep, after=after), limit)
        found = [namespace.get(item) for item in ids]
        return _fetched([record for record in found if record is not None], body, pagination)

    def list_ids(self, call: Call) -> Answer:
        """GET /vectors/list."""
        self._refuse_documents()
        limit = whole_number(call.params.get("limit", LIST_MAX), "limit", 1, LIST_MAX)
        prefix = check_prefix(call.params.get("prefix", ""), what="Prefix")
        after = after_token(call.params.get("paginationToken"))
        namespace = self._index.visible.get(check_namespace(call.params.get("namespace")))
        found: Sequence[str] = ()
        if namespace is not None:
            found = namespace.ids(prefix=prefix, after=after, limit=limit + 1)
        ids, pagination = page_of(found, limit)
        answer = {
            "vectors": [{"id": item} for item in ids],
            **pagination,
            "namespace": _echo(call.params),
            "usage": READ_UNIT,
        }
        return Answer(answer, records=len(ids))

    def stats(self, call: Call) -> Answer:
        """POST (or GET) /describe_index_stats."""
        if call.body.get("filter"):
            raise invalid(
                "Serverless and Starter indexes do not support describing index stats "
                "with metadata filtering"
            )
        shape = self._index.shape
        default = DEFAULT_NAMESPACE if call.version.since(DEFAULT_NAMESPACE_VERSION) else ""
        counts = {
            default if name == DEFAULT_NAMESPACE else name: len(namespace)
            for name, namespace in self._index.visible
        }
        answer: dict[str, Any] = {
            "namespaces": {name: {"vectorCount": count} for name, count in counts.items()},
            "indexFullness": 0.0,
            "totalVectorCount": sum(counts.values()),
            "metric": shape.metric.value,
            "vectorType": shape.vector_type,
        }
        if shape.dense_field:
            answer["dimension"] = shape.dimension
        return Answer(answer)

    def _matches(self, namespace: Namespace, request: QueryRequest) -> list[dict[str, Any]]:
        query = request.query
        if request.record_id is not None:
            record = namespace.get(request.record_id)
            query = None if record is None else Query(record.values, record.sparse)
        if query is None:
            return []
        hits = namespace.search(query, self._index.shape.metric, request.limit, request.keep)
        return matches_of(namespace, hits, request)

    def _write(self, operation: str, command: Command, call: Call) -> dict[str, str]:
        self._index.write(command, Entry(operation, command.namespace, call.raw))
        return {"x-pinecone-request-lsn": str(self._index.committed_lsn)}

    def _refuse_documents(self) -> None:
        if self._index.shape.documents:
            raise invalid(
                "This index has a document schema and is not served by the vectors API; "
                "use the documents API (/namespaces/{namespace}/documents/...) instead"
            )


def _fetched(records: Sequence[Record], request: Any, more: Any = None) -> Answer:  # noqa: ANN401 - anything with get()
    units = max(1, -(-len(records) // FETCHED_PER_READ_UNIT))
    answer = {
        "vectors": {record.id: vector_of(record) for record in records},
        "namespace": _echo(request),
        "usage": {"readUnits": units},
        **(more or {}),
    }
    return Answer(answer, records=len(records))


def _echo(request: Any) -> str:  # noqa: ANN401 - anything with get()
    return request.get("namespace") or ""
