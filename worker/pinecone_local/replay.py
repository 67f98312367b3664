"""Journal entries and writes, one made from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from worker.pinecone_local.commands import Command, CreateNamespace, DropNamespace
from worker.pinecone_local.document_requests import (
    decode_document_delete,
    decode_document_update,
    decode_document_upsert,
    document_of,
)
from worker.pinecone_local.persistence import Entry
from worker.pinecone_local.vector_requests import decode_delete, decode_update, decode_upsert
from worker.pinecone_local.wire import json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.pinecone_local.namespaces import Namespaces
    from worker.pinecone_local.records import Record
    from worker.pinecone_local.shape import Shape

_ROWS = 200
_VECTORS: dict[str, Callable[[Shape, dict[str, Any]], Command]] = {
    "upsert": decode_upsert,
    "update": decode_update,
    "delete": decode_delete,
}
_DOCUMENTS: dict[str, Callable[[Shape, str, dict[str, Any]], Command]] = {
    "upsert_documents": decode_document_upsert,
    "update_documents": decode_document_update,
    "delete_documents": decode_document_delete,
    "create_namespace": lambda _, name, body: CreateNamespace(name, body.get("schema")),
    "delete_namespace": lambda _, name, __: DropNamespace(name),
}


def command_of(shape: Shape, entry: Entry) -> Command:
    """The write that an entry stands for."""
    body = json_object(entry.body)
    if entry.operation in _VECTORS:
        return _VECTORS[entry.operation](shape, body)
    return _DOCUMENTS[entry.operation](shape, entry.namespace, body)


def entries_of(shape: Shape, namespaces: Namespaces) -> Iterator[Entry]:
    """Entries that make the same namespaces from nothing."""
    for name, namespace in namespaces:
        schema = orjson.dumps({"schema": namespaces.schema(name)})
        yield Entry("create_namespace", name, schema)
        ids = namespace.ids()
        for at in range(0, len(ids), _ROWS):
            found = [namespace.get(item) for item in ids[at : at + _ROWS]]
            yield _upsert(shape, name, [record for record in found if record is not None])


def vector_of(record: Record) -> dict[str, Any]:
    """A record as the vectors interface shows it."""
    shown: dict[str, Any] = {
        "id": record.id,
        "values": [] if record.values is None else record.values,
    }
    if record.sparse is not None:
        shown["sparseValues"] = record.sparse.as_json()
    if record.metadata:
        shown["metadata"] = record.metadata
    return shown


def _upsert(shape: Shape, namespace: str, records: list[Record]) -> Entry:
    if shape.documents:
        rows = [{"_id": record.id, **document_of(shape, record)} for record in records]
        operation = "upsert_documents"
        body: dict[str, Any] = {"documents": rows}
    else:
        operation = "upsert"
        body = {"namespace": namespace, "vectors": [vector_of(record) for record in records]}
    return Entry(operation, namespace, orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY))
