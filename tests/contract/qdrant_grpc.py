"""A server that speaks Qdrant's gRPC API before the engine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import grpc
from qdrant_client import grpc as proto
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.grpc import collections_service_pb2_grpc as collections_grpc
from qdrant_client.grpc import points_service_pb2_grpc as points_grpc
from qdrant_client.grpc import qdrant_pb2_grpc as root_grpc

from tests.contract.qdrant_front import Front, Refused, collection_info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import models

    from tests.contract.qdrant_front import Engine

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}


class _Service:
    """Whatever is asked, faults first."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._engine = front.engine

    def _begin(self, context: Any) -> None:
        given = dict(context.invocation_metadata())
        if self._front.key is not None and given.get("api-key") != self._front.key:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Must provide an API key")
        if self._front.faults:
            fault = self._front.faults.popleft()
            time.sleep(fault.delay_s)
            named = ((name.lower(), value) for name, value in fault.headers.items())
            context.set_trailing_metadata(tuple(named))
            context.abort(_CODES[fault.status], "no")

    @contextmanager
    def _answering(self, context: Any) -> Iterator[None]:
        self._begin(context)
        try:
            yield
        except Refused as error:
            context.abort(_CODES[error.status], error.message)


class _Root(_Service, root_grpc.QdrantServicer):
    def HealthCheck(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            return proto.HealthCheckReply(title="qdrant", version=self._front.version)


class _Collections(_Service, collections_grpc.CollectionsServicer):
    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            info = collection_info(self._engine, request.collection_name)
            return proto.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(info))

    def CollectionExists(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            exists = request.collection_name in self._engine.collections
            return proto.CollectionExistsResponse(result=proto.CollectionExists(exists=exists))

    def List(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            names = [proto.CollectionDescription(name=one) for one in self._engine.collections]
            return proto.ListCollectionsResponse(collections=names)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            vectors = GrpcToRest.convert_vectors_config(request.vectors_config)
            self._engine.create(request.collection_name, vectors)
            return proto.CollectionOperationResponse(result=True)


class _Points(_Service, points_grpc.PointsServicer):
    def _written(self) -> Any:
        return proto.PointsOperationResponse(
            result=RestToGrpc.convert_update_result(self._front.written())
        )

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            kind = proto.FieldType.Name(request.field_type).removeprefix("FieldType").lower()
            self._engine.index(
                request.collection_name,
                request.field_name,
                kind,
                is_tenant=request.field_index_params.keyword_index_params.is_tenant,
            )
            return self._written()

    def Upsert(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            points = [GrpcToRest.convert_point_struct(one) for one in request.points]
            condition = None
            if request.HasField("update_filter"):
                condition = GrpcToRest.convert_filter(request.update_filter)
            self._front.upsert(request.collection_name, points, condition)
            return self._written()

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            ids, where = None, None
            if request.points.HasField("filter"):
                where = GrpcToRest.convert_filter(request.points.filter)
            else:
                ids = [GrpcToRest.convert_point_id(one) for one in request.points.points.ids]
            self._engine.delete(request.collection_name, ids, where)
            return self._written()

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            ids = [GrpcToRest.convert_point_id(one) for one in request.ids]
            found = self._engine.retrieve(request.collection_name, ids)
            return proto.GetResponse(result=[_retrieved(one) for one in found])

    def Scroll(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            offset = (
                GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None
            )
            found, following = self._engine.scroll(
                request.collection_name,
                GrpcToRest.convert_filter(request.filter),
                request.limit,
                offset,
            )
            following = (
                None if following is None else RestToGrpc.convert_extended_point_id(following)
            )
            return proto.ScrollResponse(
                result=[_retrieved(one) for one in found], next_page_offset=following
            )

    def Query(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            hits = self._engine.query(
                request.collection_name,
                list(request.query.nearest.dense.data),
                request.using or None,
                GrpcToRest.convert_filter(request.filter),
                request.limit,
            )
            return proto.QueryResponse(
                result=[RestToGrpc.convert_scored_point(one) for one in hits]
            )

    def Facet(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        with self._answering(context):
            hits = self._engine.facet(request.collection_name, request.key, request.limit)
            return proto.FacetResponse(
                hits=[
                    proto.FacetHit(
                        value=proto.FacetValue(string_value=str(hit.value)), count=hit.count
                    )
                    for hit in hits
                ]
            )


def _retrieved(record: models.Record) -> Any:
    """With its vector in the form of answers, for which the client has no conversion."""
    named = record.vector if isinstance(record.vector, dict) else {"": record.vector}
    vectors = {
        name: proto.VectorOutput(dense=proto.DenseVector(data=cast("list[float]", values)))
        for name, values in named.items()
        if values is not None
    }
    kept: Any = None
    if "" in vectors:
        kept = proto.VectorsOutput(vector=vectors[""])
    elif vectors:
        kept = proto.VectorsOutput(vectors=proto.NamedVectorsOutput(vectors=vectors))
    return proto.RetrievedPoint(
        id=RestToGrpc.convert_extended_point_id(record.id),
        payload=RestToGrpc.convert_payload(record.payload or {}),
        vectors=kept,
    )


@contextmanager
def grpc_server(engine: Engine, port: int = 0) -> Iterator[Front]:
    """A server of the gRPC API on this machine, on a free port unless one is named."""
    front = Front(engine)
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    root_grpc.add_QdrantServicer_to_server(  # type: ignore[no-untyped-call]
        _Root(front), server
    )
    collections_grpc.add_CollectionsServicer_to_server(  # type: ignore[no-untyped-call]
        _Collections(front), server
    )
    points_grpc.add_PointsServicer_to_server(  # type: ignore[no-untyped-call]
        _Points(front), server
    )
    front.grpc_port = server.add_insecure_port(f"127.0.0.1:{port}")
    front.url = "http://127.0.0.1:1"
    server.start()
    try:
        yield front
    finally:
        server.stop(grace=None).wait()
