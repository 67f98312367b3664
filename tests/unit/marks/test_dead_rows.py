"""Marks of rows with dead letters."""

from __future__ import annotations

from worker.marks.dead_rows import DeadRows
from worker.model import Key, Position
from worker.state.memory import MemoryStateTopic

ROW = Key("orders", (("id", 1),))


def at(offset: int) -> Position:
    return Position("orders-id", 0, offset)


def test_an_older_letter_that_fails_again_leaves_the_mark_of_the_newer_one() -> None:
    marks = DeadRows(MemoryStateTopic())
    marks.mark(ROW, at(7))
    marks.mark(ROW, at(3))
    marks.clear(ROW, at(5))
    assert marks.is_marked(ROW, at(9)), "what failed at 7 is still missing"
    marks.clear(ROW, at(7))
    assert not marks.is_marked(ROW, at(9))
