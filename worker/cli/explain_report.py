"""What ``vecsink explain`` prints for people: the verdict first, then what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from worker.cli.explain_object import (
    cut,
    fingerprint_of,
    letter_object,
    moment_or_none,
    point_object,
    shown,
)
from worker.explain.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from worker.explain.explanation import Explanation
    from worker.explain.step import Step


CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")
"""Rows come from outside: none may speak to the terminal. Tabs and line ends stay."""


def print_report(found: Explanation, console: Console) -> None:
    """Sections in the order of a record's way."""
    console.print(
        f"{found.connector}: {found.wanted} of {found.topic}",
        style="bold", highlight=False, markup=False,
    )  # fmt: skip
    sentence = verdict_of(found).sentence.translate(CONTROLS)
    console.print(sentence, highlight=False, markup=False, soft_wrap=not console.is_terminal)
    if found.steps:
        head(console, "Its records")
        console.print(_history(found))
        pairs(console, _group(found))
    if found.row is not None:
        head(console, "The newest row (content of your database)")
        pairs(console, {name: shown(value) for name, value in found.row.items()})
    if found.newest is not None:
        head(console, "Its document")
        pairs(console, _document(found))
    if found.entry is not None:
        head(console, "Its point in the index")
        pairs(console, _point(found))
    for case in found.letters:
        head(console, f"A dead letter: {case.state.value}")
        pairs(console, _flat(letter_object(case.letter)))


def head(console: Console, title: str) -> None:
    """The title of a section."""
    console.print(f"\n{title}", style="bold", highlight=False, markup=False)


def pairs(console: Console, values: Mapping[str, Any]) -> None:
    """Names and values, one below the other."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(f"  {escape(name)}", escape(_said(value)))
    console.print(table, highlight=False)


def _said(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)).translate(CONTROLS) or "-"
    return str(value).translate(CONTROLS)


def _history(found: Explanation) -> Table:
    table = Table("partition", "offset", "op", "committed", "not sent", "")
    for column in table.columns[:2]:
        column.justify = "right"
    for step in found.steps:
        change = step.change
        when = step.record.timestamp_ms if change is None else change.latest_ms
        table.add_row(
            str(step.record.partition),
            f"{step.record.offset:,}",
            "-" if change is None else change.op.value,
            moment_or_none(when) or "-",
            escape(", ".join(sorted(change.unavailable)) if change else ""),
            escape("; ".join(_notes(found, step))),
        )
    return table


def _notes(found: Explanation, step: Step) -> Iterator[str]:
    record, change, point = step.record, step.change, found.point
    if step.error is not None:
        yield f"cannot be read: {step.error.kind}"
    if step.not_a_row is not None:
        yield f"no row: {step.not_a_row}"
    if change is not None and change.moves_away:
        yield "its key changes"
    if change is not None and change.moved_from is not None:
        yield "had another key before"
    if any(case.letter.is_of(record) for case in found.letters):
        yield "dead letter"
    if point is not None and point.stamp is not None:
        position = point.stamp.position
        if position.comparable(record.position) and position.offset == record.offset:
            yield "the index is as of it"
    is_there = found.newest is not None and record.partition == found.newest.record.partition
    if is_there and record.offset >= found.next_offset:
        yield "not read yet"


def _group(found: Explanation) -> dict[str, Any]:
    if found.newest is None or found.standing is None:
        return {}
    committed = found.standing.committed
    return {
        f"committed in partition {found.newest.record.partition}": (
            "nothing" if committed is None else f"next offset {committed:,}"
        ),
        "end of the partition": f"{found.standing.log.end:,}",
        "lag": f"{found.lag:,}",
    }


def _document(found: Explanation) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if found.entry is not None:
        made["namespace"], made["id"] = found.entry.address
    if found.when is not None:
        made["document.when"] = "true" if found.when else "false"
    if found.text is not None:
        low, expected, high = found.text.tokens
        size = f"{len(found.text.text.encode()):,} bytes"
        counted = f"{low:,} tokens" if low == high else f"{expected:,} tokens ({low:,} to {high:,})"
        made["text"] = cut(found.text.text)
        made["size"] = f"{size}, {counted}"
    made["fingerprint"] = fingerprint_of(found)
    return made


def _point(found: Explanation) -> dict[str, Any]:
    if found.point is None:
        parked = found.entry is not None and found.entry.parked is not None
        return {"": "none; its vector is parked for its new key" if parked else "none"}
    return _flat(point_object(found.point))


def _flat(made: Mapping[str, Any]) -> dict[str, Any]:
    """Nested keys with a dot."""
    flat: dict[str, Any] = {}
    for name, value in made.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": held for inner, held in value.items()}
        else:
            flat[name] = value
    return flat
