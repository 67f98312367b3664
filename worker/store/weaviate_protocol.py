"""Weaviate's gRPC API by the stub of the vendor's client: one call is one request.

Reads and writes ask for a quorum of replicas, so that a read sees what was written.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import grpc
import numpy as np
from weaviate.proto.v1 import (
    base_pb2,
    base_search_pb2,
    batch_delete_pb2,
    batch_pb2,
    search_get_pb2,
    tenants_pb2,
    weaviate_pb2_grpc,
)

from worker.store.grpc_channels import OPTIONS, is_silence
from worker.store.weaviate_filters import by_uuid
from worker.store.weaviate_schema import STORED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.model import Vector
    from worker.store.weaviate_config import WeaviateConfig

_QUORUM: Final = base_pb2.CONSISTENCY_LEVEL_QUORUM
_VERSIONS: Final = 4
_ROOM: Final = 100
"""A filter by UUID may find what an object was before as well, until the server tidies up its
segments (seen with 1.35.2), so an answer has room for so many versions of each, and some more."""


class _Connection:
    """Closes with the last call that uses it."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - grpc has no types
        self._channel = channel
        self.stub = weaviate_pb2_grpc.WeaviateStub(channel)  # type: ignore[no-untyped-call]

    def __del__(self) -> None:
        self._channel.close()


class Protocol:
    """The gRPC API. Thread-safe; connects at the first call."""

    def __init__(self, config: WeaviateConfig) -> None:
        self._config = config
        self._name = config.index
        self._connection: _Connection | None = None
        self._lock = threading.Lock()

    def tenants(self) -> Sequence[str]:
        """Names of the tenants."""
        answer = self._call("TenantsGet", tenants_pb2.TenantsGetRequest(collection=self._name))
        return [str(one.name) for one in answer.tenants]

    def upsert(self, request: batch_pb2.BatchObjectsRequest) -> Mapping[int, str]:
        """Write objects as a whole; what the server says of those that it refuses, by place."""
        request.consistency_level = _QUORUM
        answer = self._call("BatchObjects", request)
        return {error.index: error.error for error in answer.errors}

    def delete(self, tenant: str, uuids: Sequence[str]) -> int:
        """Delete objects; how many were there and are still."""
        request = batch_delete_pb2.BatchDeleteRequest(
            collection=self._name,
            tenant=tenant,
            filters=by_uuid(uuids),
            consistency_level=_QUORUM,
        )
        return int(self._call("BatchDelete", request).failed)

    def fetch(self, tenant: str, uuids: Sequence[str]) -> Sequence[search_get_pb2.SearchResult]:
        """Objects by UUID, of some of which there are older versions among them."""
        most = _VERSIONS * len(uuids) + _ROOM
        hits = self._search(tenant, most, filters=by_uuid(uuids))
        if len(hits) == most and len(uuids) > 1:  # the newest may not have had their place
            middle = len(uuids) // 2
            return [*self.fetch(tenant, uuids[:middle]), *self.fetch(tenant, uuids[middle:])]
        return hits

    def page(self, tenant: str, after: str, most: int) -> Sequence[search_get_pb2.SearchResult]:
        """The next objects in the order of their UUIDs; after an empty text the first."""
        return self._search(tenant, most, after=after)

    def nearest(
        self, tenant: str, vector: Vector, most: int, where: base_pb2.Filters | None
    ) -> Sequence[search_get_pb2.SearchResult]:
        """The nearest objects, best first."""
        near = base_search_pb2.NearVector(
            vectors=[
                base_pb2.Vectors(
                    vector_bytes=np.ascontiguousarray(vector, "<f4").tobytes(),
                    type=base_pb2.Vectors.VECTOR_TYPE_SINGLE_FP32,
                )
            ]
        )
        return self._search(tenant, most, near_vector=near, filters=where)

    def close(self) -> None:
        """Drop the connection."""
        with self._lock:
            self._connection = None

    def _search(
        self,
        tenant: str,
        most: int,
        **more: Any,  # noqa: ANN401 - fields of the message
    ) -> Sequence[search_get_pb2.SearchResult]:
        request = search_get_pb2.SearchRequest(
            collection=self._name,
            tenant=tenant,
            consistency_level=_QUORUM,
            limit=most,
            properties=search_get_pb2.PropertiesRequest(non_ref_properties=[STORED]),
            metadata=search_get_pb2.MetadataRequest(
                uuid=True, vector=True, distance=True, last_update_time_unix=True
            ),
            uses_127_api=True,
            **more,
        )
        found: Sequence[search_get_pb2.SearchResult] = self._call("Search", request).results
        return found

    def _call(self, method: str, request: Any) -> Any:  # noqa: ANN401 - messages of the stub
        metadata = tuple(self._config.login.items())
        connection = self._connected()
        call = getattr(connection.stub, method)
        try:
            return call(request, metadata=metadata, timeout=self._config.timeout_s)
        except grpc.RpcError as error:
            if is_silence(error):
                self._leave(connection)
            raise

    def _connected(self) -> _Connection:
        with self._lock:
            if self._connection is None:
                self._connection = _Connection(self._channel())
            return self._connection

    def _leave(self, connection: _Connection) -> None:
        """Have the next call connect anew; others may still get their answers on this one."""
        with self._lock:
            if self._connection is connection:
                self._connection = None

    def _channel(self) -> Any:  # noqa: ANN401 - grpc has no types
        target, options = self._config.grpc_target, list(OPTIONS.items())
        if self._config.is_secure:
            return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
        return grpc.insecure_channel(target, options)
