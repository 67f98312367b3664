"""What is remembered of a row does not count in a second look, and what it finds is counted."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.contract.source_contract import clean, opened
from tests.unit.pipeline.engine import SETTLE_S, TOPIC, Engine, entry
from worker.errors import FatalError
from worker.model import Key, Op, Outcome, Point, TopicPartition
from worker.source.port import UNKNOWN, Commit, Polled
from worker.store.port import Deletion

if TYPE_CHECKING:
    from worker.flow.ledger import PartitionLedger

PLACE = TopicPartition(TOPIC, 0)
ROW = (TOPIC, "1")
LATE_S = 40.0


def assigned(engine: Engine, left: Commit | None) -> PartitionLedger:
    """The partition came, and its end is reached after what is added now."""
    ours = engine.held.open(PLACE)
    engine.looks.begin([PLACE], {PLACE: left} if left else {})
    return ours


def late_write(engine: Engine, offset: int) -> None:
    """A point of an earlier change takes the place of what is there."""
    points = engine.store.points(TOPIC)
    point = points.get("1") or Point("1", np.ones(32, np.float32), {}, None)
    engine.store.upsert(TOPIC, [Point("1", point.vector, {"name": f"late {offset}"}, point.stamp)])


def pass_time(engine: Engine, seconds: float) -> None:
    engine.clock.advance(seconds)
    engine.lease.renew(engine.clock.now_s())
    engine.looks.tick()


@pytest.mark.parametrize("left", [opened(0), UNKNOWN])
def test_where_somebody_may_still_write_the_commit_waits_for_a_look(left: Commit) -> None:
    engine = Engine()
    ours = assigned(engine, left)
    engine.backlog.add(entry(ours, 0))
    engine.settle()
    assert (ours.next_offset, ours.finished_to) == (0, 1)


@pytest.mark.parametrize("left", [clean(0), None])
def test_where_nobody_can_write_the_commit_waits_for_nothing(left: Commit | None) -> None:
    engine = Engine()
    ours = assigned(engine, left)
    engine.backlog.add(entry(ours, 0))
    engine.settle()
    assert ours.next_offset == 1


def test_the_last_commit_says_when_anybody_wrote_last() -> None:
    engine = Engine()
    assert assigned(engine, None).inherited_s == -math.inf
    now_ms, now_s = engine.clock.unix_ms(), engine.clock.now_s()
    for left, age_s in ((clean(0), 0), (opened(0), 0), (written(0, now_ms - 4_000), 4)):
        assert assigned(engine, left).inherited_s == now_s - age_s
    assert assigned(engine, written(0, now_ms + 9_000)).inherited_s == now_s, "clocks differ"
    ours = assigned(engine, written(0, now_ms - 4_000))
    assert ours.written_ms == now_ms - 4_000


def written(next_offset: int, written_ms: int) -> Commit:
    return clean(next_offset)._replace(written_ms=written_ms)


def test_rows_are_forgotten_before_they_are_compared_and_when_work_begun_before_comes_back() -> (
    None
):
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.backlog.add(entry(ours, 0))
    engine.settle()
    engine.backlog.add(entry(ours, 1))
    engine.flight.launch(engine.take())
    assert engine.forgotten == []
    pass_time(engine, LATE_S)
    assert engine.forgotten == [ROW]
    while engine.flight.in_flight:
        engine.landing.take_back(1.0)
    assert engine.forgotten == [ROW, ROW]
    assert engine.backlog.rows == 0
    pass_time(engine, SETTLE_S)
    assert engine.backlog.rows == 1


def test_what_was_written_over_is_written_again_and_counted_apart() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.backlog.add(entry(ours, 0, name="new"))
    engine.settle()
    written = engine.store.points(TOPIC)["1"]
    late_write(engine, 0)
    pass_time(engine, LATE_S)
    engine.settle()
    assert engine.store.points(TOPIC)["1"].metadata == written.metadata
    assert engine.counters.outcomes == {Outcome.WRITTEN: 1}
    assert (engine.counters.compared_again, engine.counters.repaired) == (1, 1)
    assert ours.next_offset == 0
    pass_time(engine, 1.0)
    assert ours.next_offset == 1
    assert engine.counters.second_looks == 1


def test_the_commit_waits_until_what_is_being_compared_was_compared() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.backlog.add(entry(ours, 0))
    engine.settle()
    pass_time(engine, LATE_S)
    batch = engine.take()
    pass_time(engine, 1.0)
    assert (len(batch), ours.next_offset) == (1, 0)
    engine.flight.launch(batch)
    while engine.flight.in_flight:
        engine.landing.take_back(1.0)
    pass_time(engine, 1.0)
    assert ours.next_offset == 1


def test_a_row_is_compared_although_what_waited_for_it_became_a_dead_letter() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.backlog.add(entry(ours, 0))
    engine.settle()
    late_write(engine, 0)
    engine.backlog.add(entry(ours, 1, name="poison"))
    pass_time(engine, LATE_S)
    engine.settle()
    assert ours.next_offset == 0
    pass_time(engine, 1.0)
    engine.settle()
    assert engine.counters.repaired == 1


def test_what_has_to_be_compared_later_is_not_put_there_again_at_each_turn() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    created = entry(ours, 0, Op.CREATE)
    created.change = replace(created.change, moved_from=Key(TOPIC, (("id", 7),)))
    engine.backlog.add(created)
    for _ in range(60):
        engine.settle()
        pass_time(engine, 0.5)
        engine.backlog.wake(engine.clock.now_s())
    assert engine.backlog.rows == 0
    engine.store.delete(TOPIC, [Deletion("1", created.change.position)])
    pass_time(engine, LATE_S)
    engine.settle()
    pass_time(engine, 1.0)
    assert engine.backlog.rows == 1


def test_a_deleted_row_that_stayed_deleted_is_no_repair() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.backlog.add(entry(ours, 0, Op.DELETE))
    engine.settle()
    pass_time(engine, LATE_S)
    engine.settle()
    assert (engine.counters.compared_again, engine.counters.repaired) == (1, 0)


def test_a_letter_that_is_on_its_way_holds_the_commit_of_a_look_that_is_through() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.backlog.add(entry(ours, 0))
    engine.settle()
    engine.letters.down()
    engine.backlog.add(entry(ours, 1, row=2, name="poison"))
    engine.settle()
    pass_time(engine, LATE_S)
    engine.settle()
    pass_time(engine, 1.0)
    assert ours.next_offset == 0
    engine.letters.up()
    engine.rejects.settle()
    pass_time(engine, 1.0)
    assert ours.next_offset == 2


def test_what_failed_for_good_in_a_write_leaves_the_partition_in_doubt() -> None:
    engine = Engine()
    ours = assigned(engine, clean(0))
    engine.store.fail_next("upsert", FatalError("key revoked"))
    engine.backlog.add(entry(ours, 0))
    engine.flight.launch(engine.take())
    while engine.flight.in_flight:
        engine.landing.take_back(1.0)
    assert ours.is_in_doubt


def test_what_a_poll_brings_is_covered_only_up_to_the_end() -> None:
    engine = Engine()
    ours = assigned(engine, opened(0))
    engine.looks.take_in(Polled([entry(ours, 0).change.record], {PLACE: 1}))
    engine.backlog.add(entry(ours, 1))
    engine.settle()
    assert engine.looks.rows == 0
    pass_time(engine, LATE_S)
    assert engine.backlog.rows == 0
