"""The letters of one connector: bounded in memory, closed by all that the topic holds."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from tests.unit.triage.office import TOPIC, Office
from worker.console.room import Room, Tools
from worker.model import TopicPartition
from worker.triage.selection import Selection, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.triage.mailbox import Mailbox

PLACE = TopicPartition(TOPIC, 0)


class Desk:
    """A room in front of an office; counts how often connections were opened."""

    def __init__(self, most: int = 100) -> None:
        self.office = Office()
        self.opened = 0
        self.closed = 0
        tools = Tools(
            mailbox=self._mailbox,
            closing=lambda: nullcontext(self.office.closing),
            foresight=lambda: pytest.fail("nobody asks for it"),
            places=set,
        )
        self.room = Room(TOPIC, tools, most)

    @contextmanager
    def _mailbox(self) -> Iterator[Mailbox]:
        self.opened += 1
        yield self.office.mailbox
        self.closed += 1

    @property
    def names(self) -> list[str]:
        return [case.letter.name for case in self.room.look().all]


def test_the_newest_are_looked_at_and_what_comes_later() -> None:
    desk = Desk(most=3)
    for offset in range(10):
        desk.office.fail(offset)
    assert desk.names == ["0:7", "0:8", "0:9"]
    desk.office.fail(10)
    assert desk.names == ["0:7", "0:8", "0:9", "0:10"]


def test_how_far_the_topic_is_closed_counts_letters_that_are_not_looked_at() -> None:
    desk = Desk(most=3)
    for offset in range(10):
        desk.office.fail(offset)
    desk.room.discard(Selection(stretches=(Stretch(0, 7),)), "not needed")
    assert desk.office.committed == {PLACE: 0}
    everything = Desk()
    for offset in range(10):
        everything.office.fail(offset)
    everything.room.discard(Selection(stretches=(Stretch(0, 0, 6),)), "not needed")
    assert everything.office.committed == {PLACE: 7}


def test_a_room_that_nobody_looks_at_drops_its_connections_and_opens_again() -> None:
    desk = Desk()
    desk.office.fail(0)
    assert desk.names == ["0:0"]
    desk.room.rest(idle_s=60.0)
    assert desk.closed == 0
    desk.room.rest(idle_s=0.0)
    assert (desk.opened, desk.closed) == (1, 1)
    desk.office.fail(1)
    assert desk.names == ["0:0", "0:1"]
    assert desk.opened == 2
