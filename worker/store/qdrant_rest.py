"""Points over REST: the client's connection, and a body that is made here.

The client would make a model of each point and of each part of the condition, and write the numbers
of a vector with twice their digits; see docs/stores.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from qdrant_client import models

from worker.store.qdrant_points import places, points_of
from worker.store.stamp import OFFSET, PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_client import QdrantClient

    from worker.model import Point
    from worker.store.qdrant_config import QdrantConfig
    from worker.store.qdrant_points import Prepared

_JSON: Final = {"Content-Type": "application/json"}


def fetch(client: QdrantClient, config: QdrantConfig, uuids: Sequence[str]) -> Sequence[Point]:
    """Points by UUID, without what deletions have left behind and what has no vector."""
    records = client.retrieve(config.index, uuids, with_payload=True, with_vectors=True)
    return list(points_of(records, config.vector))


def upsert(
    client: QdrantClient, config: QdrantConfig, points: Sequence[Prepared]
) -> models.UpdateStatus:
    """Write points that are not behind what is stored; how far the server came with it."""
    answer = client.http.client.request(
        type_=models.InlineResponse2008,
        method="PUT",
        url="/collections/{collection_name}/points?wait=true",
        path_params={"collection_name": config.index},
        headers=_JSON,
        content=body(points, config.vector),
    )
    return models.UpdateStatus.ACKNOWLEDGED if answer.result is None else answer.result.status


def body(points: Sequence[Prepared], name: str) -> bytes:
    """The request; ``name`` is that of the vector."""
    wanted: dict[str, Any] = {"points": [_struct(point, name) for point in points]}
    ahead = [_ahead(place, those) for place, those in places(points).items()]
    if ahead:
        wanted["update_filter"] = {"must_not": ahead}
    return orjson.dumps(wanted, option=orjson.OPT_SERIALIZE_NUMPY)


def _struct(point: Prepared, name: str) -> dict[str, Any]:
    vector: Any = point.vector
    if vector is None:
        vector = {}
    elif name:
        vector = {name: vector}
    return {"id": point.uuid, "vector": vector, "payload": orjson.Fragment(point.written)}


def _ahead(place: str, those: Sequence[tuple[str, int]]) -> dict[str, Any]:
    return {
        "must": [{"key": PLACE, "match": {"value": place}}],
        "should": [
            {"must": [{"has_id": [uuid]}, {"key": OFFSET, "range": {"gt": offset}}]}
            for uuid, offset in those
        ],
    }
