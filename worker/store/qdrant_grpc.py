"""Writing points over gRPC: the client's stub, and messages that are made here.

The client would make models first, and messages of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_client import grpc as proto
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest

from worker.store.qdrant_points import places
from worker.store.stamp import OFFSET, PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_client import QdrantClient

    from worker.model import MetadataValue
    from worker.store.qdrant_config import QdrantConfig
    from worker.store.qdrant_points import Prepared


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
    elif name:
        struct.vectors.vectors.vectors[name].dense.data.extend(point.vector.tolist())
    else:
        struct.vectors.vector.dense.data.extend(point.vector.tolist())


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
