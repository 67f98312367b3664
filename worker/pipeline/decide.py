"""What has to be done for a row, given what the index holds for it; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from worker.pipeline.held import metadata_digest

if TYPE_CHECKING:
    from worker.model import Change, Document
    from worker.pipeline.held import Held


class Decision(StrEnum):
    """What to do with a document."""

    EMBED = "embed"
    REUSE = "reuse"
    """A vector of exactly this text is there: write it again with the new metadata."""
    UNCHANGED = "unchanged"
    """The index holds exactly this already."""
    STALE = "stale"

    __hash__ = str.__hash__  # that of enumerations is written in Python


_EMBED, _REUSE, _STALE = Decision.EMBED, Decision.REUSE, Decision.STALE
_UNCHANGED = Decision.UNCHANGED
"""Named here, as Python 3.11 takes 90 ns to read a member off its class."""


def decide(document: Document, change: Change, held: Held | None, *, is_proven: bool) -> Decision:
    """Compare a document with what the index is believed to hold under its id.

    A fetch may be late (stores are eventually consistent). So an equal fingerprint saves the
    embedding but not the write, unless the belief is proven: because this worker wrote it, because
    whatever was written before is visible by now, or by the Position of this very change. The
    commit time and the Position do not count as differences; they move with the next write.
    """
    if held is None:
        return _EMBED
    if is_stale(change, held):
        return _STALE
    if held.fingerprint != document.stamp.fingerprint:
        return _EMBED
    if not (is_proven or _is_same_position(document, held)):
        return _REUSE
    same = held.metadata == metadata_digest(document.metadata)
    return _UNCHANGED if same else _REUSE


def is_stale(change: Change, held: Held) -> bool:
    """Whether the index is provably ahead of a change.

    By Position where the two compare; elsewhere (another partition or topic) only a strictly older
    time in the source counts, and equal times leave it to arrival.
    """
    ours, theirs = change.position, held.position
    if ours.comparable(theirs):
        return ours.offset < theirs.offset
    latest_ms = change.latest_ms
    if latest_ms is None or held.latest_ms is None:
        return False
    return latest_ms < held.latest_ms


def is_sent_again(change: Change, held: Held) -> bool:
    """Whether the source had made a change before what the index holds, though it arrives later.

    After a crash Debezium sends its last changes once more, in order. The log of a database that
    was restored, or of another server, may begin anew; what it tells is younger by its time.
    """
    ours, theirs = change.origin.position, held.source_position
    if ours is None or theirs is None or ours >= theirs:
        return False
    mine_ms, held_ms = change.origin.committed_ms, held.latest_ms
    return mine_ms is None or held_ms is None or mine_ms <= held_ms


def _is_same_position(document: Document, held: Held) -> bool:
    position = document.stamp.position
    return position.comparable(held.position) and position == held.position
