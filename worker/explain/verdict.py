"""What it comes to, in a word and a sentence; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.explain.rehearsal import Course

if TYPE_CHECKING:
    from worker.dlq.port import Letter
    from worker.errors import FatalError, RecordError
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the row is, or is not, in the index."""

    kind: Kind
    sentence: str


def verdict_of(found: Explanation) -> Verdict:
    """Judge by what was found."""
    if found.newest is None:
        return _without_record(found)
    if found.letter is not None and not found.has_newest:
        return Verdict(Kind.DEAD_LETTERED, f"{_dead(found.letter)}; {_holds(found)}")
    if found.newest.not_a_row is not None:
        return Verdict(Kind.NOT_A_ROW, f"no row: the newest record is a {found.newest.not_a_row}")
    return _read(found) if found.is_read else _unread(found)


def moment(ms: int | None) -> str:
    """A time as people and machines read it, in UTC."""
    if ms is None:
        return "an unknown time"
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _without_record(found: Explanation) -> Verdict:
    trail = found.trail
    if trail.is_whole:
        seen = f"no record of it in {found.topic}, which has {trail.read:,} records"
    else:
        seen = f"no record of it in the last {trail.read:,} records of {found.topic} (--limit)"
    if trail.unreadable:
        seen += f"; the keys of {trail.unreadable:,} of them cannot be read"
    if found.letters:
        return Verdict(Kind.GONE, f"{seen}; {_dead(found.letters[-1])}; {_holds(found)}")
    if found.point is not None:
        gone = "retention or compaction took it away" if trail.is_whole else "it is older"
        return Verdict(Kind.GONE, f"{seen}, but {_holds(found)}: {gone}")
    return Verdict(Kind.NOT_FOUND, f"{seen}, and the index has no point of it")


def _unread(found: Explanation) -> Verdict:
    """The group will read it, for the first time or again."""
    again = f"the group stands before it and will read it again, at offset {found.next_offset:,}"
    course = found.rehearsed.course if found.rehearsed else None
    if course is Course.STALE:
        return Verdict(Kind.STALE, f"{_stale(found)}; {again}")
    if course is Course.UNCHANGED and found.has_newest:
        return Verdict(Kind.CURRENT, f"in the index and current; {again}, and write nothing")
    if course is Course.UNCHANGED:
        return Verdict(
            Kind.UNCHANGED,
            "unchanged: the index has this text and metadata already, so nothing would be written; "
            f"{_behind(found)}",
        )
    return Verdict(Kind.NOT_YET, f"not yet: {_behind(found)}; then {_coming(found)}")


def _behind(found: Explanation) -> str:
    if found.newest is None:
        return ""
    record = found.newest.record
    before = record.offset - found.next_offset
    records = "record" if found.lag == 1 else "records"
    place = f"{before:,} of them before this one" if before else "and this is the next one"
    return f"the worker is {found.lag:,} {records} behind in partition {record.partition}, {place}"


def _coming(found: Explanation) -> str:
    """What the worker will do with it."""
    rehearsed = found.rehearsed
    if rehearsed is None:
        error = found.newest.error if found.newest else None
        return _failing(found, error)
    if rehearsed.error is not None:
        return _failing(found, rehearsed.error)
    has_point = found.point is not None
    completed = "completed from the index, " if _is_completed(found) else ""
    return {
        Course.EMBED: (
            f"{completed}its text will be embedded, as the index has "
            f"{'another one' if has_point else 'no point of it'}"
        ),
        Course.REUSE: f"{completed}it will be written with the vector that the index has",
        Course.DELETE: "its point will be deleted" if has_point else "there is nothing to delete",
        Course.FILTER: f"it stays out of the index: {_left_out(found)}"
        + (", and its point will be deleted" if has_point else ""),
    }.get(rehearsed.course, "nothing will be written")


def _failing(found: Explanation, error: RecordError | FatalError | None) -> str:
    if error is None:
        return "nothing will be written"
    kind = getattr(error, "kind", None)
    if kind is None:
        return f"the task will stop: {error}"
    where = (
        "it will go to the dead-letter topic" if found.dead_letter_topic else "it stops the task"
    )
    return f"{where} as {kind}: {error}"


def _read(found: Explanation) -> Verdict:
    """The group is past it."""
    rehearsed, error = found.rehearsed, found.newest.error if found.newest else None
    if rehearsed is None or rehearsed.course is Course.FAIL:
        error = error or (rehearsed.error if rehearsed else None)  # type: ignore[assignment]  # of a record
        return Verdict(
            Kind.FAILING,
            "it was read and committed, and no dead letter of it is there; read again it would "
            f"fail as {getattr(error, 'kind', 'unknown')}: {error}; {_holds(found)}",
        )
    if rehearsed.course is Course.STOP:
        return Verdict(Kind.STOPPED, f"the task would stop: {rehearsed.error}")
    return {
        Course.DELETE: _deleted,
        Course.FILTER: _filtered,
        Course.STALE: lambda found: Verdict(Kind.STALE, _stale(found)),
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
        return Verdict(Kind.OUTDATED, f"{what} at {when}, but {_holds(found)}")
    tail = ": the row goes on under its new key" if away else ""
    return Verdict(kind, f"{what} at {when}{tail}; {_holds(found)}")


def _has_moved(found: Explanation) -> bool:
    """Of a tombstone: whether it follows the delete of a key change."""
    before = [step for step in found.steps if step is not found.newest]
    change = before[-1].change if before else None
    return change is not None and change.moves_away


def _filtered(found: Explanation) -> Verdict:
    kind = Kind.FILTERED if found.when is False else Kind.NO_TEXT
    why = _left_out(found)
    if found.point is not None:
        return Verdict(Kind.OUTDATED, f"{why}, but {_holds(found)}")
    sentence = f"filtered: {why}" if kind is Kind.FILTERED else f"no text: {why}"
    return Verdict(kind, sentence)


def _left_out(found: Explanation) -> str:
    if found.when is False:
        return "document.when is false for it"
    return "none of the text's columns has a value"


def _current(found: Explanation) -> Verdict:
    if found.has_newest:
        return Verdict(Kind.CURRENT, "in the index and current")
    return Verdict(
        Kind.CURRENT,
        f"in the index and current: {_holds(found)}, and nothing that matters has changed since",
    )


def _other_metadata(found: Explanation) -> Verdict:
    return Verdict(
        Kind.OUTDATED,
        f"the index has this text with other metadata ({_as_of(found)}): read again, it would be "
        f"written with the vector that is there{_changed_since(found)}",
    )


def _other_text(found: Explanation) -> Verdict:
    if found.point is None:
        return Verdict(
            Kind.MISSING,
            "it was read and committed, but the index has no point of it: the index or its "
            "namespace was deleted, or the connector's configuration has changed; read again, it "
            "would be embedded (reset the group's offsets)",
        )
    return Verdict(
        Kind.OUTDATED,
        f"the index has an older text ({_as_of(found)}): read again, the new one would be "
        f"embedded{_changed_since(found)}",
    )


def _changed_since(found: Explanation) -> str:
    if not found.has_newest:
        return ""
    return "; it was written from this very record, so the connector's configuration has changed"


def _stale(found: Explanation) -> str:
    return f"stale: the index holds a newer change ({_as_of(found)}), so this one is not written"


def _holds(found: Explanation) -> str:
    if found.entry is not None and found.point is None and found.entry.parked is not None:
        return "the index has no point of it; its vector is parked for its new key"
    if found.point is None:
        return "the index has no point of it"
    return f"the index has its point as of {_as_of(found)}"


def _as_of(found: Explanation) -> str:
    point = found.point
    if point is None or point.stamp is None:
        return "nobody knows what, as vecsink did not write it"
    position = point.stamp.position
    return f"offset {position.offset:,} of partition {position.partition}"


def _dead(letter: Letter) -> str:
    since = (
        f" since {moment(letter.sent_ms)}"
        if letter.sent_ms is not None
        else f", as of {moment(letter.written_ms)}"
    )
    why = f"{letter.kind}: {letter.message}" if letter.kind else letter.message
    return f"in the dead-letter topic{since}: {why}"


def _is_completed(found: Explanation) -> bool:
    """Whether the text or metadata come from the index, as columns were not sent."""
    item = found.rehearsed.item if found.rehearsed else None
    return (
        item is not None
        and item.document is not None
        and bool(item.change.unavailable)
        and item.stored is not None
    )
