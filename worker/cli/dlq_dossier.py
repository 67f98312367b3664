"""What ``vecsink dlq show`` prints, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.dlq_object import case_object
from worker.cli.explain_object import cut, moment_or_none, shown
from worker.cli.explain_report import CONTROLS, head, pairs

if TYPE_CHECKING:
    from rich.console import Console

    from worker.dlq.port import Failure
    from worker.model import Record
    from worker.triage.dossier import Dossier


def dossier_object(found: Dossier) -> dict[str, Any]:
    """``row`` and ``text`` are row content, and cut where they are long."""
    text = found.text
    return {
        **case_object(found.case),
        "record": _record(found.record),
        "failures": [_failure(one) for one in found.failures],
        "op": None if found.step.change is None else found.step.change.op.value,
        "unreadable": None if found.step.error is None else str(found.step.error),
        "unavailable": _unavailable(found),
        "row": None if found.row is None else {n: shown(v) for n, v in found.row.items()},
        "text": None if text is None else cut(text.text),
        "now": {"fate": found.outlook.fate.value, "why": found.outlook.why or None},
    }


def _record(record: Record) -> dict[str, Any]:
    """Sizes and names alone."""
    return {
        "key_bytes": None if record.key is None else len(record.key),
        "value_bytes": None if record.value is None else len(record.value),
        "headers": [name for name, _ in record.headers],
        "timestamp": moment_or_none(record.timestamp_ms),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "place": f"{failure.topic}[{failure.partition}]@{failure.offset}",
        "at": moment_or_none(failure.failed_ms),
        "connector": failure.connector,
        "stage": failure.stage,
        "class": failure.kind,
        "message": failure.message,
        "status": failure.status or None,
        "worker_version": failure.version or None,
        "stack_trace": failure.trace or None,
    }


def _unavailable(found: Dossier) -> list[str]:
    change = found.step.change
    return [] if change is None else sorted(change.unavailable)


def print_dossier(found: Dossier, console: Console) -> None:
    """Where from, what went wrong, the row, and what would happen now."""
    case, letter = found.case, found.case.letter
    console.print(
        f"Letter {letter.name}: {case.state.value}",
        style="bold", highlight=False, markup=False,
    )  # fmt: skip
    if case.standing.note:
        pairs(console, {"": case.standing.note, "since": moment_or_none(case.standing.at_ms)})
    head(console, "Where it came from")
    pairs(console, _origin(found))
    for number, failure in enumerate(found.failures, 1):
        head(console, f"Failure {number} of {len(found.failures)}")
        made = _failure(failure)
        trace = made.pop("stack_trace")
        pairs(console, {name.replace("_", " "): value for name, value in made.items()})
        if trace:
            console.print(_indented(trace), markup=False, highlight=False, style="dim")
    head(console, "Its row (content of your database)")
    if found.row is not None:
        pairs(console, {name: shown(value) for name, value in found.row.items()})
        if lacking := _unavailable(found):
            pairs(console, {"(not sent)": lacking})
    else:
        pairs(console, {"": _no_row(found)})
    if found.text is not None:
        head(console, "Its text (content of your database)")
        pairs(console, {"": cut(found.text.text)})
    head(console, "What would happen to it now")
    pairs(console, {found.outlook.fate.value: found.outlook.why})


def _origin(found: Dossier) -> dict[str, Any]:
    letter, record = found.case.letter, found.record
    sizes = _record(record)
    return {
        "record": f"{letter.topic}[{letter.origin_partition}]@{letter.origin_offset}",
        "topic id": letter.topic_id,
        "table": found.case.table,
        "committed": moment_or_none(letter.committed_ms),
        "source position": letter.source_position,
        "written to Kafka": sizes["timestamp"],
        "failed": moment_or_none(letter.failed_ms),
        "schema ids": f"key {_said(letter.key_schema_id)}, value {_said(letter.value_schema_id)}",
        "bytes": f"key {_said(sizes['key_bytes'])}, value {_said(sizes['value_bytes'])}",
        "attempts": letter.attempts,
        "replays": letter.replays,
    }


def _no_row(found: Dossier) -> str:
    if found.step.error is not None:
        return f"it cannot be read: {found.step.error}"
    if found.step.not_a_row is not None:
        return f"it is no row: {found.step.not_a_row}"
    return "the row is gone"


def _said(value: object) -> str:
    return "-" if value is None else str(value)


def _indented(text: str) -> str:
    lines = text.translate(CONTROLS).rstrip().splitlines()
    return "\n".join(f"    {line}" for line in lines)
