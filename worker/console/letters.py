"""``/console/api/connectors/{connector}/letters``: what failed and why; never anything of rows."""

from __future__ import annotations

import uuid
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from worker.console.connectors import ONE
from worker.console.selecting import Wish, selection_of_query
from worker.dlq.reading import failures_of
from worker.errors import ConfigError
from worker.letters.standing import LetterState
from worker.rest.call import Answer
from worker.rest.router import Route
from worker.runtime.refusals import BadRequestError, NotFoundError
from worker.triage.replay import Terms
from worker.triage.selection import Stretch
from worker.triage.tally import Tally

if TYPE_CHECKING:
    from worker.console.port import Watcher
    from worker.dlq.port import Failure
    from worker.letters.case import Case
    from worker.rest.call import Call
    from worker.triage.mailbox import Found

_LETTERS = f"{ONE}/letters"
_OK, _BAD, _MISSING = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND
_SHOWN = 200
_ANSWERS = {_OK: "", _BAD: "ErrorMessage", _MISSING: "ErrorMessage"}


class LetterRoutes:
    """Lists and shows letters, and asks for replays."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        return (
            Route("GET", _LETTERS, self.all, "The newest.", _ANSWERS),
            Route("POST", f"{_LETTERS}/outlook", self.outlook, "What a replay would do.", _ANSWERS),
            Route("POST", f"{_LETTERS}/replay", self.replay, "Ask for a replay.", _ANSWERS),
            Route("POST", f"{_LETTERS}/discard", self.discard, "Close without one.", _ANSWERS),
            Route("GET", f"{_LETTERS}/{{letter}}", self.one, "One.", _ANSWERS),
        )

    def all(self, call: Call) -> Answer:
        """Totals of the states that are asked for, then the newest letters that fit."""
        wish = selection_of_query(call.query)
        room = self._watcher.letters(call.connector)
        found = room.look()
        by_state = [case for case in found.all if case.state in wish.selection.states]
        fitting = [case for case in by_state if wish.selection.fits(case)]
        newest = sorted(fitting, key=_age, reverse=True)[:_SHOWN]
        tally = Tally.of(by_state)
        return Answer(
            body={
                "topic": room.topic,
                "unseen": max(0, _held(found) - len(found.all) - found.strangers),
                "known": len(found.all),
                "states": {state.value: n for state, n in Tally.of(found.all).states.items()},
                "runs": _runs(found),
                "delays": _delays(found),
                "classes": _counts(tally.kinds),
                "stages": _counts(tally.stages),
                "tables": _counts(tally.tables),
                "hours": [[at_ms, count] for at_ms, count in sorted(tally.hours.items())],
                "first_ms": tally.first_ms,
                "last_ms": tally.last_ms,
                "fitting": len(fitting),
                "letters": [_line(case) for case in newest],
            }
        )

    def one(self, call: Call) -> Answer:
        """Everything about a letter but its row."""
        place = _place(call.arguments["letter"])
        room = self._watcher.letters(call.connector)
        found = room.at(place.partition, place.first)
        if found is None:
            raise NotFoundError(f"{room.topic} has no letter at {place.partition}:{place.first}")
        case, record = found
        sizes = {"key": record.key, "value": record.value}
        return Answer(
            body={
                **_line(case),
                "topic": room.topic,
                "failures": [_failure(one) for one in failures_of(record)],
                "bytes": {
                    part: None if data is None else len(data) for part, data in sizes.items()
                },
                "schema_ids": {
                    "key": case.letter.key_schema_id,
                    "value": case.letter.value_schema_id,
                },
                "source_position": case.letter.source_position,
                "worker_version": case.letter.version or None,
                "max_replays": case.max_replays,
            }
        )

    def outlook(self, call: Call) -> Answer:
        """What would become of letters if they were replayed now; nothing is changed."""
        wish = Wish.of(call.json_object())
        outlooks = self._watcher.letters(call.connector).outlooks(wish.selection, force=wish.force)
        fates = Counter(one.fate.value for one in outlooks)
        reasons = Counter((one.fate.value, one.why) for one in outlooks if one.why)
        return Answer(
            body={
                "letters": len(outlooks),
                "fates": dict(fates.most_common()),
                "reasons": [[fate, why, n] for (fate, why), n in reasons.most_common(10)],
            }
        )

    def replay(self, call: Call) -> Answer:
        """Ask, and return; the list says how far the run is, at any pod."""
        wish = Wish.of(call.json_object())
        terms = Terms(uuid.uuid4().hex[:8], wish.per_s, wish.force)
        asked = self._watcher.letters(call.connector).replay(wish.selection, terms)
        return Answer(
            body={
                "run": asked.run,
                "asked": asked.letters,
                "not_of_this_connector": asked.homeless,
                "in_quarantine": asked.worn,
            }
        )

    def discard(self, call: Call) -> Answer:
        """Close letters, with a reason that stays on record."""
        wish = Wish.of(call.json_object())
        if not wish.reason:
            raise BadRequestError("reason is empty: say why these are not needed")
        count = self._watcher.letters(call.connector).discard(wish.selection, wish.reason)
        return Answer(body={"discarded": count})


def _line(case: Case) -> dict[str, Any]:
    letter = case.letter
    return {
        "id": letter.name,
        "class": letter.kind,
        "stage": letter.stage,
        "table": case.table,
        "state": case.state.value,
        "message": letter.message,
        "status": letter.status or None,
        "attempts": letter.attempts,
        "replays": letter.replays,
        "came_ms": letter.came_ms,
        "committed_ms": letter.committed_ms,
        "origin": {
            "topic": letter.topic,
            "partition": letter.origin_partition,
            "offset": letter.origin_offset,
        },
        "note": case.standing.note or None,
        "note_ms": case.standing.at_ms,
        "run": case.standing.run or None,
    }


def _failure(one: Failure) -> dict[str, Any]:
    return {
        "topic": one.topic,
        "partition": one.partition,
        "offset": one.offset,
        "connector": one.connector,
        "stage": one.stage,
        "class": one.kind,
        "message": one.message,
        "status": one.status or None,
        "worker_version": one.version or None,
        "trace": one.trace or None,
    }


def _runs(found: Found) -> dict[str, dict[str, int]]:
    """What became of the letters of each replay."""
    runs: dict[str, Counter[str]] = {}
    for case in found.all:
        if case.standing.run:
            runs.setdefault(case.standing.run, Counter())[case.standing.state.value] += 1
    return {run: dict(states) for run, states in runs.items()}


def _delays(found: Found) -> dict[str, list[str]]:
    """Why the letters of a replay wait, as far as their owners say."""
    delays: dict[str, list[str]] = {}
    for case in found.all:
        note, said = case.standing.note, delays.setdefault(case.standing.run, [])
        if note and case.standing.state is LetterState.ASKED and note not in said:
            said.append(note)
    return {run: notes for run, notes in delays.items() if notes}


def _held(found: Found) -> int:
    return sum(reach.log.length for reach in found.ends.values())


def _counts(counted: Counter[str]) -> list[list[Any]]:
    return [[name, count] for name, count in counted.most_common()]


def _age(case: Case) -> tuple[int, int]:
    return case.letter.came_ms or 0, case.letter.offset


def _place(text: str) -> Stretch:
    try:
        place = Stretch.parse(text)
    except ConfigError as error:
        raise NotFoundError(str(error)) from error
    if place.last != place.first:
        raise NotFoundError(f"{text!r} is not one letter: PARTITION:OFFSET, such as 0:17")
    return place
