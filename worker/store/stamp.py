"""Our stamp as metadata, for stores that have no typed columns.

Keys that begin with ``_`` are ours, few and short; the configuration refuses them to users.
Numbers may come back as doubles, so a source position is exact up to 2⁵³.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.model import Position, Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import MetadataValue

OURS = "_"
"""What every key of ours begins with."""

FINGERPRINT = "_fp"
PLACE = "_tp"
OFFSET = "_off"
MODEL = "_m"
SOURCE = "_src"
COLUMNS = "_cols"
DOCUMENT = "_doc"
CHUNKS = "_chunks"


def stamped(metadata: Mapping[str, MetadataValue], stamp: Stamp) -> dict[str, MetadataValue]:
    """The user's metadata with the stamp beside it: what a store keeps."""
    kept: dict[str, MetadataValue] = dict(metadata)
    kept[FINGERPRINT] = stamp.fingerprint
    kept[PLACE] = place_of(stamp.position)
    kept[OFFSET] = stamp.position.offset
    kept[MODEL] = stamp.model
    if stamp.source_position is not None:
        kept[SOURCE] = stamp.source_position
    if stamp.columns:
        kept[COLUMNS] = list(stamp.columns)
    if stamp.chunks:
        kept[DOCUMENT] = stamp.document
        kept[CHUNKS] = stamp.chunks
    return kept


def place_of(position: Position) -> str:
    """Where a Position's offset counts; equal for those that compare, unless the id is empty."""
    return f"{position.topic_id}:{position.partition}"


def position_of(stored: Mapping[str, Any]) -> Position:
    """The Position in what a store keeps.

    Raises:
        KeyError, AttributeError, TypeError, ValueError: there is none.
    """
    topic_id, _, partition = stored[PLACE].rpartition(":")
    return Position(topic_id, int(partition), int(stored[OFFSET]))


def users(stored: Mapping[str, Any]) -> dict[str, MetadataValue]:
    """The user's part of what a store keeps."""
    return {name: value for name, value in stored.items() if name[:1] != OURS}


def stamp_of(stored: Mapping[str, Any]) -> Stamp | None:
    """The stamp in what a store keeps; None for a point that is not ours."""
    try:
        source = stored.get(SOURCE)
        return Stamp(  # without the names of its fields, which cost a third more
            str(stored[FINGERPRINT]),
            position_of(stored),
            str(stored[MODEL]),
            None if source is None else int(source),
            tuple(stored.get(COLUMNS, ())),
            str(stored.get(DOCUMENT, "")),
            int(stored.get(CHUNKS, 0)),
        )
    except (KeyError, AttributeError, TypeError, ValueError):
        return None
