"""Points over REST: the client's connection, and bodies that are made and read here.

The client would make a model of each point and of each part of the condition, and write the numbers
of a vector with twice their digits; see docs/stores.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
from pydantic import BaseModel
from qdrant_client import models

from worker.store.qdrant_points import NAMESPACE, places, point_of
from worker.store.stamp import OFFSET, PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_client import QdrantClient

    from worker.model import Point, Vector
    from worker.store.qdrant_config import QdrantConfig
    from worker.store.qdrant_points import Prepared

_JSON: Final = {"Content-Type": "application/json"}


class Held(BaseModel):
    """What is read of a stored point."""

    payload: dict[str, Any] = {}
    vector: Any = None


class Fetched(BaseModel):
    """The answer to a fetch."""

    result: list[Held]


def fetch(client: QdrantClient, config: QdrantConfig, uuids: Sequence[str]) -> Sequence[Point]:
    """Points by UUID, without what deletions have left behind."""
    wanted = {"ids": uuids, "with_payload": True, "with_vector": True}
    answer = client.http.client.request(
        type_=Fetched,
        method="POST",
        url="/collections/{collection_name}/points",
        path_params={"collection_name": config.index},
        headers=_JSON,
        content=orjson.dumps(wanted),
    )
    return [
        point_of(held.payload, vector_of(held.vector, config.vector))
        for held in answer.result
        if NAMESPACE in held.payload
    ]


def upsert(
    client: QdrantClient, config: QdrantConfig, points: Sequence[Prepared]
) -> models.UpdateStatus:
    """Write points that are not behind what is stored; how far the server came with it."""
    answer = client.http.client.request(
        type_=models.InlineResponse2008,
        method="PUT",
        url="/collections/{collection_name}/points",
        path_params={"collection_name": config.index},
        params={"wait": "true"},
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


def vector_of(held: Any, name: str) -> Vector:  # noqa: ANN401 - a list of numbers, or several by name
    """The vector of an answer; ``name`` is its name."""
    numbers = held[name] if name else held
    return np.fromiter(numbers, np.float32, len(numbers))


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
