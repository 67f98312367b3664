"""What the index holds of a row, in the few words that a decision needs."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import orjson

from worker.document.metadata import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Change, Document, MetadataValue, Point, Position

UPDATED_AT = "updated_at"
"""Metadata key of the source's commit time, in ms."""

_BYTES = 12
_EXACT = 2**53


class Held(NamedTuple):
    """A row's point, or its absence after a deletion of ours."""

    fingerprint: str | None
    """Of the row's whole text; None: there is none."""
    metadata: bytes
    """Digest of the user's metadata, without the commit time and a chunk's text."""
    position: Position
    """Of the change that was written last."""
    source_position: int | None
    latest_ms: int | None
    """When that change happened at the latest."""
    chunks: int = 0
    """At most so many points belong to the row; 0 for a text that is not cut."""

    @classmethod
    def written(cls, document: Document, change: Change, chunks: int = 0) -> Held:
        """After a write of this document, cut into so many chunks."""
        stamp = document.stamp
        return cls(
            stamp.fingerprint,
            metadata_digest(document.metadata),
            stamp.position,
            stamp.source_position,
            change.latest_ms,
            chunks,
        )

    @classmethod
    def deleted(cls, change: Change) -> Held:
        """After a deletion by this change."""
        committed_ms = change.origin.committed_ms  # a tombstone's record is younger than that
        return cls(None, b"", change.position, change.origin.position, committed_ms)

    @classmethod
    def fetched(cls, point: Point | None) -> Held | None:
        """As a store shows it; None for no point, or one that is not ours."""
        if point is None or point.stamp is None:
            return None
        stamp, updated_at = point.stamp, point.metadata.get(UPDATED_AT)
        return cls(
            stamp.whole,
            metadata_digest(_of_row(point.metadata) if stamp.chunks else point.metadata),
            stamp.position,
            stamp.source_position,
            int(updated_at) if isinstance(updated_at, int | float) else None,
            stamp.chunks,
        )

    def shows(self, point: Point | None) -> bool:
        """Whether this is what was fetched: a store that answers late shows something older."""
        if point is None or point.stamp is None:
            return self.fingerprint is None
        stamp = point.stamp
        return stamp.whole == self.fingerprint and stamp.position == self.position


def _of_row(metadata: Mapping[str, MetadataValue]) -> Mapping[str, MetadataValue]:
    """Without the text, which is the chunk's; columns of that name are refused with chunks."""
    return {name: value for name, value in metadata.items() if name != TEXT}


def metadata_digest(metadata: Mapping[str, MetadataValue]) -> bytes:
    """Equal for equal metadata, whether numbers come back as integers or as doubles."""
    plain = {
        name: _plain(value) if type(value) is float else value
        for name, value in metadata.items()
        if name != UPDATED_AT
    }
    return blake2b(orjson.dumps(plain, option=_SORTED), digest_size=_BYTES).digest()


def _plain(value: float) -> float:
    """A whole double as an integer, as long as JSON takes it as one."""
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS
