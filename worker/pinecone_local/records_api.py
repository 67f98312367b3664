"""The records interface, as far as it goes without embedding models: search by vector or by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.data_api import VectorsApi
from worker.pinecone_local.document_requests import check_names
from worker.pinecone_local.gateway import Answer, Call
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from worker.pinecone_local.index import Index

NO_MODEL = "Integrated inference is not configured for this index"


class RecordsApi:
    """Handlers of ``/records/namespaces/{namespace}/*``."""

    def __init__(self, index: Index) -> None:
        self._vectors = VectorsApi(index)

    def upsert(self, _call: Call) -> Answer:
        """POST .../upsert: text in, which needs a model."""
        raise invalid(NO_MODEL)

    def search(self, call: Call) -> Answer:
        """POST .../search with ``vector`` or ``id``; ``fields`` chooses metadata, none is all."""
        body = call.body
        query = body.get("query")
        if not isinstance(query, dict):
            raise invalid("Search must contain a query")
        if query.get("inputs") is not None:
            raise invalid(NO_MODEL)
        matches, headers = self._vectors.matches(_as_query(call.segments[2], query))
        fields = check_names(body.get("fields"), "fields")
        hits = [_hit(match, fields) for match in matches]
        answer = {"result": {"hits": hits}, "usage": {"read_units": 1}}
        return Answer(answer, headers=headers, records=len(hits))


def _as_query(namespace: str, query: dict[str, Any]) -> dict[str, Any]:
    """The same search in the words of the vectors interface."""
    vector = query.get("vector") or {}
    if not isinstance(vector, dict):
        raise invalid("Search vector must be an object")
    sparse = {"indices": vector.get("sparse_indices"), "values": vector.get("sparse_values")}
    return {
        "namespace": namespace,
        "topK": query.get("top_k"),
        "filter": query.get("filter"),
        "id": query.get("id"),
        "vector": vector.get("values"),
        "sparseVector": sparse if sparse["indices"] else None,
        "includeMetadata": True,
    }


def _hit(match: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    metadata = match.get("metadata", {})
    shown = {key: metadata[key] for key in metadata if not fields or key in fields}
    return {"_id": match["id"], "_score": match["score"], "fields": shown}
