"""Weaviate for ``benchmarks.stores``: a real server of one node.

``make test-weaviate`` builds it. Loops keep what is beside a vector as the store does, in one text,
or as properties without indexes, in collections like the store's: a vector with a name, as the
server answers one without a name twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import grpc
import numpy as np
import orjson
from weaviate.classes.config import Configure, DataType, Property
from weaviate.classes.data import DataObject
from weaviate.proto.v1 import base_pb2, batch_pb2, search_get_pb2, weaviate_pb2_grpc

from benchmarks.store_loop import DIMENSIONS, Loop, apart, kept
from tests.stack.ports import HOST
from tests.stack.weaviate import Weaviate, connected
from worker.store.weaviate import WeaviateStore
from worker.store.weaviate_config import WeaviateConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import weaviate

    from worker.model import Point
    from worker.store.port import Store

KEY = "benchmark"
TENANT = "shop"
TEXTS = ("name", "category", "source_table", "fingerprint", "model", "place", "kept")
NUMBERS = ("price", "updated_at", "offset", "source")


def uuid_of(point_id: str) -> str:
    return str(uuid5(NAMESPACE_OID, point_id))


class ByHand(Loop):
    """The messages of its gRPC API."""

    def __init__(self, server: Weaviate) -> None:
        options = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
        channel = grpc.insecure_channel(f"{HOST}:{server.grpc_port}", options)
        self._stub: Any = weaviate_pb2_grpc.WeaviateStub(channel)  # type: ignore[no-untyped-call]
        self._login = (("authorization", f"Bearer {KEY}"),)

    def upsert(self, points: Sequence[Point]) -> object:
        request = batch_pb2.BatchObjectsRequest()
        for point in points:
            one = request.objects.add(
                uuid=uuid_of(point.id),
                collection="Hand",
                tenant=TENANT,
                vector_bytes=point.vector.tobytes(),
            )
            text = orjson.dumps(kept(point)).decode()
            one.properties.non_ref_properties.fields["kept"].string_value = text
        return self._stub.BatchObjects(request, metadata=self._login)

    def fetch(self, ids: Sequence[str]) -> object:
        """Of an object there may be older versions, so there is room for them."""
        request = search_get_pb2.SearchRequest(
            collection="Hand",
            tenant=TENANT,
            limit=4 * len(ids),
            filters=base_pb2.Filters(
                operator=base_pb2.Filters.OPERATOR_CONTAINS_ANY,
                target=base_pb2.FilterTarget(property="_id"),
                value_text_array=base_pb2.TextArray(values=list(map(uuid_of, ids))),
            ),
            properties=search_get_pb2.PropertiesRequest(non_ref_properties=["kept"]),
            metadata=search_get_pb2.MetadataRequest(
                uuid=True, vector=True, last_update_time_unix=True
            ),
            uses_127_api=True,
        )
        found = self._stub.Search(request, metadata=self._login).results
        if len({one.metadata.id for one in found}) < len(found):
            found = sorted(found, key=lambda one: one.metadata.last_update_time_unix)
        return {
            one.metadata.id: (
                np.frombuffer(_vector(one.metadata), "<f4").astype(np.float32),
                *apart(orjson.loads(one.properties.non_ref_props.fields["kept"].text_value)),
            )
            for one in found
        }


def _vector(metadata: search_get_pb2.MetadataResult) -> bytes:
    held: bytes = metadata.vector_bytes or metadata.vectors[0].vector_bytes
    return held


class Client(Loop):
    """The vendor's client."""

    def __init__(self, client: weaviate.WeaviateClient) -> None:
        self._collection = client.collections.get("Client").with_tenant(TENANT)

    def upsert(self, points: Sequence[Point]) -> object:
        objects: list[Any] = [
            DataObject(properties=kept(point), uuid=uuid_of(point.id), vector=point.vector.tolist())
            for point in points
        ]
        answer = self._collection.data.insert_many(objects)
        assert not answer.has_errors
        return answer

    def fetch(self, ids: Sequence[str]) -> object:
        answer = self._collection.query.fetch_objects_by_ids(
            list(map(uuid_of, ids)), limit=len(ids), include_vector=True
        )
        return {
            one.uuid: (np.array(one.vector["default"], np.float32), *apart(one.properties))
            for one in answer.objects
        }


@contextmanager
def opened() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """One collection for each side."""
    with TemporaryDirectory() as folder:
        server = Weaviate(Path(folder), KEY)
        server.start()
        try:
            with connected(server) as client:
                for name in ("Hand", "Client"):
                    _create(client, name)
                store = _store(server)
                yield store, {"its messages": ByHand(server), "Weaviate's client": Client(client)}
                store.close()
        finally:
            server.stop()


def _create(client: weaviate.WeaviateClient, name: str) -> None:
    texts = [
        Property(name=one, data_type=DataType.TEXT, index_filterable=False, index_searchable=False)
        for one in TEXTS
    ]
    numbers = [
        Property(name=one, data_type=DataType.NUMBER, index_filterable=False) for one in NUMBERS
    ]
    columns = Property(
        name="columns",
        data_type=DataType.TEXT_ARRAY,
        index_filterable=False,
        index_searchable=False,
    )
    client.collections.create(
        name,
        vector_config=Configure.Vectors.self_provided(),
        multi_tenancy_config=Configure.multi_tenancy(enabled=True),
        properties=[*texts, *numbers, columns],
    )
    client.collections.get(name).tenants.create(TENANT)


def _store(server: Weaviate) -> WeaviateStore:
    keys = {
        "store.index": "Ours",
        "store.create": True,
        "store.url": server.url,
        "store.grpc.address": f"{HOST}:{server.grpc_port}",
        "store.api.key": KEY,
    }
    store = WeaviateStore(WeaviateConfig.model_validate(keys))
    store.create(DIMENSIONS)
    store.check(DIMENSIONS)
    return store
