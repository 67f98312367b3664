"""What the index holds of a row, in the few words that a decision needs."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Change, Document, MetadataValue, Point, Position

UPDATED_AT = "updated_at"
"""Metadata key of the source's commit time, in ms."""

_BYTES = 12


class Held(NamedTuple):
    """A point, or its absence after a deletion of ours."""

    fingerprint: str | None
    """None: there is none."""
    metadata: bytes
    """Digest of the user's metadata, without the commit time."""
    position: Position
    """Of the change that was written last."""
    source_position: int | None
    latest_ms: int | None
    """When that change happened at the latest."""

    @classmethod
    def written(cls, document: Document, change: Change) -> Held:
        """After a write of this document."""
        stamp = document.stamp
        return cls(
            stamp.fingerprint,
            metadata_digest(document.metadata),
            stamp.position,
            stamp.source_position,
            change.latest_ms,
        )

    @classmethod
    def deleted(cls, change: Change) -> Held:
        """After a deletion by this change."""
        return cls(None, b"", change.position, change.origin.position, change.latest_ms)

    @classmethod
    def fetched(cls, point: Point | None) -> Held | None:
        """As a store shows it; None for no point, or one that is not ours."""
        if point is None or point.stamp is None:
            return None
        stamp, updated_at = point.stamp, point.metadata.get(UPDATED_AT)
        return cls(
            stamp.fingerprint,
            metadata_digest(point.metadata),
            stamp.position,
            stamp.source_position,
            int(updated_at) if isinstance(updated_at, int | float) else None,
        )

    def shows(self, point: Point | None) -> bool:
        """Whether this is what was fetched: a store that answers late shows something older."""
        if point is None or point.stamp is None:
            return self.fingerprint is None
        stamp = point.stamp
        return stamp.fingerprint == self.fingerprint and stamp.position == self.position


def metadata_digest(metadata: Mapping[str, MetadataValue]) -> bytes:
    """Equal for equal metadata, whether numbers come back as integers or as doubles."""
    plain = {
        name: int(value) if type(value) is float and value.is_integer() else value
        for name, value in metadata.items()
        if name != UPDATED_AT
    }
    return blake2b(orjson.dumps(plain, option=_SORTED), digest_size=_BYTES).digest()


_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS
