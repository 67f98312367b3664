"""The namespaces of one index: list, create, describe, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.commands import CreateNamespace, DropNamespace
from worker.pinecone_local.gateway import Answer, Call
from worker.pinecone_local.metadata import (
    DEFAULT_NAMESPACE,
    check_namespace,
    check_namespace_schema,
    check_prefix,
    not_found,
)
from worker.pinecone_local.pages import after_token, page_of
from worker.pinecone_local.persistence import Entry
from worker.pinecone_local.vector_requests import whole_number
from worker.pinecone_local.wire import SCHEMA_VERSION, Refusal, Status, invalid

if TYPE_CHECKING:
    from worker.pinecone_local.index import Index
    from worker.pinecone_local.wire import ApiVersion

LIST_MAX = 100


class NamespacesApi:
    """Handlers of ``/namespaces`` and ``/namespaces/{name}``."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def list_all(self, call: Call) -> Answer:
        """GET /namespaces."""
        limit = whole_number(call.params.get("limit", LIST_MAX), "limit", 1, LIST_MAX)
        prefix = check_prefix(call.params.get("prefix", ""), what="Prefix")
        after = after_token(call.params.get("paginationToken"))
        names = self._index.visible.names(prefix)
        page, pagination = page_of([name for name in names if name > after], limit)
        described = [self._described(name, call.version) for name in page]
        answer = {"namespaces": described, **pagination, "total_count": len(names)}
        return Answer(answer, records=len(page))

    def create(self, call: Call) -> Answer:
        """POST /namespaces."""
        body = call.body
        if not body.get("name"):
            raise invalid("Namespace name must not be empty")
        name = check_namespace(body["name"])
        if name == DEFAULT_NAMESPACE:
            raise invalid(f"Namespace name '{name}' is reserved and cannot be created")
        if self._index.exists(name):
            raise Refusal(Status.ALREADY_EXISTS, f"Namespace '{name}' already exists")
        schema = check_namespace_schema(body.get("schema"))
        self._index.write(CreateNamespace(name, schema), Entry("create_namespace", name, call.raw))
        described = {"name": name, "record_count": 0, "size_bytes": 0}
        return Answer(_numbers(described | _schema(schema), call.version))

    def describe(self, call: Call) -> Answer:
        """GET /namespaces/{name}."""
        name = self._existing(call)
        return Answer(self._described(name, call.version))

    def delete(self, call: Call) -> Answer:
        """DELETE /namespaces/{name}."""
        name = self._existing(call)
        self._index.write(DropNamespace(name), Entry("delete_namespace", name, b""))
        lsn = str(self._index.committed_lsn)
        return Answer({}, headers={"x-pinecone-request-lsn": lsn})

    def _existing(self, call: Call) -> str:
        name = check_namespace(call.segments[1])
        if not self._index.exists(name):
            raise not_found(name)
        return name

    def _described(self, name: str, version: ApiVersion) -> dict[str, Any]:
        namespace = self._index.visible.get(name)
        described = {
            "name": name,
            "record_count": 0 if namespace is None else len(namespace),
            "size_bytes": 0 if namespace is None else namespace.size_bytes,
        }
        return _numbers(described | _schema(self._index.visible.schema(name)), version)


def _schema(schema: Any) -> dict[str, Any]:  # noqa: ANN401 - the schema as JSON, or None
    if schema is None:
        return {}
    return {"schema": schema, "indexed_fields": {"fields": sorted(schema["fields"])}}


def _numbers(described: dict[str, Any], version: ApiVersion) -> dict[str, Any]:
    """64-bit numbers are decimal strings since 2026-07."""
    if not version.since(SCHEMA_VERSION):
        return {key: value for key, value in described.items() if key != "size_bytes"}
    for key in ("record_count", "size_bytes"):
        described[key] = str(described[key])
    return described
