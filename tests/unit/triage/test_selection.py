from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.triage.office import HOUR_MS, NOON_MS, Office
from worker.errors import ConfigError, Stage
from worker.explain.wanted import Wanted
from worker.letters.standing import LetterState
from worker.triage.selection import OPEN_STATES, Selection, Stretch, moment_of, states_of

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def test_letters_are_chosen_by_each_of_their_sides() -> None:
    office = Office(partitions=2)
    office.fail(1)
    office.fail(2, kind="BrokenAvro", stage=Stage.VALUE_CONVERTER, at_ms=NOON_MS + HOUR_MS)
    office.fail(3, table="orders", row=7, partition=1)
    assert office.names() == ["0:0", "0:1", "1:0"]
    assert office.names(kinds=frozenset({"BrokenAvro"})) == ["0:1"]
    assert office.names(stages=frozenset({"EMBED"})) == ["0:0", "1:0"]
    assert office.names(tables=frozenset({"products"})) == ["0:0", "0:1"]
    assert office.names(tables=frozenset({"public.orders"})) == ["1:0"]
    assert office.names(since_ms=NOON_MS + 1) == ["0:1"]
    assert office.names(until_ms=NOON_MS + 1) == ["0:0", "1:0"]
    assert office.names(stretches=(Stretch(1),)) == ["1:0"]
    assert office.names(stretches=(Stretch(0, 0, 0), Stretch(1))) == ["0:0", "1:0"]
    assert office.names(key=Wanted.parse("id=7")) == ["1:0"]


def test_all_conditions_must_hold() -> None:
    office = Office()
    office.fail(1)
    office.fail(2, kind="BrokenAvro")
    chosen = {"kinds": frozenset({"BrokenAvro"}), "stretches": (Stretch(0, 0, 0),)}
    assert office.names(**chosen) == []


def test_letters_are_chosen_by_what_became_of_them() -> None:
    office = Office()
    first, second = office.fail(1), office.fail(2)
    office.book.settle(first, LetterState.REPLAYED)
    assert office.names(states=OPEN_STATES) == [f"0:{second.offset}"]
    assert office.names(states=frozenset({LetterState.REPLAYED})) == ["0:0"]


@pytest.mark.parametrize(
    ("text", "stretch"),
    [("3", Stretch(3)), ("3:120", Stretch(3, 120, 120)), (" 0:5-9 ", Stretch(0, 5, 9))],
)
def test_places_are_written_as_partition_offset_or_range(text: str, stretch: Stretch) -> None:
    assert Stretch.parse(text) == stretch


@pytest.mark.parametrize("text", ["", "a", "0:", "-1", "0:9-", "0:1:2"])
def test_another_place_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="PARTITION:OFFSET"):
        Stretch.parse(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-26T12:00", NOON),
        ("2026-11-26", NOON.replace(hour=0)),
        ("2026-11-26T13:00+01:00", NOON),
        ("2h", NOON.replace(hour=10)),
        ("90s", NOON.replace(hour=11, minute=58, second=30)),
        ("3d", NOON.replace(day=23)),
    ],
)
def test_times_are_moments_or_ages(text: str, moment: datetime) -> None:
    assert moment_of(text, lambda: NOON) == int(moment.timestamp() * 1000)


def test_what_is_no_time_is_refused_with_examples() -> None:
    with pytest.raises(ConfigError, match="45m"):
        moment_of("yesterday")


def test_states_have_names_and_all_is_every_one() -> None:
    assert states_of(None) == OPEN_STATES
    assert states_of(["discarded", "open"]) == {LetterState.DISCARDED, LetterState.OPEN}
    assert states_of(["all"]) == frozenset(LetterState)
    with pytest.raises(ConfigError, match="quarantined"):
        states_of(["closed"])


def test_a_state_alone_is_no_filter() -> None:
    assert not Selection(states=OPEN_STATES).has_filter
    assert Selection(states=OPEN_STATES, kinds=frozenset({"X"})).has_filter
