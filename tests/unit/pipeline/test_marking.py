"""A dead letter's row is marked before its offset is finished, and cleared by what is written."""

from __future__ import annotations

from tests.unit.pipeline.engine import TOPIC, Engine, entry, ledger
from worker.marks.dead_rows import DeadRows
from worker.model import Key, Op, Position
from worker.pipeline.marking import Marking
from worker.pipeline.patience import Patience
from worker.pipeline.rejects import Rejects
from worker.state.memory import MemoryStateTopic

ROW = Key(TOPIC, (("id", 1),))
LATER = Position("", 0, 0)
"""Compares with nothing, so it is not known to be before any dead letter."""


def test_a_dead_lettered_row_is_marked_and_a_whole_change_clears_it() -> None:
    engine, ours = Engine(), ledger()
    engine.backlog.add(entry(ours, 1, name="poison"))
    engine.settle()
    assert engine.marks.is_marked(ROW, LATER)
    assert ours.next_offset == 2
    engine.backlog.add(entry(ours, 2, name="good"))
    engine.settle()
    assert not engine.marks.is_marked(ROW, LATER)


def test_the_older_change_that_takes_the_dead_ones_place_does_not_clear_the_mark() -> None:
    engine, ours = Engine(), ledger()
    engine.backlog.add(entry(ours, 1, name="good"))
    engine.backlog.add(entry(ours, 2, name="poison"))
    engine.settle()
    assert engine.offset_in_index() == 1
    assert engine.marks.is_marked(ROW, LATER)


def test_a_delete_clears_the_mark() -> None:
    engine, ours = Engine(), ledger()
    engine.backlog.add(entry(ours, 1, name="poison"))
    engine.settle()
    engine.backlog.add(entry(ours, 2, Op.DELETE))
    engine.settle()
    assert not engine.marks.is_marked(ROW, LATER)


def test_the_offset_waits_for_the_mark_as_well_as_for_the_letter() -> None:
    engine, ours = Engine(), ledger()
    topic = MemoryStateTopic()
    topic.down()
    marks = DeadRows(topic)
    marking = Marking(marks, Patience(abort=engine.abort, clock=engine.clock))
    engine.rejects = Rejects(engine.letters, engine.counters, marking)
    engine.landing._rejects = engine.rejects
    engine.backlog.add(entry(ours, 1, name="poison"))
    batch = engine.take()
    engine.flight.launch(batch)
    while engine.flight.in_flight:
        engine.landing.take_back(1.0)
    for _ in range(100):
        engine.rejects.settle()
    assert len(engine.letters.records) == 1
    assert (ours.next_offset, engine.rejects.rows) == (1, 1)
    topic.up()
    while engine.rejects.rows:
        engine.rejects.settle()
    assert ours.next_offset == 2
    assert [key for key in topic.log.keys() if key != "dead/now"] != []  # noqa: SIM118 - not a dict
