"""The documents interface of one index: what each operation answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from worker.pinecone_local.commands import DeleteMatching, PatchMatching
from worker.pinecone_local.document_filters import search_filter
from worker.pinecone_local.document_requests import (
    check_names,
    decode_document_delete,
    decode_document_update,
    decode_document_upsert,
    document_of,
)
from worker.pinecone_local.gateway import Answer, Call
from worker.pinecone_local.metadata import check_namespace, check_prefix
from worker.pinecone_local.pages import after_token, page_of
from worker.pinecone_local.persistence import Entry
from worker.pinecone_local.records import Hit, Query
from worker.pinecone_local.text_clauses import text_scores
from worker.pinecone_local.values import dense_row, sparse_vector
from worker.pinecone_local.vector_requests import TOP_K_MAX, check_ids, page_limit, whole_number
from worker.pinecone_local.vectors import Namespace
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.pinecone_local.commands import Command
    from worker.pinecone_local.filters import Predicate
    from worker.pinecone_local.index import Index

ACCEPTED = 202
FETCH_MAX = 10_000
LIST_MAX = 100
CLAUSES_MAX = 100
WORDS = {"text", "query_string"}
"""Kinds of clauses that score by words."""
USAGE = {"read_units": 1}


class DocumentsApi:
    """Handlers of ``/namespaces/{namespace}/documents/*``."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def upsert(self, call: Call) -> Answer:
        """Write whole documents."""
        self._refuse_vectors()
        command = decode_document_upsert(self._index.shape, call.segments[1], call.body)
        headers = self._write("upsert_documents", command, call)
        count = len(command.batch.ids)
        return Answer({"upserted_count": count}, ACCEPTED, headers, count)

    def update(self, call: Call) -> Answer:
        """Change fields by id or by filter."""
        self._refuse_vectors()
        command = decode_document_update(self._index.shape, call.segments[1], call.body)
        matched = self._matched(command)
        return Answer(matched, ACCEPTED, self._write("update_documents", command, call))

    def delete(self, call: Call) -> Answer:
        """Delete by ids, by filter, or everything."""
        self._refuse_vectors()
        command = decode_document_delete(self._index.shape, call.segments[1], call.body)
        matched = self._matched(command)
        return Answer(matched, ACCEPTED, self._write("delete_documents", command, call))

    def fetch(self, call: Call) -> Answer:
        """Read by ids, or page by page by filter."""
        self._refuse_vectors()
        body = call.body
        if (body.get("ids") is None) == (body.get("filter") is None):
            raise invalid("Exactly one of 'ids' or 'filter' must be provided")
        limit = page_limit(body, FETCH_MAX)
        ids, pagination = self._selected(call, body, limit)
        fields = check_names(body.get("include_fields"), "include_fields") or ["*"]
        shown = {item: self._shown(call, item, fields) for item in ids}
        documents = {item: document for item, document in shown.items() if document is not None}
        return self._answer(call, {"documents": documents, **pagination}, len(documents))

    def list_ids(self, call: Call) -> Answer:
        """List ids in bitwise order."""
        self._refuse_vectors()
        body = call.body
        limit = page_limit(body, LIST_MAX)
        prefix = check_prefix(body.get("prefix") or "", what="Prefix")
        after = after_token(body.get("pagination_token"))
        found = self._namespace(call).ids(prefix=prefix, after=after, limit=limit + 1)
        ids, pagination = page_of(found, limit)
        documents = [{"_id": item} for item in ids]
        return self._answer(call, {"documents": documents, **pagination}, len(ids))

    def search(self, call: Call) -> Answer:
        """Search by one vector clause, or by text clauses whose scores add up."""
        self._refuse_vectors()
        body = call.body
        limit = whole_number(body.get("top_k"), "top_k", 1, TOP_K_MAX)
        expression = body.get("filter")
        everything = expression is None or expression == {}
        keep = None if everything else search_filter(self._index.shape, expression)
        clauses = self._clauses(body.get("score_by"))
        hits = self._hits(self._namespace(call), clauses, limit, keep)
        fields = check_names(body.get("include_fields"), "include_fields")
        matches = [
            {**(self._shown(call, hit.id, fields) or {}), "_score": hit.score} for hit in hits
        ]
        headers = {"x-pinecone-max-indexed-lsn": str(self._index.visible_lsn)}
        answer = self._answer(call, {"matches": matches}, len(matches))
        return Answer(answer.body, headers=headers, records=answer.records)

    def _clauses(self, score_by: object) -> Sequence[Mapping[str, Any]]:
        if not isinstance(score_by, list) or not 1 <= len(score_by) <= CLAUSES_MAX:
            raise invalid(f"'score_by' must be a list of 1 to {CLAUSES_MAX} scoring methods")
        kinds = {str(item.get("type")) if isinstance(item, dict) else "" for item in score_by}
        alone = len(score_by) == 1 and kinds <= {"dense_vector", "sparse_vector"}
        if alone or kinds <= WORDS:
            return score_by
        raise invalid(
            "'score_by' clauses of type 'text' and 'query_string' may be combined, "
            "'dense_vector' and 'sparse_vector' clauses must appear alone"
        )

    def _hits(
        self,
        namespace: Namespace,
        clauses: Sequence[Mapping[str, Any]],
        limit: int,
        keep: Predicate | None,
    ) -> list[Hit]:
        if clauses[0]["type"] in WORDS:
            return self._text_hits(namespace, clauses, limit, keep)
        query = self._vector_query(clauses[0])
        return namespace.search(query, self._index.shape.metric, limit, keep)

    def _vector_query(self, clause: Mapping[str, Any]) -> Query:
        shape = self._index.shape
        if clause["type"] == "dense_vector":
            _check_field(clause, shape.dense_field)
            return Query(dense_row(clause.get("values"), shape.dimension), None)
        _check_field(clause, shape.sparse_field)
        return Query(None, sparse_vector(clause.get("sparse_values")))

    def _text_hits(
        self,
        namespace: Namespace,
        clauses: Sequence[Mapping[str, Any]],
        limit: int,
        keep: Predicate | None,
    ) -> list[Hit]:
        ids = namespace.ids() if keep is None else namespace.matching(keep)
        stored = [record for record in map(namespace.get, ids) if record is not None]
        scores = text_scores(self._index.shape, clauses, stored)
        hits = [Hit(key, np.float32(score)) for key, score in scores.items()]
        return sorted(hits, key=lambda hit: (-float(hit.score), hit.id))[:limit]

    def _selected(
        self, call: Call, body: Mapping[str, Any], limit: int
    ) -> tuple[Sequence[str], dict[str, Any]]:
        if body.get("ids") is not None:
            return check_ids(body["ids"], "fetch"), {}
        keep = search_filter(self._index.shape, body["filter"])
        after = after_token(body.get("pagination_token"))
        return page_of(self._namespace(call).matching(keep, after=after), limit)

    def _shown(self, call: Call, record_id: str, fields: Sequence[str]) -> dict[str, Any] | None:
        record = self._namespace(call).get(record_id)
        if record is None:
            return None
        document = document_of(self._index.shape, record)
        if "*" not in fields:
            document = {key: value for key, value in document.items() if key in fields}
        return {"_id": record_id, **document}

    def _namespace(self, call: Call) -> Namespace:
        found = self._index.visible.get(check_namespace(call.segments[1]))
        return Namespace(self._index.shape.dimension) if found is None else found

    def _matched(self, command: Command) -> dict[str, int]:
        if not isinstance(command, PatchMatching | DeleteMatching):
            return {}
        namespace = self._index.visible.get(command.namespace)
        return {
            "matched_records": 0 if namespace is None else len(namespace.matching(command.keep))
        }

    def _write(self, operation: str, command: Command, call: Call) -> dict[str, str]:
        self._index.write(command, Entry(operation, command.namespace, call.raw))
        return {"x-pinecone-request-lsn": str(self._index.committed_lsn)}

    def _answer(self, call: Call, members: Mapping[str, Any], records: int) -> Answer:
        body = {**members, "namespace": call.segments[1], "usage": USAGE}
        return Answer(body, records=records)

    def _refuse_vectors(self) -> None:
        if not self._index.shape.documents:
            raise invalid(
                "This index has no document schema and is not served by the documents API; "
                "use the vectors API (/vectors/..., /query) instead"
            )


def _check_field(clause: Mapping[str, Any], expected: str) -> None:
    named = clause.get("field") or next(iter(check_names(clause.get("fields"), "fields")), "")
    if not expected or named != expected:
        raise invalid(f"Field '{named}' is not a {clause['type']} field of the schema")
