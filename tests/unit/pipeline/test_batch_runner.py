from __future__ import annotations

import numpy as np
import pytest

from tests.unit.pipeline.engine import SESSION_S, TOPIC, Engine, entry, ledger
from worker.errors import FatalError, LimitedError, RecordError, RetriableError, Stage
from worker.model import Op, Outcome, Point, Stamp
from worker.throttle.rates import Rates

AWAY = RetriableError("away", retry_after_s=0.1)
REFUSED = RecordError("no", stage=Stage.STORE, kind="Refused")


@pytest.mark.parametrize("op", [Op.UPDATE, Op.DELETE])
def test_a_write_is_not_tried_again_once_the_partition_is_gone(op: Op) -> None:
    engine, ours = Engine(), ledger()
    work = engine.work(entry(ours, 1, op))
    engine.store.fail_next("upsert", AWAY)
    engine.store.fail_next("delete", AWAY)
    engine.clock.meanwhile = ours.close
    (item,) = engine.runner.run([work]).items
    assert item.outcome is None
    assert engine.store.calls["upsert"] + engine.store.calls["delete"] == 1
    assert engine.store.points(TOPIC) == {}


def test_a_write_that_is_tried_again_leaves_out_only_what_is_gone() -> None:
    engine, ours, lost = Engine(), ledger(0), ledger(1)
    works = [engine.work(entry(ours, 1, row=1)), engine.work(entry(lost, 1, row=2))]
    engine.store.fail_next("upsert", AWAY)
    engine.clock.meanwhile = lost.close
    outcomes = [item.outcome for item in engine.runner.run(works).items]
    assert outcomes == [Outcome.WRITTEN, None]
    assert engine.store.points(TOPIC).keys() == {"1"}


def test_nothing_is_embedded_for_a_partition_that_is_gone() -> None:
    engine, ours = Engine(), ledger()
    work = engine.work(entry(ours, 1))
    ours.close()
    (item,) = engine.runner.run([work]).items
    assert item.outcome is None
    assert engine.embedder.calls == 0


def test_what_was_answered_is_written_when_a_partition_is_given_up_while_a_call_waits() -> None:
    engine, ours = Engine(rates=Rates(inputs=1)), ledger()
    works = [engine.work(entry(ours, row, row=row, name=f"text {row}")) for row in (1, 2)]

    def give_up() -> None:
        ours.is_going = True

    engine.clock.meanwhile = give_up
    outcomes = [item.outcome for item in engine.runner.run(works).items]
    assert sorted(map(str, outcomes)) == [str(None), str(Outcome.WRITTEN)]
    assert engine.embedder.calls == 1


def test_who_waits_as_the_provider_asked_ends_when_a_partition_is_given_up() -> None:
    engine, ours = Engine(), ledger()
    work = engine.work(entry(ours, 1))
    engine.embedder.fail_next(LimitedError("429", retry_after_s=90.0))

    def give_up() -> None:
        ours.is_going = True

    engine.clock.meanwhile = give_up
    before_s = engine.clock.now_s()
    (item,) = engine.runner.run([work]).items
    assert item.outcome is None
    assert engine.clock.now_s() - before_s < 3.0


def test_nothing_is_written_when_the_last_poll_is_older_than_the_session() -> None:
    engine, ours = Engine(), ledger()
    gone = engine.work(entry(ours, 1, Op.DELETE))
    engine.clock.advance(SESSION_S + 1)
    (item,) = engine.runner.run([gone]).items
    assert item.outcome is None
    assert engine.store.calls["delete"] == 0


def test_what_was_written_keeps_its_outcome_when_the_rest_is_interrupted() -> None:
    engine, ours = Engine(), ledger()
    written = engine.work(entry(ours, 1, row=1))
    deleted = engine.work(entry(ours, 2, Op.DELETE, row=2))
    engine.store.fail_next("delete", AWAY)
    engine.clock.meanwhile = engine.abort.set
    outcomes = [item.outcome for item in engine.runner.run([written, deleted]).items]
    assert outcomes == [Outcome.WRITTEN, None]


def test_equal_texts_of_one_batch_are_embedded_once() -> None:
    engine, ours = Engine(), ledger()
    works = [engine.work(entry(ours, row, row=row, name="same")) for row in range(5)]
    report = engine.runner.run(works)
    assert report.bill.texts == 1
    assert {item.outcome for item in report.items} == {Outcome.WRITTEN}


def test_a_refused_text_fails_its_rows_and_no_others() -> None:
    engine, ours = Engine(), ledger()
    names = ["good", "poison", "poison", "fine"]
    works = [engine.work(entry(ours, row, row=row, name=name)) for row, name in enumerate(names)]
    outcomes = [item.outcome for item in engine.runner.run(works).items]
    assert [isinstance(one, RecordError) for one in outcomes] == [False, True, True, False]
    assert engine.store.points(TOPIC).keys() == {"0", "3"}


def test_a_point_that_the_store_refuses_fails_alone() -> None:
    engine, ours = Engine(), ledger()
    works = [engine.work(entry(ours, row, row=row)) for row in range(3)]
    engine.store.refuse("1", REFUSED)
    outcomes = [item.outcome for item in engine.runner.run(works).items]
    assert outcomes == [Outcome.WRITTEN, REFUSED, Outcome.WRITTEN]


def test_a_change_of_metadata_alone_is_not_embedded() -> None:
    engine, ours = Engine(), ledger()
    engine.runner.run([engine.work(entry(ours, 1, price=1))])
    (item,) = engine.runner.run([engine.work(entry(ours, 2, price=2))]).items
    assert item.outcome is Outcome.REUSED
    assert engine.embedder.texts == 1
    assert engine.store.points(TOPIC)["1"].metadata["price"] == 2


def test_points_of_another_model_end_the_batch() -> None:
    engine, ours = Engine(), ledger()
    engine.runner.run([engine.work(entry(ours, 1))])
    other = Engine(model="other")
    other.use(engine.store)
    with pytest.raises(FatalError, match="cannot be compared"):
        other.runner.run([other.work(entry(ours, 2, row=2))])


def test_an_old_delete_and_its_tombstone_from_another_partition_leave_a_newer_row() -> None:
    engine, here, there = Engine(), ledger(0), ledger(1)
    for one in (
        entry(here, 5, committed_ms=2_000),
        entry(there, 8, Op.DELETE, committed_ms=1_000),
        entry(there, 9, Op.TOMBSTONE, timestamp_ms=1_000),
    ):
        engine.backlog.add(one)
        engine.settle()
    assert engine.offset_in_index() == 5
    assert engine.counters.outcomes == {Outcome.WRITTEN: 1, Outcome.STALE: 2}


def test_nor_do_they_when_the_tombstone_was_produced_late() -> None:
    engine, here, there = Engine(), ledger(0), ledger(1)
    engine.backlog.add(entry(here, 5, committed_ms=2_000))
    engine.settle()
    engine.backlog.add(entry(there, 8, Op.DELETE, committed_ms=1_000))
    engine.backlog.add(entry(there, 9, Op.TOMBSTONE, timestamp_ms=9_000))
    engine.settle()
    assert engine.offset_in_index() == 5


def test_a_newer_delete_from_another_partition_removes_the_row() -> None:
    engine, here, there = Engine(), ledger(0), ledger(1)
    engine.backlog.add(entry(here, 5, committed_ms=1_000))
    engine.settle()
    engine.backlog.add(entry(there, 8, Op.DELETE, committed_ms=2_000))
    engine.settle()
    assert engine.offset_in_index() is None


@pytest.mark.parametrize("last", [Op.UPDATE, Op.DELETE])
def test_a_late_write_of_a_swallowed_change_finds_a_newer_position(last: Op) -> None:
    engine, ours = Engine(guarded=True), ledger()
    engine.runner.run([engine.work(entry(ours, 1))])
    engine.runner.run([engine.work(entry(ours, 2, last, name="as it stays"))])  # known from now on

    swallowed = entry(ours, 3, Op.UPDATE, name="in between")
    engine.runner.run([engine.work(swallowed, entry(ours, 4, last, name="as it stays"))])
    vector = np.ones(32, np.float32)
    stamp = Stamp("in between", swallowed.change.position, "fake/fake/32")
    engine.store.upsert(TOPIC, [Point("1", vector, {}, stamp)])

    assert engine.offset_in_index() == (None if last is Op.DELETE else 4)
