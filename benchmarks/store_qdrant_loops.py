"""Loops over Qdrant for ``benchmarks.stores``: by hand over REST and over gRPC, and the client."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import grpc
import httpx
import numpy as np
import orjson
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as proto
from qdrant_client.grpc import points_service_pb2_grpc

from benchmarks.store_loop import Loop, apart, kept
from tests.stack.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.model import Point


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is."""

    url: str
    grpc_port: int


def uuid_of(point_id: str) -> str:
    return str(uuid5(NAMESPACE_OID, point_id))


def by_place(
    points: Sequence[Point], uuids: Iterable[str]
) -> Mapping[str, Sequence[tuple[str, int]]]:
    """UUIDs and offsets."""
    found = defaultdict(list)
    for point, uuid in zip(points, uuids, strict=True):
        assert point.stamp is not None
        position = point.stamp.position
        found[f"{position.topic_id}:{position.partition}"].append((uuid, position.offset))
    return found


class ByHandRest(Loop):
    """httpx and orjson."""

    collection = "hand"

    def __init__(self, place: Place) -> None:
        headers = {"content-type": "application/json"}
        self._http = httpx.Client(base_url=place.url, headers=headers, timeout=30.0)

    def upsert(self, points: Sequence[Point]) -> object:
        return self._upsert({"points": self._structs(points)})

    def _structs(self, points: Sequence[Point]) -> list[dict[str, Any]]:
        return [
            {"id": uuid_of(point.id), "vector": point.vector, "payload": kept(point)}
            for point in points
        ]

    def _upsert(self, wanted: Mapping[str, Any]) -> object:
        body = orjson.dumps(wanted, option=orjson.OPT_SERIALIZE_NUMPY)
        path = f"/collections/{self.collection}/points?wait=true"
        return self._http.put(path, content=body).raise_for_status()

    def fetch(self, ids: Sequence[str]) -> object:
        body = {"ids": list(map(uuid_of, ids)), "with_vector": True, "with_payload": True}
        answer = self._http.post(
            f"/collections/{self.collection}/points", content=orjson.dumps(body)
        )
        found = orjson.loads(answer.raise_for_status().content)["result"]
        return {
            one["id"]: (np.array(one["vector"], np.float32), *apart(one["payload"]))
            for one in found
        }


class GuardedRest(ByHandRest):
    """The same, and nothing old over what is newer."""

    collection = "guarded"

    def upsert(self, points: Sequence[Point]) -> object:
        structs = self._structs(points)
        places = by_place(points, [one["id"] for one in structs])
        newer = [
            {
                "must": [{"key": "place", "match": {"value": place}}],
                "should": [
                    {"must": [{"has_id": [uuid]}, {"key": "offset", "range": {"gt": offset}}]}
                    for uuid, offset in those
                ],
            }
            for place, those in places.items()
        ]
        return self._upsert({"points": structs, "update_filter": {"must_not": newer}})


class ByHandGrpc(Loop):
    """The messages, filled in their places."""

    collection = "hand"

    def __init__(self, place: Place) -> None:
        options = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
        channel = grpc.insecure_channel(f"{HOST}:{place.grpc_port}", options)
        self._stub: Any = points_service_pb2_grpc.PointsStub(channel)  # type: ignore[no-untyped-call]

    def upsert(self, points: Sequence[Point]) -> object:
        return self._stub.Upsert(self._request(points))

    def _request(self, points: Sequence[Point]) -> proto.UpsertPoints:
        request = proto.UpsertPoints(collection_name=self.collection, wait=True)
        for point in points:
            struct = request.points.add()
            struct.id.uuid = uuid_of(point.id)
            struct.vectors.vector.dense.data.extend(point.vector.tolist())
            for key, value in kept(point).items():
                self._put(struct.payload[key], value)
        return request

    def fetch(self, ids: Sequence[str]) -> object:
        request = proto.GetPoints(
            collection_name=self.collection,
            ids=[proto.PointId(uuid=uuid_of(one)) for one in ids],
            with_payload=proto.WithPayloadSelector(enable=True),
            with_vectors=proto.WithVectorsSelector(enable=True),
        )
        return {
            one.id.uuid: (
                np.array(one.vectors.vector.dense.data, np.float32),
                *apart({key: self._value(value) for key, value in one.payload.items()}),
            )
            for one in self._stub.Get(request).result
        }

    def _put(self, held: proto.Value, value: object) -> None:
        if isinstance(value, str):
            held.string_value = value
        elif isinstance(value, int):
            held.integer_value = value
        elif isinstance(value, float):
            held.double_value = value
        elif isinstance(value, list):
            held.list_value.values.extend([proto.Value(string_value=one) for one in value])

    def _value(self, held: proto.Value) -> object:
        kind = str(held.WhichOneof("kind"))
        if kind == "list_value":
            return [one.string_value for one in held.list_value.values]
        return getattr(held, kind)


class GuardedGrpc(ByHandGrpc):
    """The same, and nothing old over what is newer."""

    collection = "guarded"

    def upsert(self, points: Sequence[Point]) -> object:
        request = self._request(points)
        uuids = [struct.id.uuid for struct in request.points]
        for place, those in by_place(points, uuids).items():
            newer = request.update_filter.must_not.add().filter
            here = newer.must.add().field
            here.key, here.match.keyword = "place", place
            for uuid, offset in those:
                both = newer.should.add().filter.must
                both.add().has_id.has_id.add().uuid = uuid
                later = both.add().field
                later.key, later.range.gt = "offset", offset
        return self._stub.Upsert(request)


class Client(Loop):
    """The vendor's client."""

    def __init__(self, place: Place, *, prefer_grpc: bool) -> None:
        self._client = QdrantClient(
            url=place.url,
            prefer_grpc=prefer_grpc,
            grpc_port=place.grpc_port,
            check_compatibility=False,
        )

    def upsert(self, points: Sequence[Point]) -> object:
        structs = [
            models.PointStruct(
                id=uuid_of(point.id), vector=point.vector.tolist(), payload=kept(point)
            )
            for point in points
        ]
        return self._client.upsert("client", structs, wait=True)

    def fetch(self, ids: Sequence[str]) -> object:
        uuids = list(map(uuid_of, ids))
        found = self._client.retrieve("client", uuids, with_payload=True, with_vectors=True)
        return {one.id: (np.array(one.vector, np.float32), *apart(one.payload)) for one in found}
