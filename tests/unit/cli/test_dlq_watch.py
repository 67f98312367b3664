"""What ``vecsink dlq watch`` shows of a look, on a terminal and in a pipe."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console, ConsoleDimensions

from tests.unit.triage.office import NOON_MS, TOPIC, Office
from worker.cli.dlq_object import list_object
from worker.cli.dlq_watch import Look, frame, line
from worker.triage.tally import Tally
from worker.triage.vigil import Vigil

AT = datetime(2026, 11, 26, 3, 0, 7, tzinfo=UTC)
TRICK = "\x1b[2J"


def look_at(office: Office, trouble: str = "") -> Look:
    return Look(Vigil(office.mailbox).look(), AT, trouble)


def shown(look: Look, width: int, height: int = 40) -> list[str]:
    out = StringIO()
    frame_ = frame(TOPIC, look, ConsoleDimensions(width, height))
    Console(file=out, width=width).print(frame_)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_no_terminal_is_too_narrow_for_what_failed_and_why(width: int) -> None:
    office = Office()
    for offset in range(12):
        office.fail(offset)
    lines = shown(look_at(office), width)
    assert max(map(len, lines)) <= width
    assert sum("TextRefused" in one for one in lines) == 11, "the total, and the ten newest"
    assert any("0:11" in one for one in lines)


def test_a_low_terminal_shows_fewer_of_them_and_none_scrolls_away() -> None:
    office = Office()
    for offset in range(12):
        office.fail(offset)
    lines = shown(look_at(office), 100, height=20)
    assert len(lines) <= 19
    assert sum("the text is refused" in one for one in lines) == 7


def test_while_the_brokers_are_away_it_says_how_old_the_numbers_are() -> None:
    office = Office()
    office.fail(1)
    text = " ".join(shown(look_at(office, f"Kafka does not answer{TRICK}"), 100))
    assert "As of 03:00:07 UTC: Kafka does not answer" in text
    assert TRICK not in text
    assert "1 open" in text


def test_without_letters_it_says_that_nothing_is_open() -> None:
    assert "Nothing is open." in shown(look_at(Office()), 80)


def test_a_line_for_a_pipe_changes_only_with_the_letters() -> None:
    office = Office()
    office.fail(1)
    before = line(TOPIC, look_at(office))
    assert before == line(TOPIC, Look(Vigil(office.mailbox).look(), datetime.now(UTC)))
    office.fail(2, kind="BrokenAvro", at_ms=NOON_MS + 1000)
    after = line(TOPIC, look_at(office))
    assert after.startswith(f"{TOPIC}: 2 letters: 2 open (1 TextRefused, 1 BrokenAvro); the last")
    away = line(TOPIC, look_at(office, "Kafka does not answer"))
    assert away == f"{after}; not known any better: Kafka does not answer"


@pytest.mark.parametrize("at_ms", [2**63 - 1, -(2**63)])
def test_a_letter_of_no_time_that_a_calendar_knows_is_shown_all_the_same(at_ms: int) -> None:
    office = Office()
    office.fail(1, at_ms=at_ms)
    look = look_at(office)
    assert line(TOPIC, look).startswith(f"{TOPIC}: 1 letter: 1 open")
    assert any("TextRefused" in one for one in shown(look, 100))
    assert list_object("shop", TOPIC, look.found, Tally.of(look.found.all), look.found.all)
