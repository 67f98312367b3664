"""Points as requests that Pinecone takes: validated one by one, cut by count and bytes.

Limits from https://docs.pinecone.io/reference/api/database-limits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import numpy as np
import orjson

from worker.errors import RecordError, Stage
from worker.immutable import immutable
from worker.store.stamp import stamped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from worker.model import Point

LONGEST_ID: Final = 512
LARGEST_METADATA: Final = 40 * 1024

UPSERT_RECORDS: Final = 1000
UPSERT_BYTES: Final = 1_900_000
"""Of the 2 MB that a request may have; the rest is for the envelope."""
DELETE_IDS: Final = 1000
FETCH_IDS: Final = 1000
FETCH_URL_BYTES: Final = 7000
"""Ids travel in the URL, of which many proxies take no more than 8 KB."""

_PLAIN = re.compile(r"[A-Za-z0-9_.~:-]+")
"""What may stand in a query as it is."""
_NULL = b"n"
"""Only in the ``null`` that orjson writes for NaN and infinity. Asking numpy instead would let go
of the GIL once per point, and waiting to have it again takes longer than the question."""
_POINTS_PER_PIECE = 64


@immutable(eq=False)
class Prepared:
    """A point as the JSON that Pinecone takes."""

    id: str
    json: bytes


def prepared(point: Point) -> Prepared:
    """Validate a point and write it.

    numpy's shortest form of a float32 has half the digits of the same number as a Python float, and
    is written without making a list of floats first.

    Raises:
        RecordError: the point breaks a rule that the server would enforce on the whole request.
    """
    if not is_id(point.id):
        raise _refused("PointId", f"an id has 1 to {LONGEST_ID} ASCII characters without NUL")
    stored: dict[str, Any] = dict(point.metadata)
    if point.stamp is not None:
        stored = stamped(point.metadata, point.stamp)
    metadata = _metadata(stored)
    values = orjson.dumps(
        np.ascontiguousarray(point.vector, np.float32), option=orjson.OPT_SERIALIZE_NUMPY
    )
    if _NULL in values:
        raise _refused("VectorNotFinite", "the vector holds NaN or infinity")
    parts = orjson.dumps(point.id), values, metadata
    return Prepared(point.id, b'{"id":%b,"values":%b,"metadata":%b}' % parts)


class Body:
    """An upsert's body, made piece by piece while it is sent, as all of it is a megabyte or two."""

    def __init__(self, points: Sequence[Prepared], namespace: str) -> None:
        self._points = [point.json for point in points]
        self._head = b'{"namespace":%b,"vectors":[' % orjson.dumps(namespace)
        self._tail = b"]}"

    def __len__(self) -> int:
        commas = len(self._points) - 1
        return len(self._head) + sum(map(len, self._points)) + commas + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        before = self._head
        for start in range(0, len(self._points), _POINTS_PER_PIECE):
            yield before + b",".join(self._points[start : start + _POINTS_PER_PIECE])
            before = b","
        yield self._tail


def upsert_requests(points: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Cut into requests of at most ``UPSERT_RECORDS`` points and ``UPSERT_BYTES`` bytes."""
    request: list[Prepared] = []
    size = 0
    for point in points:
        more = len(point.json) + 1  # the comma
        if request and (len(request) == UPSERT_RECORDS or size + more > UPSERT_BYTES):
            yield request
            request, size = [], 0
        request.append(point)
        size += more
    if request:
        yield request


def fetch_requests(ids: Sequence[str], most_bytes: int) -> Iterator[list[str]]:
    """Ids as parts of query strings, cut into requests that fit into a URL."""
    request: list[str] = []
    size = 0
    for point_id in ids:
        part = f"&ids={_escaped(point_id)}"
        if request and (len(request) == FETCH_IDS or size + len(part) > most_bytes):
            yield request
            request, size = [], 0
        request.append(part)
        size += len(part)
    if request:
        yield request


def fetch_query(namespace: str, request: Sequence[str]) -> str:
    """The query string of such a request; the empty namespace is Pinecone's default."""
    query = "".join(request)
    return f"namespace={_escaped(namespace)}{query}" if namespace else query.removeprefix("&")


def _escaped(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe="")


def delete_requests(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut into requests of at most ``DELETE_IDS`` ids."""
    for start in range(0, len(ids), DELETE_IDS):
        yield ids[start : start + DELETE_IDS]


def is_id(text: str) -> bool:
    """Whether the index can hold a point of this id."""
    return 0 < len(text) <= LONGEST_ID and text.isascii() and "\0" not in text


def _metadata(stored: dict[str, Any]) -> bytes:
    try:
        written = orjson.dumps(stored)
    except TypeError as error:
        raise _refused("Metadata", "the metadata cannot be written as JSON") from error
    size = len(written)
    if size > LARGEST_METADATA:
        raise _refused(
            "MetadataTooLarge", f"the metadata has {size} bytes, more than {LARGEST_METADATA}"
        )
    return written


def _refused(kind: str, message: str) -> RecordError:
    return RecordError(f"Pinecone would refuse the point: {message}", stage=Stage.STORE, kind=kind)
