"""What ``vecsink dlq replay`` prints for people: before, after, and instead of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table

from worker.cli.dlq_report import harmless
from worker.letters.standing import LetterState
from worker.triage.outlook import Fate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from worker.letters.case import Case
    from worker.triage.outlook import Outlook
    from worker.triage.replay import Replay

_MEANINGS = {
    LetterState.REPLAYED: "the index is as they say",
    LetterState.SUPERSEDED: "something newer is known of their rows",
    LetterState.RETURNED: "they failed again, and are newer letters now",
    LetterState.OPEN: "they stay open",
    LetterState.DISCARDED: "somebody discarded them meanwhile",
}
_WOULD = {
    Fate.WRITTEN: "would be written",
    Fate.DELETED: "would be deleted, with their points",
    Fate.UNCHANGED: "are in the index as they are",
    Fate.FILTERED: "have no place in the index",
    Fate.SUPERSEDED: "are superseded: something newer is known of their rows",
    Fate.FAILS: "would fail again",
    Fate.UNDECIDED: "would stay open",
}
_FEW = 10
"""Reasons that are shown."""


def print_left_out(console: Console, lost: Sequence[Case], worn: Sequence[Case]) -> None:
    """Letters that are not asked for, and why."""
    if worn:
        _say(console, f"{len(worn):,} in quarantine are left out: --force replays them, too.")
    if lost:
        topics = ", ".join(sorted({case.letter.topic for case in lost}))
        _say(console, f"{len(lost):,} are left out: the connector does not read {topics}.")


def print_summary(console: Console, topic: str, run: Replay, left: int) -> None:
    """How a replay ended."""
    answers = run.answers()
    if not run.letters:
        _say(console, f"{topic}: nothing to replay; {left:,} open.")
        return
    table = Table("letters", "state", "")
    table.columns[0].justify = "right"
    for state, count in answers.most_common():
        table.add_row(f"{count:,}", state.value, _MEANINGS.get(state, ""))
    if run.unanswered:
        table.add_row(f"{run.unanswered:,}", "asked", "not answered yet")
    console.print(table)
    reasons = Counter(standing.note for standing in run.undecided().values())
    for note, count in reasons.most_common(_FEW):
        _say(console, f"  {count:,} open: {harmless(note)}")
    if run.unanswered:
        for why, count in run.delays().items():
            _say(console, f"  {count:,} asked: {harmless(why)}")
        _say(
            console,
            f"{run.unanswered:,} stay asked for: a worker goes on with them. The same command "
            "waits for the rest.",
        )
    _say(console, f"{topic}: {left:,} open.")


def print_outlooks(console: Console, topic: str, outlooks: Sequence[Outlook]) -> None:
    """What a replay would do."""
    if not outlooks:
        _say(console, f"{topic}: nothing to replay.")
        return
    fates = Counter(one.fate for one in outlooks)
    table = Table("letters", "fate", "")
    table.columns[0].justify = "right"
    for fate, count in fates.most_common():
        table.add_row(f"{count:,}", fate.value, _WOULD[fate])
    console.print(table)
    reasons = Counter((one.fate, one.why) for one in outlooks if one.fate in _SAID)
    for (fate, why), count in reasons.most_common(_FEW):
        _say(console, f"  {count:,} {fate.value}: {harmless(why)}")
    _say(console, "Nothing was changed (--dry-run).")


_SAID = frozenset({Fate.FAILS, Fate.UNDECIDED})
"""Of these the reasons are shown."""


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=not console.is_terminal)
