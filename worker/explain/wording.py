"""The parts of a verdict's sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.clock import calendar
from worker.explain.rehearsal import Course
from worker.letters.standing import LetterState
from worker.pipeline.decide import is_stale
from worker.pipeline.held import Held

if TYPE_CHECKING:
    from worker.errors import FatalError, RecordError
    from worker.explain.explanation import Explanation
    from worker.letters.case import Case


def moment(ms: int | None) -> str:
    """A time as people and machines read it, in UTC."""
    if ms is None:
        return "an unknown time"
    return calendar(ms).isoformat(timespec="milliseconds")[:-6] + "Z"


def behind(found: Explanation) -> str:
    """How far the group is from the newest record, which it has not read."""
    if found.newest is None:
        return ""
    record = found.newest.record
    before = record.offset - found.next_offset
    records = "record" if found.lag == 1 else "records"
    place = f"{before:,} of them before this one" if before else "and this is the next one"
    return f"the worker is {found.lag:,} {records} behind in partition {record.partition}, {place}"


def coming(found: Explanation) -> str:
    """What the worker will do with it."""
    rehearsed = found.rehearsed
    if rehearsed is None:
        error = found.newest.error if found.newest else None
        return _failing(found, error)
    if rehearsed.error is not None:
        return _failing(found, rehearsed.error)
    has_point = found.point is not None
    completed = _completed(found)
    return {
        Course.EMBED: (
            f"{completed}its text will be embedded, as the index has "
            f"{'another one' if has_point else 'no point of it'}"
        ),
        Course.REUSE: f"{completed}it will be written with the vector that the index has",
        Course.DELETE: "its point will be deleted" if has_point else "there is nothing to delete",
        Course.FILTER: f"it stays out of the index: {left_out(found)}"
        + (", and its point will be deleted" if has_point else ""),
    }.get(rehearsed.course, "nothing will be written")


def _failing(found: Explanation, error: RecordError | FatalError | None) -> str:
    if error is None:
        return "nothing will be written"
    kind = getattr(error, "kind", None)
    if kind is None:
        return f"the task will stop: {error}"
    marked = found.rehearsed is not None and found.rehearsed.is_marked
    why = "an earlier change of the row is a dead letter, so the index is not the row; " * marked
    where = (
        "it will go to the dead-letter topic" if found.dead_letter_topic else "it stops the task"
    )
    return f"{why}{where} as {kind}: {error}"


def left_out(found: Explanation) -> str:
    """Why the row has no place in the index."""
    if found.when is False:
        return "document.when is false for it"
    return "none of the text's columns has a value"


def stale(found: Explanation) -> str:
    """The index is ahead; or the source database is, when it was asked for missing columns."""
    rehearsed, held = found.rehearsed, Held.fetched(found.point)
    if rehearsed is not None and rehearsed.is_truncated:
        return "stale: its table was truncated after it, so this change is not written"
    if rehearsed is not None and (held is None or not is_stale(rehearsed.change, held)):
        return (
            "stale: columns that were not sent are gone from the source database with the row, "
            "and the change that took it away is on its way"
        )
    return f"stale: the index holds a newer change ({as_of(found)}), so this one is not written"


def holds(found: Explanation) -> str:
    """What the index has of the row, as a clause."""
    if found.entry is not None and found.point is None and found.entry.parked is not None:
        return "the index has no point of it; its vector is parked for its new key"
    if found.point is None:
        return "the index has no point of it"
    return f"the index has its point as of {as_of(found)}"


def as_of(found: Explanation) -> str:
    """The record that the point was written from."""
    point = found.point
    if point is None or point.stamp is None:
        return "nobody knows what, as vecsink did not write it"
    position = point.stamp.position
    return f"offset {position.offset:,} of partition {position.partition}"


def dead(case: Case) -> str:
    """Where the dead letter is, since when, why, and what became of it."""
    letter, standing = case.letter, case.standing
    since = (
        f" since {moment(letter.sent_ms)}"
        if letter.sent_ms is not None
        else f", as of {moment(letter.written_ms)}"
    )
    why = f"{letter.kind}: {letter.message}" if letter.kind else letter.message
    became = "" if case.state is LetterState.OPEN else f" ({case.state.value})"
    if standing.note and case.state is LetterState.DISCARDED:
        became = f" (discarded: {standing.note})"
    return f"in the dead-letter topic{since}: {why}{became}"


def _completed(found: Explanation) -> str:
    """Where text or metadata come from, as columns were not sent."""
    item = found.rehearsed.item if found.rehearsed else None
    if item is None or item.document is None:
        return ""
    if item.change is not item.work.change:
        return "completed from the source database, "
    if item.change.unavailable and item.stored is not None:
        return "completed from the index, "
    return ""


def changed_since(found: Explanation) -> str:
    """A point of this very record that differs was made by another configuration."""
    if not found.has_newest:
        return ""
    return "; it was written from this very record, so the connector's configuration has changed"
