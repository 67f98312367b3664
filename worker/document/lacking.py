"""What a change lacks for its document, said as errors."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from worker.errors import FatalError, RecordError, Stage

if TYPE_CHECKING:
    from worker.model import Change, Point, Stamp

UNAVAILABLE = "UnavailableColumn"
"""Kind of the error of a row that lacks what its document needs."""


def require(change: Change, columns: frozenset[str]) -> None:
    """Raise ``unavailable`` if one of the columns was left out."""
    if not change.unavailable.isdisjoint(columns):
        raise unavailable(change, columns)


def expect(stored: Point | None, change: Change, columns: frozenset[str]) -> Stamp:
    """The stamp of what is stored; without it, raise ``unavailable``."""
    if stored is None or stored.stamp is None:
        raise unavailable(change, columns)
    return stored.stamp


def unavailable(change: Change, columns: frozenset[str]) -> RecordError:
    """The error of a change that lacks what its document needs, with the ways out."""
    lacking = sorted(change.unavailable & columns)
    return RecordError(
        f"{change.record.topic}: Debezium left out {', '.join(lacking)}, as they are large and did "
        "not change, and the index cannot tell them; set REPLICA IDENTITY FULL on the table, add "
        "Debezium's reselect columns post processor to the source connector, or let vecsink read "
        "them by reselect.*",
        stage=Stage.DOCUMENT,
        kind=UNAVAILABLE,
    )


def no_text_column(change: Change, columns: frozenset[str]) -> FatalError:
    """The error of rows that have none of the columns that the text is made of."""
    wanted = sorted(columns)
    near = {hit for name in wanted for hit in get_close_matches(name, change.after, n=1)}
    hint = f"; the row has {', '.join(sorted(near))}" if near else ""
    return FatalError(
        f"rows of {change.record.topic} have no column {', '.join(wanted)}, so there is nothing to "
        f"embed{hint}: correct document.fields or document.template, or take the topic out"
    )
