"""Qdrant for ``benchmarks.stores``: its engine in a process of its own, behind the tests' server.

That server is Python, so points/s are those of its JSON and its messages rather than of Qdrant's;
with ``QDRANT_URL`` a real server is measured.

    python -m benchmarks.store_qdrant

is the engine alone, with and without the condition of an upsert.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import grpc
import httpx
import numpy as np
import orjson
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as proto
from qdrant_client.grpc import points_service_pb2_grpc

from benchmarks.store_loop import DIMENSIONS, NAMESPACE, Loop, batches, kept, points
from tests.contract.qdrant_engine import EdgeEngine, upsert_of
from tests.stack.ports import HOST
from tests.stack.qdrant import Qdrant
from worker.store import qdrant_rest
from worker.store.qdrant import QdrantStore
from worker.store.qdrant_config import QdrantConfig
from worker.store.qdrant_points import prepared
from worker.store.stamp import OFFSET, PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.model import Point
    from worker.store.port import Store

COLLECTIONS = ("ours", "hand", "client")
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is."""

    url: str
    grpc_port: int


def uuid_of(point_id: str) -> str:
    return str(uuid5(NAMESPACE_OID, point_id))


class ByHandRest(Loop):
    """httpx and orjson."""

    def __init__(self, place: Place) -> None:
        headers = {"content-type": "application/json"}
        self._http = httpx.Client(base_url=place.url, headers=headers, timeout=30.0)

    def upsert(self, points: Sequence[Point]) -> object:
        structs = [
            {"id": uuid_of(point.id), "vector": point.vector, "payload": kept(point)}
            for point in points
        ]
        body = orjson.dumps({"points": structs}, option=orjson.OPT_SERIALIZE_NUMPY)
        path = "/collections/hand/points?wait=true"
        return self._http.put(path, content=body).raise_for_status()

    def fetch(self, ids: Sequence[str]) -> object:
        body = {"ids": list(map(uuid_of, ids)), "with_vector": True, "with_payload": True}
        answer = self._http.post("/collections/hand/points", content=orjson.dumps(body))
        found = orjson.loads(answer.raise_for_status().content)["result"]
        return {one["id"]: (np.array(one["vector"], np.float32), one["payload"]) for one in found}


class ByHandGrpc(Loop):
    """The messages, filled in their places."""

    def __init__(self, place: Place) -> None:
        options = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
        channel = grpc.insecure_channel(f"{HOST}:{place.grpc_port}", options)
        self._stub: Any = points_service_pb2_grpc.PointsStub(channel)  # type: ignore[no-untyped-call]

    def upsert(self, points: Sequence[Point]) -> object:
        request = proto.UpsertPoints(collection_name="hand", wait=True)
        for point in points:
            struct = request.points.add()
            struct.id.uuid = uuid_of(point.id)
            struct.vectors.vector.dense.data.extend(point.vector.tolist())
            for key, value in kept(point).items():
                self._put(struct.payload[key], value)
        return self._stub.Upsert(request)

    def fetch(self, ids: Sequence[str]) -> object:
        request = proto.GetPoints(
            collection_name="hand",
            ids=[proto.PointId(uuid=uuid_of(one)) for one in ids],
            with_payload=proto.WithPayloadSelector(enable=True),
            with_vectors=proto.WithVectorsSelector(enable=True),
        )
        return {
            one.id.uuid: (
                np.array(one.vectors.vector.dense.data, np.float32),
                {key: self._value(value) for key, value in one.payload.items()},
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

    def _value(self, held: proto.Value) -> object:
        return getattr(held, str(held.WhichOneof("kind")))


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
        return {one.id: (np.array(one.vector, np.float32), one.payload) for one in found}


@contextmanager
def over_rest() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """One collection for each side."""
    with _served() as place:
        store = _store(place, "rest")
        client = Client(place, prefer_grpc=False)
        yield store, {"httpx, orjson": ByHandRest(place), "Qdrant's client": client}
        store.close()


@contextmanager
def over_grpc() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """The same over gRPC."""
    with _served() as place:
        store = _store(place, "grpc")
        client = Client(place, prefer_grpc=True)
        yield store, {"its messages": ByHandGrpc(place), "Qdrant's client": client}
        store.close()


@contextmanager
def _served() -> Iterator[Place]:
    if "QDRANT_URL" in os.environ:
        yield Place(os.environ["QDRANT_URL"], int(os.environ.get("QDRANT_GRPC_PORT", "6334")))
        return
    with TemporaryDirectory() as folder:
        server = Qdrant(Path(folder))
        server.start()
        try:
            yield Place(server.url, server.grpc_port)
        finally:
            server.kill()


def _store(place: Place, transport: str) -> QdrantStore:
    client = QdrantClient(url=place.url, check_compatibility=False)
    params = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
    for name in COLLECTIONS[1:]:
        client.create_collection(name, params)
    keys = {
        "store.index": COLLECTIONS[0],
        "store.create": True,
        "store.url": place.url,
        "store.transport": transport,
        "store.grpc.port": place.grpc_port,
    }
    store = QdrantStore(QdrantConfig.model_validate(keys))
    store.create(DIMENSIONS)
    store.check(DIMENSIONS)
    return store


def main() -> None:
    """Print what the condition of an upsert costs the engine itself."""
    with TemporaryDirectory() as folder:
        engine = EdgeEngine(Path(folder))
        engine.create("ours", models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE))
        engine.index("ours", PLACE, "keyword")
        engine.index("ours", OFFSET, "integer")
        for number in range(ROUNDS):
            for is_guarded in (False, True):
                cpu_us = [
                    _engine_us(engine, batch, is_guarded) for batch in batches(points(number))
                ]
                how = "with" if is_guarded else "without"
                print(f"an upsert {how} its condition: {min(cpu_us):.1f} µs of CPU a point")


def _engine_us(engine: EdgeEngine, batch: Sequence[Point], is_guarded: bool) -> float:  # noqa: FBT001
    body = qdrant_rest.body([prepared(NAMESPACE, point) for point in batch], "")
    wanted = models.PointsList.model_validate_json(body)
    operation = upsert_of(wanted.points, wanted.update_filter if is_guarded else None)
    began_s = time.process_time()
    engine.update("ours", operation)
    return (time.process_time() - began_s) / len(batch) * 1e6


if __name__ == "__main__":
    main()
