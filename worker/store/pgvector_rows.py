"""Points as rows: validated one by one, sent by columns.

What else the database refuses, such as NUL in a text of the metadata, it finds by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from worker.errors import RecordError, Stage
from worker.immutable import immutable
from worker.model import Point, Position, Stamp
from worker.store.pgvector_values import INT4, Array, blobs, integers, texts, vectors, vectors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import MetadataValue

LONGEST_KEY: Final = 2_600
"""Bytes of namespace and id together, which have to fit into an entry of the primary key."""
_LARGEST: Final = 2**63
_NO_SOURCE: Final = -1


@immutable(eq=False)
class Row:
    """A point that can be written, its metadata as JSON."""

    point: Point
    stamp: Stamp
    metadata: bytes

    @property
    def id(self) -> str:
        """The point's."""
        return self.point.id


def is_key(namespace: str, point_id: str) -> bool:
    """Whether the table can hold a point of this id."""
    key = namespace + point_id
    if "\0" in key or len(key) > LONGEST_KEY:
        return False
    return key.isascii() or _bytes(key) <= LONGEST_KEY


def _bytes(text: str) -> float:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return float("inf")


def row_of(namespace: str, point: Point) -> Row:
    """Validate what the database would refuse for the whole request.

    Raises:
        RecordError: the point cannot be a row.
    """
    if not is_key(namespace, point.id):
        raise _refused("PointId", f"namespace and id have {LONGEST_KEY} bytes at most, without NUL")
    stamp = point.stamp
    if stamp is None:
        raise AssertionError("a point without a stamp is not upserted")
    if stamp.source_position is not None and stamp.source_position >= _LARGEST:
        raise _refused("SourcePosition", "the source position does not fit into a bigint")
    try:
        metadata = orjson.dumps(dict(point.metadata))
    except TypeError as error:
        raise _refused("Metadata", "the metadata cannot be written as JSON") from error
    return Row(point, stamp, metadata)


def upsert_arrays(rows: Sequence[Row], kind: str, oid: int) -> list[Array]:
    """The parameters of an upsert after the namespace, in the order of its columns."""
    stamps = [row.stamp for row in rows]
    positions = [stamp.position for stamp in stamps]
    return [
        texts([row.id for row in rows]),
        vectors([row.point.vector for row in rows], kind, oid),
        blobs([row.metadata for row in rows]),
        texts([stamp.fingerprint for stamp in stamps]),
        texts([stamp.model for stamp in stamps]),
        texts([position.topic_id for position in positions]),
        integers((position.partition for position in positions), INT4),
        integers(position.offset for position in positions),
        integers(_source(stamp) for stamp in stamps),
        texts([",".join(map(_without_comma, stamp.columns)) for stamp in stamps]),
        texts([stamp.document for stamp in stamps]),
        integers((stamp.chunks for stamp in stamps), INT4),
    ]


def points_of(rows: Sequence[Sequence[Any]], kind: str) -> list[Point]:
    """Rows with the columns of ``pgvector_sql``, metadata as text."""
    found = vectors_of([row[1] for row in rows], kind)
    metadata = metadata_of([row[2] for row in rows])
    return [
        Point(row[0], vector, held, _stamp(row))
        for row, vector, held in zip(rows, found, metadata, strict=True)
    ]


def metadata_of(objects: Sequence[str]) -> Sequence[dict[str, MetadataValue]]:
    """JSON objects, read in one go."""
    return cast("Sequence[dict[str, MetadataValue]]", orjson.loads(f"[{','.join(objects)}]"))


def _stamp(row: Sequence[Any]) -> Stamp | None:
    """None for a row that somebody else has written."""
    _, _, _, fingerprint, model, topic_id, partition, offset, source, columns, document, chunks = (
        row
    )
    if None in (fingerprint, model, topic_id, partition, offset):
        return None
    return Stamp(
        fingerprint=fingerprint,
        position=Position(topic_id, partition, offset),
        model=model,
        source_position=source,
        columns=tuple(map(_with_comma, columns.split(","))) if columns else (),
        document=document or "",
        chunks=chunks or 0,
    )


def _without_comma(column: str) -> str:
    return column.replace("%", "%25").replace(",", "%2C")


def _with_comma(written: str) -> str:
    return written.replace("%2C", ",").replace("%25", "%")


def _source(stamp: Stamp) -> int:
    return _NO_SOURCE if stamp.source_position is None else stamp.source_position


def _refused(kind: str, message: str) -> RecordError:
    return RecordError(
        f"PostgreSQL would refuse the point: {message}", stage=Stage.STORE, kind=kind
    )
