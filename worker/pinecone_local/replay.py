"""Journal entries and writes, one made from the other.

An entry holds the body of a request, which was checked when it came. A rewritten journal holds
records as they are stored instead: after updates, they need not be what one request may bring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from worker.pinecone_local.commands import Command, CreateNamespace, DropNamespace, Upsert
from worker.pinecone_local.document_requests import (
    decode_document_delete,
    decode_document_update,
    decode_document_upsert,
)
from worker.pinecone_local.persistence import Entry
from worker.pinecone_local.records import Batch
from worker.pinecone_local.values import sparse_vector
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
    "records": lambda shape, name, body: Upsert(name, _batch(shape, body["records"])),
    "create_namespace": lambda _, name, body: CreateNamespace(name, body.get("schema")),
    "delete_namespace": lambda _, name, __: DropNamespace(name),
}


def command_of(shape: Shape, entry: Entry) -> Command:
    """The write that an entry stands for."""
    body = json_object(entry.body)
    if entry.operation in _VECTORS:
        return _VECTORS[entry.operation](shape, body)
    return _DOCUMENTS[entry.operation](shape, entry.namespace, body)


def entries_of(namespaces: Namespaces) -> Iterator[Entry]:
    """Entries that make the same namespaces from nothing."""
    for name, namespace in namespaces:
        schema = orjson.dumps({"schema": namespaces.schema(name)})
        yield Entry("create_namespace", name, schema)
        ids = namespace.ids()
        for at in range(0, len(ids), _ROWS):
            found = [namespace.get(item) for item in ids[at : at + _ROWS]]
            yield _records(name, [record for record in found if record is not None])


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


def _records(namespace: str, records: list[Record]) -> Entry:
    rows = [
        {
            "id": record.id,
            "values": record.values,
            "sparse": None if record.sparse is None else record.sparse.as_json(),
            "metadata": record.metadata,
        }
        for record in records
    ]
    body = orjson.dumps({"records": rows}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Entry("records", namespace, body)


def _batch(shape: Shape, rows: list[dict[str, Any]]) -> Batch:
    values = np.zeros((len(rows), shape.dimension), dtype=np.float32)
    dense = np.array([row["values"] is not None for row in rows], dtype=np.bool_)
    for at in np.flatnonzero(dense):
        values[at] = rows[at]["values"]
    return Batch(
        ids=[row["id"] for row in rows],
        values=values,
        dense=dense,
        sparse=[row["sparse"] and sparse_vector(row["sparse"]) for row in rows],
        metadata=[row["metadata"] for row in rows],
    )
