"""What has to be done for a row, given what the index holds for it; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.model import Change, Document, Point

UPDATED_AT = "updated_at"
"""Metadata key of the source's commit time, in ms."""


class Decision(StrEnum):
    """What to do with a document."""

    EMBED = "embed"
    REUSE = "reuse"
    """The stored vector belongs to exactly this text: write it again with the new metadata."""
    UNCHANGED = "unchanged"
    """The index holds this very change already."""
    STALE = "stale"


def decide(document: Document, change: Change, stored: Point | None) -> Decision:
    """Compare a document with the point that the index shows under its id.

    The answer may be late (stores are eventually consistent). So an equal fingerprint saves the
    embedding but not the write; only the same Position proves that nothing has to be written.
    """
    if stored is None or stored.stamp is None:
        return Decision.EMBED
    if is_stale(change, stored):
        return Decision.STALE
    if stored.stamp.fingerprint != document.stamp.fingerprint:
        return Decision.EMBED
    if _is_same_change(document, stored):
        return Decision.UNCHANGED
    return Decision.REUSE


def is_stale(change: Change, stored: Point) -> bool:
    """Whether the index is provably ahead of a change.

    By Position where the two compare; elsewhere (another partition or topic) only a strictly older
    time in the source counts, and equal times leave it to arrival.
    """
    if stored.stamp is None:
        return False
    ours, theirs = change.position, stored.stamp.position
    if ours.comparable(theirs):
        return ours.offset < theirs.offset
    latest_ms, stored_ms = change.latest_ms, stored.metadata.get(UPDATED_AT)
    if latest_ms is None or not isinstance(stored_ms, int | float):
        return False
    return latest_ms < stored_ms


def _is_same_change(document: Document, stored: Point) -> bool:
    stamp = stored.stamp
    return (
        stamp is not None
        and stamp.position.comparable(document.stamp.position)
        and stamp.position == document.stamp.position
        and stored.metadata == document.metadata
    )
