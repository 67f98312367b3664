"""The two ASGI applications: one control plane, and one data plane for each index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.routing import Route as WebRoute

from worker.pinecone_local.data_api import VectorsApi
from worker.pinecone_local.document_api import DocumentsApi
from worker.pinecone_local.faults import HEALTHY, FaultInjector, Faults
from worker.pinecone_local.gateway import Answer, Call, Gateway, Route
from worker.pinecone_local.namespace_api import NamespacesApi
from worker.pinecone_local.records_api import RecordsApi
from worker.pinecone_local.wire import (
    Plane,
    Refusal,
    Status,
    error_response,
    invalid,
    json_response,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    from starlette.requests import Request
    from starlette.responses import Response

    from worker.pinecone_local.control_api import ControlApi
    from worker.pinecone_local.gateway import Handler
    from worker.pinecone_local.index import Index
    from worker.pinecone_local.stats import Stats

    Row: TypeAlias = tuple[str, str, str, Handler]
    """Path, method, operation, handler."""

NAMESPACE = "/namespaces/{namespace:path}"
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def control_app(
    api: ControlApi, gateway: Gateway, injector: FaultInjector, stats: Stats
) -> Starlette:
    """``/indexes``, and ``/_local`` for the switches of this server (no key needed)."""

    def route(path: str, method: str, operation: str, handler: Handler) -> WebRoute:
        endpoint = gateway.endpoint(Route(operation, Plane.CONTROL, handler))
        return WebRoute(path, endpoint, methods=[method])

    local = _LocalApi(injector, stats)
    return Starlette(
        routes=[
            route("/indexes", "GET", "list_indexes", api.list_all),
            route("/indexes", "POST", "create_index", api.create),
            route("/indexes/{name}", "GET", "describe_index", api.describe),
            route("/indexes/{name}", "PATCH", "configure_index", api.configure),
            route("/indexes/{name}", "DELETE", "delete_index", api.delete),
            WebRoute("/_local/health", local.health, methods=["GET"]),
            WebRoute("/_local/faults", local.faults, methods=["GET", "PUT", "DELETE"]),
            WebRoute("/_local/stats", local.counts, methods=["GET", "DELETE"]),
            _unknown(gateway, Plane.CONTROL),
        ]
    )


def data_app(name: str, index: Index, gateway: Gateway) -> Starlette:
    """The vectors, namespaces, documents and records interfaces of one index."""

    def route(path: str, method: str, operation: str, handler: Handler) -> WebRoute:
        documents = operation.endswith(("_documents", "_records"))
        plane = Plane.DOCUMENTS if documents else Plane.VECTORS
        endpoint = gateway.endpoint(Route(operation, plane, handler, name))
        return WebRoute(path, endpoint, methods=[method])

    tables = (_vectors(index), _documents(index), _namespaces(index))
    routes = [route(*row) for table in tables for row in table]
    return Starlette(routes=[*routes, _unknown(gateway, Plane.VECTORS)])


def _vectors(index: Index) -> list[Row]:
    api, records = VectorsApi(index), RecordsApi(index)
    return [
        ("/vectors/upsert", "POST", "upsert", api.upsert),
        ("/vectors/update", "POST", "update", api.update),
        ("/vectors/delete", "POST", "delete", api.delete),
        ("/vectors/fetch", "GET", "fetch", api.fetch),
        ("/vectors/fetch_by_metadata", "POST", "fetch_by_metadata", api.fetch_by_metadata),
        ("/vectors/list", "GET", "list", api.list_ids),
        ("/query", "POST", "query", api.query),
        ("/describe_index_stats", "POST", "describe_index_stats", api.stats),
        ("/describe_index_stats", "GET", "describe_index_stats", api.stats),
        ("/records/namespaces/{namespace:path}/search", "POST", "search_records", records.search),
        ("/records/namespaces/{namespace:path}/upsert", "POST", "upsert_records", records.upsert),
    ]


def _documents(index: Index) -> list[Row]:
    api = DocumentsApi(index)
    return [
        (f"{NAMESPACE}/documents/upsert", "POST", "upsert_documents", api.upsert),
        (f"{NAMESPACE}/documents/update", "POST", "update_documents", api.update),
        (f"{NAMESPACE}/documents/delete", "POST", "delete_documents", api.delete),
        (f"{NAMESPACE}/documents/fetch", "POST", "fetch_documents", api.fetch),
        (f"{NAMESPACE}/documents/list", "POST", "list_documents", api.list_ids),
        (f"{NAMESPACE}/documents/search", "POST", "search_documents", api.search),
    ]


def _namespaces(index: Index) -> list[Row]:
    api = NamespacesApi(index)
    return [
        ("/namespaces", "GET", "list_namespaces", api.list_all),
        ("/namespaces", "POST", "create_namespace", api.create),
        (NAMESPACE, "GET", "describe_namespace", api.describe),
        (NAMESPACE, "DELETE", "delete_namespace", api.delete),
    ]


class _LocalApi:
    """What this server offers beside Pinecone's interface."""

    def __init__(self, injector: FaultInjector, stats: Stats) -> None:
        self._injector = injector
        self._stats = stats

    async def health(self, _request: Request) -> Response:
        """Say that the server runs."""
        return json_response({"status": "ok"})

    async def faults(self, request: Request) -> Response:
        """Read (GET), set (PUT) or clear (DELETE) the faults."""
        if request.method == "PUT":
            try:
                self._injector.configure(Faults.model_validate_json(await request.body()))
            except ValidationError as error:
                return error_response(invalid(str(error)), Plane.CONTROL)
        elif request.method == "DELETE":
            self._injector.configure(HEALTHY)
        return json_response(self._injector.faults.model_dump())

    async def counts(self, request: Request) -> Response:
        """Read (GET) the counts; DELETE reads them and begins at zero."""
        counts = self._stats.snapshot()
        if request.method == "DELETE":
            self._stats.reset()
        return json_response(counts)


def _unknown(gateway: Gateway, plane: Plane) -> WebRoute:
    def refuse(call: Call) -> Answer:
        raise Refusal(Status.NOT_FOUND, f"Path /{'/'.join(call.segments)} not found")

    endpoint = gateway.endpoint(Route("unknown", plane, refuse))
    return WebRoute("/{path:path}", endpoint, methods=ANY)
