"""Clauses of a document search that score by words: ``text`` and ``query_string``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.document_requests import check_names
from worker.pinecone_local.query_string import compile_query
from worker.pinecone_local.text_search import bm25
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.pinecone_local.query_string import Texts
    from worker.pinecone_local.records import Record
    from worker.pinecone_local.shape import Shape

    Clause = Mapping[str, Any]


def text_scores(
    shape: Shape, clauses: Sequence[Clause], records: Sequence[Record]
) -> dict[str, float]:
    """Score by id: a match of any clause is enough, and the scores of those that match add up.

    A clause, or a field within one, that is repeated counts once.
    """
    texts = {field: _texts_of(records, field) for field in shape.text_fields}
    total: dict[str, float] = {}
    for part in {key: None for clause in clauses for key in _parts(shape, clause)}:
        for record_id, score in _scores(shape, part, texts).items():
            total[record_id] = total.get(record_id, 0.0) + score
    return total


def _parts(shape: Shape, clause: Clause) -> list[tuple[str, str]]:
    """Pairs of a field and a query; a query string stands with no field."""
    query = clause.get("query")
    if not isinstance(query, str) or not query:
        raise invalid(f"{clause['type']} scoring requires a non-empty 'query'")
    if clause["type"] == "query_string":
        if clause.get("field") is not None or clause.get("fields") is not None:
            raise invalid("'query_string' names its fields in the query, not in 'fields'")
        return [("", query)]
    fields = check_names(clause.get("fields"), "fields") or [str(clause.get("field"))]
    for field in fields:
        if field not in shape.text_fields:
            raise invalid(f"Field '{field}' is not a full-text-search field of the schema")
    return [(field, query) for field in fields]


def _scores(shape: Shape, part: tuple[str, str], texts: Texts) -> dict[str, float]:
    field, query = part
    return bm25(texts[field], query) if field else compile_query(query, shape.text_fields)(texts)


def _texts_of(records: Sequence[Record], field: str) -> dict[str, str]:
    found = {record.id: (record.metadata or {}).get(field) for record in records}
    return {key: text for key, text in found.items() if isinstance(text, str)}
