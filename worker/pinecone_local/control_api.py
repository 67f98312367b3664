"""The control plane: create, describe, list, configure and delete indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.gateway import Answer, Call
from worker.pinecone_local.index_requests import decode_configure, decode_create
from worker.pinecone_local.wire import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.pinecone_local.catalog import Catalog, Entry
    from worker.pinecone_local.wire import ApiVersion

CREATED = 201
ACCEPTED = 202
OK = 200


class ControlApi:
    """Handlers of ``/indexes`` and ``/indexes/{name}``; ``host_of`` turns a port into a host."""

    def __init__(self, catalog: Catalog, host_of: Callable[[int], str]) -> None:
        self._catalog = catalog
        self._host_of = host_of

    def create(self, call: Call) -> Answer:
        """POST /indexes."""
        entry = self._catalog.create(decode_create(call.version, call.body))
        return Answer(self._described(entry, call.version), CREATED)

    def list_all(self, call: Call) -> Answer:
        """GET /indexes."""
        entries = self._catalog.entries()
        return Answer({"indexes": [self._described(entry, call.version) for entry in entries]})

    def describe(self, call: Call) -> Answer:
        """GET /indexes/{name}."""
        return Answer(self._described(self._catalog.get(call.segments[1]), call.version))

    def configure(self, call: Call) -> Answer:
        """PATCH /indexes/{name}; 202 before 2026-07, 200 since."""
        current = self._catalog.get(call.segments[1]).definition
        changed = decode_configure(call.version, current, call.body)
        entry = self._catalog.configure(changed)
        status = OK if call.version.since(SCHEMA_VERSION) else ACCEPTED
        return Answer(self._described(entry, call.version), status)

    def delete(self, call: Call) -> Answer:
        """DELETE /indexes/{name}."""
        self._catalog.delete(call.segments[1])
        return Answer(None, ACCEPTED)

    def _described(self, entry: Entry, version: ApiVersion) -> dict[str, Any]:
        return entry.definition.described(version, self._host_of(entry.port))
