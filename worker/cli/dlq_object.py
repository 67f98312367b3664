"""What the dead-letter commands print as JSON; the keys are stable."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from worker.cli.explain_object import letter_object, moment_or_none
from worker.triage.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.letters.case import Case
    from worker.letters.standing import Standing
    from worker.triage.mailbox import Found
    from worker.triage.outlook import Outlook
    from worker.triage.replay import Replay


def write(made: Mapping[str, Any], *, indented: bool = True) -> None:
    """To the standard output."""
    option = orjson.OPT_INDENT_2 if indented else 0
    sys.stdout.buffer.write(orjson.dumps(made, option=option) + b"\n")
    sys.stdout.buffer.flush()


def list_object(
    connector: str, topic: str, found: Found, chosen: Tally, shown: Sequence[Case]
) -> dict[str, Any]:
    """``states`` is of all its letters, everything else of those that were asked for.

    ``other_records`` of the topic are nobody's letters, or those of others that share it.
    """
    return {
        "connector": connector,
        "topic": topic,
        "states": by_state(Tally.of(found.all)),
        "other_records": found.strangers,
        **tally_object(chosen),
        "records": [case_object(case) for case in shown],
    }


def by_state(tally: Tally) -> dict[str, int]:
    """Names of states."""
    return {state.value: count for state, count in sorted(tally.states.items())}


def tally_object(tally: Tally) -> dict[str, Any]:
    """Totals; hours as the moments at which they began, in UTC."""
    hours = {moment_or_none(ms): count for ms, count in sorted(tally.hours.items())}
    return {
        "letters": tally.letters,
        "by_class": _counts(tally.kinds),
        "by_stage": _counts(tally.stages),
        "by_table": _counts(tally.tables),
        "by_hour": hours,
        "first_seen": moment_or_none(tally.first_ms),
        "last_seen": moment_or_none(tally.last_ms),
    }


def case_object(case: Case) -> dict[str, Any]:
    """One letter, without anything of its row."""
    letter = case.letter
    return {
        **letter_object(letter),
        "state": case.state.value,
        "table": case.table,
        "status": letter.status or None,
        "replays": letter.replays,
        "failed_at": moment_or_none(letter.failed_ms),
        "committed_at": moment_or_none(letter.committed_ms),
        "source_position": letter.source_position,
        "schema_ids": {"key": letter.key_schema_id, "value": letter.value_schema_id},
        "worker_version": letter.version or None,
        "standing": standing_object(case.standing),
    }


def standing_object(standing: Standing) -> dict[str, Any]:
    """What became of a letter."""
    return {
        "note": standing.note or None,
        "at": moment_or_none(standing.at_ms),
        "run": standing.run or None,
    }


def replay_object(run: Replay, *, lost: int, worn: int, left: int) -> dict[str, Any]:
    """How a replay ended; ``left`` is what is open in the whole topic."""
    return {
        "asked": len(run.letters),
        **{state.value: count for state, count in sorted(run.answers().items())},
        "unanswered": run.unanswered,
        "not_of_this_connector": lost,
        "in_quarantine": worn,
        "left_open": left,
        "waiting_for": dict(run.delays()),
        "undecided": [
            {"partition": letter.partition, "offset": letter.offset, "why": standing.note}
            for letter, standing in run.undecided().items()
        ],
    }


def outlook_object(outlooks: Sequence[Outlook]) -> dict[str, Any]:
    """What a replay would do."""
    return {
        "letters": len(outlooks),
        "fates": _counts(Counter(one.fate.value for one in outlooks)),
        "records": [
            {
                "partition": one.letter.partition,
                "offset": one.letter.offset,
                "fate": one.fate.value,
                "why": one.why or None,
            }
            for one in outlooks
        ],
    }


def _counts(counted: Counter[str]) -> dict[str, int]:
    return dict(counted.most_common())
