"""Points as Qdrant keeps them, and the condition under which a write may replace what is there.

A point's id is a UUID, its payload holds the user's metadata beside our stamp, the namespace and
the id. A deletion leaves a point behind that has no vector and no namespace, so no search, scroll
or count of a namespace finds it; its Position refuses what is older.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
from qdrant_client import models

from worker.errors import RecordError, Stage
from worker.immutable import immutable
from worker.model import Point
from worker.store.point_uuid import is_text, point_uuid
from worker.store.stamp import OFFSET, PLACE, place_of, position_of, stamp_of, stamped, users

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from worker.model import MetadataValue, Position, Vector
    from worker.store.port import Deletion

NAMESPACE: Final = "_ns"
ID: Final = "_id"
GONE: Final = "_gone"
"""When a point was deleted, in milliseconds since 1970."""

UPSERT_POINTS: Final = 250
"""The condition has one part for each, and each point is held against all of them."""
UPSERT_BYTES: Final = 16 * 1024 * 1024
"""Of the 32 MiB that a server takes by default (``service.max_request_size_mb``)."""
FETCH_IDS: Final = 1000

_ENVELOPE: Final = 400
"""Bytes of field names, UUIDs and conditions around one point."""
_NUMBER_BYTES: Final = 13
"""Of a number of a vector as JSON, in numpy's shortest form."""
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**63 - 1


@immutable(eq=False)
class Prepared:
    """A point, validated, and its size in a request."""

    id: str
    uuid: str
    vector: Vector | None
    """None for what a deletion leaves behind."""
    payload: Mapping[str, MetadataValue]
    written: bytes
    """The payload as JSON."""
    position: Position | None

    @property
    def size(self) -> int:
        """About the bytes that it takes in a request."""
        numbers = 0 if self.vector is None else self.vector.size
        return _NUMBER_BYTES * numbers + len(self.written) + _ENVELOPE


def prepared(namespace: str, point: Point, infinite: Container[str]) -> Prepared:
    """Validate a point; ``infinite`` are ids of points with NaN or infinity in their vectors.

    Raises:
        RecordError: it is nothing that Qdrant could keep.
    """
    if not is_text(point.id):
        raise _refused("PointId", "an id has at least one character, and UTF-8 can write it")
    if point.id in infinite:
        raise _refused("VectorNotFinite", "the vector holds NaN or infinity")
    stamp = point.stamp
    payload: dict[str, Any] = (
        dict(point.metadata) if stamp is None else stamped(point.metadata, stamp)
    )
    payload[NAMESPACE] = namespace
    payload[ID] = point.id
    return Prepared(
        point.id,
        point_uuid(namespace, point.id),
        np.ascontiguousarray(point.vector, np.float32),
        payload,
        _written(payload, point.metadata),
        None if stamp is None else stamp.position,
    )


def tombstone(namespace: str, deletion: Deletion, now_ms: int) -> Prepared:
    """What a deletion leaves behind."""
    payload: dict[str, MetadataValue] = {
        ID: deletion.id,
        PLACE: place_of(deletion.position),
        OFFSET: deletion.position.offset,
        GONE: now_ms,
    }
    uuid = point_uuid(namespace, deletion.id)
    return Prepared(deletion.id, uuid, None, payload, orjson.dumps(payload), deletion.position)


def requests(points: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Cut into requests of at most ``UPSERT_POINTS`` points and ``UPSERT_BYTES`` bytes."""
    request: list[Prepared] = []
    size = 0
    for point in points:
        more = point.size
        if request and (len(request) == UPSERT_POINTS or size + more > UPSERT_BYTES):
            yield request
            request, size = [], 0
        request.append(point)
        size += more
    if request:
        yield request


def places(points: Iterable[Prepared]) -> Mapping[str, Sequence[tuple[str, int]]]:
    """UUIDs and offsets by place, of the points whose Position may compare with a stored one.

    A stored point is ahead of its successor, and stays, if it has the same place and a higher
    offset. Qdrant takes one condition for a request and holds it against every point that exists,
    so the condition names each point; those of one partition are together.
    """
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for point in points:
        if point.position is not None and point.position.topic_id:
            found[place_of(point.position)].append((point.uuid, point.position.offset))
    return found


def in_namespace(namespace: str, *others: models.Condition) -> models.Filter:
    """The points of a namespace that satisfy other conditions too."""
    tenant = models.FieldCondition(key=NAMESPACE, match=models.MatchValue(value=namespace))
    return models.Filter(must=[tenant, *others])


def forgotten(before_ms: int) -> models.Filter:
    """What deletions before a moment left behind."""
    gone = models.FieldCondition(key=GONE, range=models.Range(lt=before_ms))
    return models.Filter(must=[gone])


def point_of(payload: Mapping[str, Any], vector: Vector) -> Point:
    """A stored point, as the pipeline knows it."""
    return Point(str(payload[ID]), vector, users(payload), stamp_of(payload))


def points_of(records: Iterable[models.Record], name: str) -> Iterator[Point]:
    """Points in the client's form, without what deletions have left behind and what has no vector.

    ``name`` is that of the vector.
    """
    for record in records:
        payload: Mapping[str, Any] = record.payload or {}
        held: Any = record.vector
        numbers = held.get(name) if isinstance(held, dict) else held
        if NAMESPACE in payload and numbers:
            yield point_of(payload, np.fromiter(numbers, np.float32, len(numbers)))


def graves_of(records: Iterable[models.Record]) -> Iterator[tuple[str, Position]]:
    """Ids of what was deleted, and when."""
    for record in records:
        payload: Mapping[str, Any] = record.payload or {}
        if GONE in payload:
            yield str(payload[ID]), position_of(payload)


def _written(payload: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
    try:
        written = orjson.dumps(payload)
    except TypeError as error:
        raise _refused("Metadata", "the metadata cannot be written as JSON") from error
    for value in metadata.values():  # our own always fit
        if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
            raise _refused("Metadata", "a number of the metadata does not fit into 64 bits")
    return written


def _refused(kind: str, message: str) -> RecordError:
    return RecordError(f"Qdrant would refuse the point: {message}", stage=Stage.STORE, kind=kind)
