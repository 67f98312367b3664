"""What ``vecsink explain --json`` prints; the keys are stable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from worker.document.values import storable, text_of
from worker.explain.verdict import verdict_of
from worker.explain.wording import moment

if TYPE_CHECKING:
    from worker.dlq.port import Letter
    from worker.explain.explanation import Explanation, Text
    from worker.explain.step import Step
    from worker.model import Point, Position, Value

_LARGEST = 1 << 63
"""JSON for machines ends at 64 bits."""
_MOST_CHARACTERS = 500
"""Of a value or text that is shown."""


def as_object(found: Explanation) -> dict[str, Any]:
    """Everything; ``row`` and ``document.text`` are row content, and cut where they are long."""
    verdict = verdict_of(found)
    return {
        "connector": found.connector,
        "key": storable(found.wanted),
        "topic": found.topic,
        "verdict": verdict.kind.value,
        "because": verdict.sentence,
        "searched": {
            "records": found.trail.read,
            "whole_topic": found.trail.is_whole,
            "unreadable_keys": found.trail.unreadable,
        },
        "history": [step_object(step) for step in found.steps],
        "group": _group(found),
        "row": None if found.row is None else {n: shown(v) for n, v in found.row.items()},
        "unavailable": _unavailable(found),
        "document": _document(found),
        "point": None if found.point is None else point_object(found.point),
        "parked_point": found.entry is not None and found.entry.parked is not None,
        "dead_letters": [
            {**letter_object(case.letter), "state": case.state.value} for case in found.letters
        ],
        "now": _now(found),
    }


def step_object(step: Step) -> dict[str, Any]:
    """One record of the row."""
    record, change = step.record, step.change
    return {
        "partition": record.partition,
        "offset": record.offset,
        "op": None if change is None else change.op.value,
        "committed_at": moment_or_none(None if change is None else change.origin.committed_ms),
        "record_at": moment_or_none(record.timestamp_ms),
        "unavailable": [] if change is None else sorted(change.unavailable),
        "moves_away": change is not None and change.moves_away,
        "moved_here": change is not None and change.moved_from is not None,
        "error": None if step.error is None else step.error.kind,
        "not_a_row": step.not_a_row,
    }


def letter_object(letter: Letter) -> dict[str, Any]:
    """One record of the dead-letter topic."""
    return {
        "partition": letter.partition,
        "offset": letter.offset,
        "origin": {
            "topic": letter.topic,
            "partition": letter.origin_partition,
            "offset": letter.origin_offset,
        },
        "stage": letter.stage,
        "kind": letter.kind,
        "message": letter.message,
        "attempts": letter.attempts,
        "written_at": moment_or_none(letter.written_ms),
        "sent_at": moment_or_none(letter.sent_ms),
    }


def point_object(point: Point) -> dict[str, Any]:
    """What the index has; of the vector its length and norm."""
    stamp = point.stamp
    ours: dict[str, Any] = {}
    if stamp is not None:
        ours = {
            "fingerprint": stamp.fingerprint,
            "position": _position(stamp.position),
            "source_position": stamp.source_position,
            "model": stamp.model,
            "column_digests": list(stamp.columns),
            "chunks": stamp.chunks,
        }
    return {
        "id": point.id,
        **ours,
        "metadata": {name: shown(value) for name, value in point.metadata.items()},
        "vector": {
            "dimensions": int(point.vector.size),
            "norm": round(float(np.linalg.norm(point.vector)), 6),
        },
    }


def shown(value: Value) -> Any:  # noqa: ANN401 - any JSON value
    """A value as JSON, cut where it is long."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else str(value)
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    return cut(value if isinstance(value, str) else text_of(value) or str(value))


def cut(text: str) -> str:
    """Its beginning, and how long it is; without what no output can show."""
    text = storable(text)
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}… ({len(text):,} characters)"


def moment_or_none(ms: int | None) -> str | None:
    """ISO 8601, in UTC."""
    return None if ms is None else moment(ms)


def _position(position: Position) -> dict[str, Any]:
    return {
        "topic_id": position.topic_id,
        "partition": position.partition,
        "offset": position.offset,
    }


def _unavailable(found: Explanation) -> list[str]:
    newest = found.newest
    return sorted(newest.change.unavailable) if newest and newest.change else []


def _group(found: Explanation) -> dict[str, Any] | None:
    if found.standing is None or found.newest is None:
        return None
    return {
        "partition": found.newest.record.partition,
        "committed": found.standing.committed,
        "next_offset": found.next_offset,
        "end": found.standing.log.end,
        "lag": found.lag,
        "has_read_newest": found.is_read,
    }


def _document(found: Explanation) -> dict[str, Any]:
    namespace, point_id = found.entry.address if found.entry else (None, None)
    return {
        "namespace": namespace,
        "id": point_id,
        "when": found.when,
        "fingerprint": fingerprint_of(found),
        **_text(found.text),
    }


def fingerprint_of(found: Explanation) -> str | None:
    """Of the document as it would be now."""
    item = found.rehearsed.item if found.rehearsed else None
    if item is None or item.document is None:
        return None
    return item.document.stamp.fingerprint


def _text(text: Text | None) -> dict[str, Any]:
    if text is None:
        return {"text": None, "text_bytes": None, "tokens": None}
    low, expected, high = text.tokens
    return {
        "text": cut(text.text),
        "text_bytes": len(text.text.encode()),
        "tokens": {"low": low, "expected": expected, "high": high},
    }


def _now(found: Explanation) -> dict[str, Any] | None:
    rehearsed = found.rehearsed
    if rehearsed is None:
        return None
    return {
        "course": rehearsed.course.value,
        "error": None if rehearsed.error is None else str(rehearsed.error),
        "has_unwritten_dead_letter": rehearsed.is_marked,
        "was_truncated": rehearsed.is_truncated,
    }
