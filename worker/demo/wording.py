"""Changes and outcomes in the viewer's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Op, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.demo.shop import Event
    from worker.model import Value

_VERBS = {Op.CREATE: "INSERT", Op.UPDATE: "UPDATE", Op.DELETE: "DELETE"}
_SHORT = 14
"""Characters of a value that is worth showing in a line."""

DONE = {
    Outcome.WRITTEN: "embedded",
    Outcome.REUSED: "vector kept",
    Outcome.DELETED: "deleted",
}


def what_happened(event: Event) -> str:
    """One line about a change: ``UPDATE  41 Alder Quiet Headphones: price 209.90 -> 149.00``."""
    moved = ", ".join(_moved(column, *values) for column, values in event.moved.items())
    subject = f"{_VERBS.get(event.op, event.op)} {event.id:>3} "
    return subject + (moved or event.name)


def done_with(gained: Mapping[Outcome, int]) -> str:
    """What the worker did to the row; the tombstone behind a delete says nothing new."""
    for outcome, words in DONE.items():
        if gained.get(outcome):
            return words
    return ", ".join(outcome.value for outcome in gained)


def _moved(column: str, old: Value, new: Value) -> str:
    before, after = _word(old), _word(new)
    if len(before) > _SHORT or len(after) > _SHORT:
        return column
    return f"{column} {before} -> {after}"


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
