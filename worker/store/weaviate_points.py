"""Points as Weaviate keeps them: a UUID, the vector as it is in memory, and properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
from weaviate.proto.v1 import batch_pb2

from worker.errors import RecordError, Stage
from worker.immutable import immutable
from worker.model import Point
from worker.store.point_uuid import is_text, point_uuid
from worker.store.stamp import stamp_of, stamped, users
from worker.store.weaviate_schema import STORED

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from weaviate.proto.v1 import search_get_pb2

    from worker.model import MetadataValue, Vector
    from worker.store.weaviate_config import PropertyType

ID: Final = "_id"
UPSERT_POINTS: Final = 500
UPSERT_BYTES: Final = 10 * 1024 * 1024
"""Of the 100 MiB that a server takes by default (``GRPC_MAX_MESSAGE_SIZE``)."""
FETCH_IDS: Final = 1_000
"""Some versions of each have to fit into the 10,000 objects that a query may answer
(``QUERY_MAXIMUM_RESULTS``)."""
_BYTES_PER_CHARACTER: Final = 4
"""Of UTF-8 at most."""
_NUMBERS: Final = np.dtype("<f4")
_ENVELOPE: Final = 200
"""Bytes of names, UUID, collection and tenant around one point."""

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "text": str,
    "number": (int, float),
    "boolean": bool,
    "text[]": list,
}


@immutable(eq=False)
class Prepared:
    """A point, validated, in the parts that a request has of it."""

    id: str
    uuid: str
    vector: Vector
    """As it is: its bytes are the request's alone."""
    stored: str
    """What we keep beside the vector, as JSON."""
    properties: Mapping[str, Any]
    """Values of the types that the collection has for them."""

    @property
    def size(self) -> int:
        """About the bytes that it takes in a request, once more for what is a property as well."""
        copies = 2 if self.properties else 1
        return self.vector.nbytes + _BYTES_PER_CHARACTER * copies * len(self.stored) + _ENVELOPE


@immutable
class Place:
    """Where points go."""

    collection: str
    tenant: str
    namespace: str


def prepared(
    place: Place,
    point: Point,
    typed: Mapping[str, PropertyType],
    infinite: Container[str],
) -> Prepared:
    """Validate a point.

    Args:
        place: where it goes.
        point: one of a batch.
        typed: the metadata keys that are properties of their own.
        infinite: ids of points with NaN or infinity in their vectors.

    Raises:
        RecordError: it is nothing that Weaviate could keep.
    """
    if not is_text(point.id):
        raise _refused("PointId", "an id has at least one character, and UTF-8 can write it")
    if point.id in infinite:
        raise _refused("VectorNotFinite", "the vector holds NaN or infinity")
    values = {name: point.metadata.get(name) for name in typed}
    return Prepared(
        point.id,
        point_uuid(place.namespace, point.id),
        np.asarray(point.vector, _NUMBERS),
        _written(point),
        {name: value for name, value in values.items() if _is(value, typed[name])},
    )


def request_of(place: Place, points: Sequence[Prepared]) -> batch_pb2.BatchObjectsRequest:
    """The request, whose parts are made in their places, as copies of them take as long again."""
    request = batch_pb2.BatchObjectsRequest()
    for point in points:
        made = request.objects.add(
            uuid=point.uuid,
            collection=place.collection,
            tenant=place.tenant,
            vector_bytes=point.vector.tobytes(),
        )
        made.properties.non_ref_properties.fields[STORED].string_value = point.stored
        for name, value in point.properties.items():
            _put(made.properties, name, value)
    return request


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


def newest_of(hits: Sequence[search_get_pb2.SearchResult]) -> Mapping[str, Point]:
    """Stored points by id; of several versions of an object the last one counts.

    Most answers have one of each, so the UUIDs are looked at only where points are missing.
    """
    found = {point.id: point for point in points_of(hits)}
    if len(found) == len(hits):
        return found
    # by the order of their writing, also within a millisecond
    in_order = sorted(hits, key=lambda hit: hit.metadata.last_update_time_unix)
    newest = {hit.metadata.id: hit for hit in in_order}
    return {point.id: point for point in points_of(newest.values())}


def points_of(hits: Iterable[search_get_pb2.SearchResult]) -> Iterator[Point]:
    """Stored points, as the pipeline knows them, without the objects of others."""
    for hit in hits:
        stored = stored_of(hit)
        if stored:
            yield Point(str(stored[ID]), vector_of(hit), users(stored), stamp_of(stored))


def stored_of(hit: search_get_pb2.SearchResult) -> Mapping[str, Any]:
    """What we keep beside a vector; nothing if somebody else has written the object."""
    try:
        stored = orjson.loads(hit.properties.non_ref_props.fields[STORED].text_value)
    except orjson.JSONDecodeError:
        return {}
    return stored if isinstance(stored, dict) and ID in stored else {}


def vector_of(hit: search_get_pb2.SearchResult) -> Vector:
    """Its vector."""
    held = hit.metadata
    vectors = held.vectors
    written = vectors[0].vector_bytes if vectors else held.vector_bytes
    return np.frombuffer(written, _NUMBERS).astype(np.float32, copy=False)


def _is(value: MetadataValue | None, kind: PropertyType) -> bool:
    """Whether it has this type; true is no number."""
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _put(properties: batch_pb2.BatchObject.Properties, name: str, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, list):
        properties.text_array_properties.add(prop_name=name, values=value)
        return
    field = properties.non_ref_properties.fields[name]
    if isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, str):
        field.string_value = value
    else:
        field.number_value = value


def _written(point: Point) -> str:
    stamp = point.stamp
    stored: dict[str, Any] = (
        dict(point.metadata) if stamp is None else stamped(point.metadata, stamp)
    )
    stored[ID] = point.id
    try:
        return orjson.dumps(stored).decode()
    except TypeError as error:
        raise _refused("Metadata", "the metadata cannot be written as JSON") from error


def _refused(kind: str, message: str) -> RecordError:
    return RecordError(f"Weaviate would refuse the point: {message}", stage=Stage.STORE, kind=kind)
