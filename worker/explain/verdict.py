"""What it comes to, in a word and a sentence; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from worker.explain.rehearsal import Course
from worker.explain.wording import (
    as_of,
    behind,
    changed_since,
    coming,
    dead,
    holds,
    left_out,
    moment,
    stale,
)
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.explain.explanation import Explanation


class Kind(StrEnum):
    """Stable names, for machines."""

    CURRENT = "current"
    """The index is as of the newest record, or nothing of it has changed since."""
    UNCHANGED = "unchanged"
    """The group has not read the newest record, and nothing would be written for it."""
    NOT_YET = "not-yet"
    """The group has not read the newest record."""
    DEAD_LETTERED = "dead-lettered"
    FILTERED = "filtered"
    """``document.when`` is false."""
    NO_TEXT = "no-text"
    DELETED = "deleted"
    MOVED = "moved"
    """The row goes on under another key."""
    STALE = "stale"
    """The index holds a newer change than the newest record."""
    OUTDATED = "outdated"
    """The newest record was read, and yet the index would be changed by it."""
    MISSING = "missing"
    """It was read, and the index has no point of it."""
    FAILING = "failing"
    """It was read, and would fail now; there is no dead letter of it."""
    STOPPED = "stopped"
    """Every record would fail now."""
    NOT_A_ROW = "not-a-row"
    GONE = "gone"
    """The topic has no record of the row, but there is a point or a dead letter."""
    NOT_FOUND = "not-found"


@immutable
class Verdict:
    """Why the row is, or is not, in the index."""

    kind: Kind
    sentence: str


def verdict_of(found: Explanation) -> Verdict:
    """Judge by what was found."""
    if found.newest is None:
        return _without_record(found)
    if found.letter is not None and not (found.has_newest or found.letter.is_over):
        return Verdict(Kind.DEAD_LETTERED, f"{dead(found.letter)}; {holds(found)}")
    if found.newest.not_a_row is not None:
        return Verdict(Kind.NOT_A_ROW, f"no row: the newest record is a {found.newest.not_a_row}")
    return _read(found) if found.is_read else _unread(found)


def _without_record(found: Explanation) -> Verdict:
    trail = found.trail
    if trail.is_whole:
        seen = f"no record of it in {found.topic}, which has {trail.read:,} records"
    else:
        seen = f"no record of it in the last {trail.read:,} records of {found.topic} (--limit)"
    if trail.unreadable:
        seen += f"; the keys of {trail.unreadable:,} of them cannot be read"
    if found.letters:
        return Verdict(Kind.GONE, f"{seen}; {dead(found.letters[-1])}; {holds(found)}")
    if found.point is not None:
        gone = "retention or compaction took it away" if trail.is_whole else "it is older"
        return Verdict(Kind.GONE, f"{seen}, but {holds(found)}: {gone}")
    return Verdict(Kind.NOT_FOUND, f"{seen}, and the index has no point of it")


def _unread(found: Explanation) -> Verdict:
    """The group will read it, for the first time or again."""
    again = f"the group stands before it and will read it again, at offset {found.next_offset:,}"
    course = found.rehearsed.course if found.rehearsed else None
    if course is Course.STALE:
        return Verdict(Kind.STALE, f"{stale(found)}; {again}")
    if course is Course.UNCHANGED and found.has_newest:
        return Verdict(Kind.CURRENT, f"in the index and current; {again}, and write nothing")
    if course is Course.UNCHANGED:
        return Verdict(
            Kind.UNCHANGED,
            "unchanged: the index has this text and metadata already, so nothing would be written; "
            f"{behind(found)}",
        )
    return Verdict(Kind.NOT_YET, f"not yet: {behind(found)}; then {coming(found)}")


def _read(found: Explanation) -> Verdict:
    """The group is past it."""
    rehearsed, error = found.rehearsed, found.newest.error if found.newest else None
    if rehearsed is None or rehearsed.course is Course.FAIL:
        error = error or (rehearsed.error if rehearsed else None)  # type: ignore[assignment]  # of a record
        return Verdict(
            Kind.FAILING,
            "it was read and committed, and no dead letter of it is there; read again it would "
            f"fail as {getattr(error, 'kind', 'unknown')}: {error}; {holds(found)}",
        )
    if rehearsed.course is Course.STOP:
        return Verdict(Kind.STOPPED, f"the task would stop: {rehearsed.error}")
    return {
        Course.DELETE: _deleted,
        Course.FILTER: _filtered,
        Course.STALE: lambda found: Verdict(Kind.STALE, stale(found)),
        Course.UNCHANGED: _current,
        Course.REUSE: _other_metadata,
        Course.EMBED: _other_text,
    }[rehearsed.course](found)


def _deleted(found: Explanation) -> Verdict:
    newest = found.newest
    change = newest.change if newest else None
    when = moment(None if newest is None else newest.happened_ms)
    away = change is not None and (change.moves_away or _has_moved(found))
    kind, what = (Kind.MOVED, "its key was changed") if away else (Kind.DELETED, "deleted")
    if found.point is not None:
        return Verdict(Kind.OUTDATED, f"{what} at {when}, but {holds(found)}")
    tail = ": the row goes on under its new key" if away else ""
    return Verdict(kind, f"{what} at {when}{tail}; {holds(found)}")


def _has_moved(found: Explanation) -> bool:
    """Of a tombstone: whether it follows the delete of a key change."""
    before = [step for step in found.steps if step is not found.newest]
    change = before[-1].change if before else None
    return change is not None and change.moves_away


def _filtered(found: Explanation) -> Verdict:
    kind = Kind.FILTERED if found.when is False else Kind.NO_TEXT
    why = left_out(found)
    if found.point is not None:
        return Verdict(Kind.OUTDATED, f"{why}, but {holds(found)}")
    sentence = f"filtered: {why}" if kind is Kind.FILTERED else f"no text: {why}"
    return Verdict(kind, sentence)


def _current(found: Explanation) -> Verdict:
    if found.has_newest:
        return Verdict(Kind.CURRENT, "in the index and current")
    return Verdict(
        Kind.CURRENT,
        f"in the index and current: {holds(found)}, and nothing that matters has changed since",
    )


def _other_metadata(found: Explanation) -> Verdict:
    return Verdict(
        Kind.OUTDATED,
        f"the index has this text with other metadata ({as_of(found)}): read again, it would be "
        f"written with the vector that is there{changed_since(found)}",
    )


def _other_text(found: Explanation) -> Verdict:
    if found.point is None:
        return Verdict(
            Kind.MISSING,
            "it was read and committed, but the index has no point of it: the store does not show "
            "it yet, the index or its namespace was deleted, or the connector's configuration has "
            "changed; read again, it would be embedded (reset the group's offsets)",
        )
    return Verdict(
        Kind.OUTDATED,
        f"the index has {'another' if found.has_newest else 'an older'} text ({as_of(found)}): "
        f"read again, this one would be embedded{changed_since(found)}",
    )
