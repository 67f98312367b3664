"""Points over gRPC: the client's stub, and messages that are made and read here.

The client would make models first, and messages of them. Vectors come and go as protobuf writes
packed numbers, which is how numpy holds them: Python never sees the single numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from qdrant_client import grpc as proto
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, grpc_to_payload

from worker.store.qdrant_points import NAMESPACE, places, point_of
from worker.store.stamp import OFFSET, PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_client import QdrantClient

    from worker.model import MetadataValue, Point, Vector
    from worker.store.qdrant_config import QdrantConfig
    from worker.store.qdrant_points import Prepared

_NUMBERS: Final = np.dtype("<f4")


def fetch(client: QdrantClient, config: QdrantConfig, uuids: Sequence[str]) -> Sequence[Point]:
    """Points by UUID, without what deletions have left behind and what has no vector."""
    wanted = proto.GetPoints(
        collection_name=config.index,
        ids=[proto.PointId(uuid=uuid) for uuid in uuids],
        with_payload=proto.WithPayloadSelector(enable=True),
        with_vectors=proto.WithVectorsSelector(enable=True),
    )
    answer = client.grpc_points.Get(wanted, timeout=config.timeout_s)
    return [
        point_of(grpc_to_payload(one.payload), vector)
        for one in answer.result
        if NAMESPACE in one.payload and (vector := vector_of(one.vectors, config.vector)).size
    ]


def upsert(
    client: QdrantClient, config: QdrantConfig, points: Sequence[Prepared]
) -> models.UpdateStatus:
    """Write points that are not behind what is stored; how far the server came with it."""
    answer = client.grpc_points.Upsert(
        request(config.index, points, config.vector), timeout=config.timeout_s
    )
    return GrpcToRest.convert_update_result(answer.result).status


def request(collection: str, points: Sequence[Prepared], name: str) -> proto.UpsertPoints:
    """The request, whose parts are made in their places, as copies of them take as long again."""
    wanted = proto.UpsertPoints(collection_name=collection, wait=True)
    for point in points:
        _fill(wanted.points.add(), point, name)
    for place, those in places(points).items():
        _ahead(wanted.update_filter.must_not.add().filter, place, those)
    return wanted


def _fill(struct: proto.PointStruct, point: Prepared, name: str) -> None:
    struct.id.uuid = point.uuid
    for key, value in point.payload.items():
        _put(struct.payload[key], value)
    if point.vector is None:
        struct.vectors.vectors.SetInParent()
    else:
        held = struct.vectors.vectors.vectors[name] if name else struct.vectors.vector
        numbers = np.asarray(point.vector, _NUMBERS)
        held.dense.MergeFromString(_head(numbers.size) + numbers.tobytes())


def vector_of(held: proto.VectorsOutput, name: str) -> Vector:
    """The vector of an answer, by its name; empty where somebody has taken it away."""
    output: Any = held.vectors.vectors[name] if name else held.vector
    # older servers have the numbers in the output itself, where its first field is the same
    numbers = output.dense if output.HasField("dense") else output
    count = len(numbers.data)
    numbers.DiscardUnknownFields()  # of newer servers, which might stand before
    found = np.frombuffer(numbers.SerializeToString(), _NUMBERS, count, len(_head(count)))
    return found.astype(np.float32, copy=False)


@lru_cache
def _head(count: int) -> bytes:
    """What protobuf writes before so many numbers: the field, and how many bytes they are."""
    written: bytes = proto.DenseVector(data=[0.0] * count).SerializeToString()
    return written[: len(written) - count * _NUMBERS.itemsize]


def _put(kept: proto.Value, value: MetadataValue) -> None:
    if isinstance(value, str):
        kept.string_value = value
    elif isinstance(value, bool):
        kept.bool_value = value
    elif isinstance(value, int):
        kept.integer_value = value
    elif isinstance(value, float):
        kept.double_value = value
    else:
        kept.list_value.SetInParent()
        for one in value:
            kept.list_value.values.add().string_value = one


def _ahead(condition: proto.Filter, place: str, those: Sequence[tuple[str, int]]) -> None:
    here = condition.must.add().field
    here.key = PLACE
    here.match.keyword = place
    for uuid, offset in those:
        one = condition.should.add().filter
        one.must.add().has_id.has_id.add().uuid = uuid
        later = one.must.add().field
        later.key = OFFSET
        later.range.gt = offset
