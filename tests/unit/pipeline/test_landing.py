from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.pipeline.engine import Engine, entry, ledger
from worker.dlq.headers import CONNECT
from worker.errors import FatalError
from worker.model import Op, Outcome

if TYPE_CHECKING:
    import pytest


def dead_offsets(engine: Engine) -> list[int]:
    name = CONNECT + "offset"
    return [int(dict(record.headers)[name] or b"") for record in engine.letters.records]


def test_the_change_before_a_dead_lettered_one_takes_its_place() -> None:
    engine, ours = Engine(), ledger()
    engine.backlog.add(entry(ours, 1, name="good"))
    engine.backlog.add(entry(ours, 2, name="poison"))
    engine.settle()
    assert engine.offset_in_index() == 1
    assert dead_offsets(engine) == [2]
    assert ours.next_offset == 3


def test_an_older_change_of_another_partition_takes_the_place_of_a_dead_lettered_one() -> None:
    engine, here, there = Engine(), ledger(0), ledger(1)
    engine.backlog.add(entry(here, 5, name="poison", committed_ms=2_000))
    batch = engine.take()
    engine.backlog.add(entry(there, 9, name="good", committed_ms=1_000))
    engine.flight.launch(batch)
    while engine.flight.in_flight:
        engine.landing.take_back(1.0)
    assert here.next_offset == 5
    assert there.next_offset == 9
    engine.settle()
    assert engine.offset_in_index() == 9
    assert dead_offsets(engine) == [5]
    assert (here.next_offset, there.next_offset) == (6, 10)


def test_a_delete_swallows_for_good_what_came_before_it() -> None:
    engine, ours = Engine(), ledger()
    for one in (entry(ours, 1), entry(ours, 2, Op.DELETE), entry(ours, 3, Op.TOMBSTONE)):
        engine.backlog.add(one)
    engine.settle()
    assert engine.counters.outcomes == {Outcome.DELETED: 1, Outcome.SUPERSEDED: 2}
    assert ours.next_offset == 4


def test_a_dead_letter_holds_its_offset_until_the_broker_has_it() -> None:
    engine, ours = Engine(), ledger()
    engine.letters.down()
    engine.backlog.add(entry(ours, 1, name="poison"))
    engine.settle()
    assert ours.next_offset == 1
    engine.letters.up()
    engine.rejects.settle()
    assert ours.next_offset == 2


def test_nothing_is_dead_lettered_for_a_partition_that_is_gone() -> None:
    engine, ours = Engine(), ledger()
    engine.backlog.add(entry(ours, 1, name="poison"))
    batch = engine.take()
    engine.flight.launch(batch)
    (landed,) = engine.flight.collect(10.0)
    assert landed.report is not None
    ours.close()
    for item in landed.report.items:
        engine.landing._settle(item)
    engine.rejects.settle()
    assert engine.letters.records == []
    assert engine.backlog.rows == 0


def test_the_first_failure_is_the_one_that_is_kept() -> None:
    engine = Engine()
    first = FatalError("first")
    engine.landing.fail(first)
    engine.landing.fail(FatalError("second"))
    assert engine.landing.failure is first


def test_a_failure_of_many_batches_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine()
    for said in ("no key", "no key", "no model", "no key", "no model"):
        engine.landing.fail(FatalError(said))
    assert caplog.messages == ["And: no model"]


def test_work_of_a_failed_batch_waits_again() -> None:
    engine, ours = Engine(), ledger()
    engine.embedder.fail_next(FatalError("key revoked"))
    engine.backlog.add(entry(ours, 1))
    engine.flight.launch(engine.take())
    while engine.flight.in_flight:
        engine.landing.take_back(1.0)
    assert isinstance(engine.landing.failure, FatalError)
    assert engine.backlog.rows == engine.backlog.ready_rows == 1
    assert ours.next_offset == 1
    assert not engine.counters.outcomes


def test_what_the_index_shows_is_measured_against_its_commit() -> None:
    engine, ours = Engine(), ledger()
    engine.now_ms = 10_000.0
    engine.backlog.add(entry(ours, 1, row=1, committed_ms=9_000))
    engine.backlog.add(entry(ours, 2, Op.DELETE, row=2, committed_ms=8_000))
    engine.backlog.add(entry(ours, 3, Op.TOMBSTONE, row=2))
    engine.backlog.add(entry(ours, 4, Op.TOMBSTONE, row=3))
    engine.backlog.add(entry(ours, 5, Op.READ, row=4, committed_ms=1_000))
    engine.backlog.add(entry(ours, 6, row=5))
    engine.backlog.add(entry(ours, 7, row=6, committed_ms=1_000, name="poison"))
    engine.settle()
    found = engine.counters.freshness.by_table
    assert found.keys() == {"products"}
    assert (found["products"].counts.sum(), found["products"].sum_s) == (2, 3.0)


def test_fields_that_did_not_fit_are_counted_by_name() -> None:
    engine, ours = Engine(), ledger()
    engine.backlog.add(entry(ours, 1, price="x" * 40_000))
    engine.settle()
    engine.backlog.add(entry(ours, 2, row=2, price="x"))
    engine.settle()
    assert engine.counters.dropped_metadata == {"price": 1}
