"""What the dead-letter commands print for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from worker.cli.explain_report import CONTROLS
from worker.explain.wording import moment
from worker.letters.standing import LetterState

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, RenderableType

    from worker.letters.case import Case
    from worker.triage.tally import Tally

_COLOURS = {
    LetterState.OPEN: "red",
    LetterState.ASKED: "yellow",
    LetterState.QUARANTINED: "magenta",
    LetterState.REPLAYED: "green",
}
MOST_OF_A_KIND = 8
"""Of a kind in a table of totals."""
_MOST_CHARACTERS = 90
"""Of a message in a table; ``show`` and ``--json`` have all of it."""
_UNNAMED = "(not said)"


def print_list(
    console: Console, topic: str, whole: Tally, chosen: Tally, shown: Sequence[Case]
) -> None:
    """Totals, then records."""
    console.print(Text(headline(topic, whole), "bold"), soft_wrap=True)
    if not chosen.letters:
        console.print("No letter is as asked for." if whole.letters else "It is empty.")
        return
    span = f"{chosen.letters:,} as asked for, from {_when(chosen.first_ms)}"
    console.print(Text(f"{span} to {_when(chosen.last_ms)}\n"), soft_wrap=True)
    console.print(Columns(totals(chosen)))
    if shown:
        console.print(records(shown, console.width))
    left = chosen.letters - len(shown)
    if left:
        console.print(f"{left:,} more: --limit {chosen.letters} shows all, --json too.")


def headline(topic: str, whole: Tally) -> str:
    """How many letters there are, by state."""
    states = ", ".join(f"{count:,} {state.value}" for state, count in sorted(whole.states.items()))
    letters = "letter" if whole.letters == 1 else "letters"
    return f"{topic}: {whole.letters:,} {letters}" + (f": {states}" if states else "")


def totals(tally: Tally) -> Iterator[RenderableType]:
    """One table for each way of counting."""
    hours = {
        moment(ms)[:13] + ":00 UTC": count
        for ms, count in sorted(tally.hours.items())[-MOST_OF_A_KIND:]
    }
    yield _counts("error class", dict(tally.kinds.most_common(MOST_OF_A_KIND)), tally.kinds)
    yield _counts("stage", dict(tally.stages.most_common(MOST_OF_A_KIND)), tally.stages)
    yield _counts("table", dict(tally.tables.most_common(MOST_OF_A_KIND)), tally.tables)
    yield _counts("hour", hours, tally.hours)


def _counts(title: str, shown: Mapping[str, int], whole: Counter[str] | Counter[int]) -> Table:
    table = Table(title, "letters")
    table.columns[1].justify = "right"
    for name, count in shown.items():
        table.add_row(plain(name) or _UNNAMED, f"{count:,}")
    left = len(whole) - len(shown)
    if left > 0:
        table.add_row(f"({left:,} more)", f"{whole.total() - sum(shown.values()):,}")
    return table


def records(shown: Sequence[Case], width: int) -> Table:
    """One line each, without anything of their rows; a narrow terminal sees the main columns."""
    columns = next(names for least, names in _COLUMNS if width >= least)
    table = Table(*columns)
    for column in table.columns:
        column.no_wrap = column.header != _MESSAGE
        if column.header in _NUMBERS:
            column.justify = "right"
    table.columns[-1].overflow = "fold"
    for case in shown:
        cells = _cells(case)
        table.add_row(*(cells[name] for name in columns))
    return table


_MESSAGE = "what happened"
_NUMBERS = ("letter", "replays")
_COLUMNS = (
    (140, ("letter", "came", "class", "table", "from", "state", "replays", _MESSAGE)),
    (100, ("letter", "came", "class", "from", "state", _MESSAGE)),
    (80, ("letter", "came", "class", _MESSAGE)),
    (0, ("letter", "class", _MESSAGE)),
)
"""By the least width, in characters."""


def _cells(case: Case) -> Mapping[str, str | Text]:
    letter = case.letter
    return {
        "letter": letter.name,
        "came": _when(letter.came_ms),
        "class": plain(letter.kind) or _UNNAMED,
        "table": plain(case.table),
        "from": f"{letter.origin_partition}@{letter.origin_offset}",
        "state": Text(case.state.value, _COLOURS.get(case.state, "")),
        "replays": str(letter.replays),
        _MESSAGE: plain(_short(letter.message)),
    }


def _short(message: str) -> str:
    return message if len(message) <= _MOST_CHARACTERS else f"{message[:_MOST_CHARACTERS]}…"


def harmless(text: str) -> str:
    """What comes from outside may not speak to the terminal."""
    return text.translate(CONTROLS)


def plain(text: str) -> str:
    """The same where it could be taken for markup."""
    return escape(harmless(text))


def _when(ms: int | None) -> str:
    return "?" if ms is None else f"{moment(ms)[:19]}Z".replace("T", " ")
