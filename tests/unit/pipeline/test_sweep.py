"""A sweep deletes what is older, of its table and its partitions, when everybody sees it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.pipeline.engine import TOPIC, HookClock, ledger
from worker.document.builder import DocumentBuilder
from worker.document.spec import parse_spec
from worker.errors import FatalError, RecordError, Stage
from worker.marks.truncation import Truncation
from worker.marks.watermarks import TableWatermarks
from worker.model import ModelId, Origin, Point, Position, Stamp
from worker.pipeline.fence import Fence
from worker.pipeline.lease import Lease, LeaseExpired
from worker.pipeline.patience import Patience
from worker.pipeline.sweep import Sweeper
from worker.state.memory import MemoryStateTopic
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour

if TYPE_CHECKING:
    from worker.flow.ledger import PartitionLedger

SETTLE_S = 20.0
MARK = Truncation(TOPIC, "id", Origin("postgresql", "shop", "public", "products", 5_000, 100))


def point(
    point_id: str,
    source_position: int | None = 50,
    *,
    partition: int = 0,
    topic_id: str = "id",
    table: str = "products",
    updated_at: int | None = 4_900,
) -> Point:
    stamp = Stamp("f", Position(topic_id, partition, 1), "m", source_position)
    metadata: dict[str, str | int] = {"source_table": table}
    if updated_at is not None:
        metadata["updated_at"] = updated_at
    return Point(point_id, np.ones(2, np.float32), metadata, stamp)


class Bench:
    def __init__(self, point_id: str = "${key}", namespace: str = "${topic}") -> None:
        self.clock = HookClock()
        behaviour = MemoryBehaviour(guarded=False, settle_s=SETTLE_S)
        self.store = MemoryStore(MemoryConfig(), behaviour=behaviour, clock=self.clock)
        spec = parse_spec(fields="name", namespace=namespace, point_id=point_id)
        self.namespace = TOPIC if namespace == "${topic}" else namespace
        self.watermarks = TableWatermarks(MemoryStateTopic())
        self.watermarks.write(MARK)
        self.lease = Lease(self.clock, 10_000.0)
        self.sweeper = Sweeper(
            DocumentBuilder(spec, ModelId("fake", "fake", 2)),
            Fence(self.store, self.clock),
            self.watermarks,
            self.lease,
            Patience(abort=threading.Event(), clock=self.clock),
        )

    def sweep(self, *ledgers: PartitionLedger) -> set[str]:
        """The ids that are left."""
        by_partition = {one.partition.partition: one for one in ledgers}
        (due,) = self.watermarks.due(TOPIC, list(by_partition))
        self.sweeper.run(due, by_partition)
        return set(self.store.points(self.namespace))

    def put(self, *points: Point) -> None:
        self.store.upsert(self.namespace, points)
        self.clock.advance(SETTLE_S)

    def due(self) -> set[int]:
        return {p for due in self.watermarks.due(TOPIC, [0, 1]) for p in due.partitions}


def test_older_points_of_its_partitions_go_and_newer_ones_stay() -> None:
    bench = Bench()
    bench.put(point("old"), point("new", 100), point("elsewhere", partition=1))
    assert bench.sweep(ledger(0)) == {"new", "elsewhere"}
    assert bench.due() == {1}


def test_points_of_an_earlier_topic_of_the_name_belong_to_partition_0() -> None:
    bench = Bench()
    bench.put(point("1", topic_id="before", partition=7))
    assert bench.sweep(ledger(1)) == {"1"}
    assert bench.sweep(ledger(0)) == set()


def test_points_that_tables_share_a_namespace_with_are_told_by_table_and_id() -> None:
    bench = Bench("${schema}:${key}", "all")
    bench.put(
        point("public:1"), point("archive:1"), point("public:2", table="customers"), point("x")
    )
    assert bench.sweep(ledger(0)) == {"archive:1", "public:2", "x"}


def test_what_nobody_can_date_stays_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.put(point("1", None, updated_at=None), point("2", None, updated_at=4_999))
    assert bench.sweep(ledger(0)) == {"1"}
    assert any("1 points stay" in message for message in caplog.messages)
    assert bench.due() == {1}


def test_a_write_that_was_under_way_is_found_as_the_sweep_waits_until_it_is_seen() -> None:
    bench = Bench()
    bench.put(point("1"))

    def land() -> None:
        bench.clock.meanwhile = None
        bench.store.upsert(TOPIC, [point("late")])

    bench.clock.meanwhile = land
    assert bench.sweep(ledger(0)) == set()


def test_of_a_partition_that_goes_nothing_is_deleted_and_it_stays_due() -> None:
    bench, ours = Bench(), ledger(0)
    bench.put(point("1"))
    bench.clock.meanwhile = ours.close
    assert bench.sweep(ours) == {"1"}
    assert bench.due() == {0, 1}


def test_without_a_lease_nothing_is_deleted() -> None:
    bench = Bench()
    bench.put(point("1"))
    bench.clock.advance(20_000.0)
    with pytest.raises(LeaseExpired):
        bench.sweep(ledger(0))
    assert bench.due() == {0, 1}


def test_a_point_that_the_store_refuses_to_delete_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.put(point("1"), point("2"))
    bench.store.refuse("1", RecordError("no", stage=Stage.STORE, kind="Refused"))
    assert bench.sweep(ledger(0)) == {"1"}
    assert any("1 as the store refused" in message for message in caplog.messages)


def test_of_two_partitions_only_the_one_that_stays_is_swept() -> None:
    bench, here, there = Bench(), ledger(0), ledger(1)
    bench.put(point("1"), point("2", partition=1))
    bench.clock.meanwhile = there.close
    assert bench.sweep(here, there) == {"2"}
    assert bench.due() == {1}


def test_of_a_partition_that_is_being_given_up_nothing_more_is_deleted() -> None:
    bench, going = Bench(), ledger(0)
    bench.put(point("1"))
    going.is_going = True
    assert bench.sweep(going) == {"1"}
    assert bench.due() == {0, 1}


def test_a_delete_without_an_answer_is_known_to_be_on_its_way() -> None:
    bench, ours = Bench(), ledger(0)
    bench.put(point("1"))
    bench.store.fail_next("delete", FatalError("no answer"))
    with pytest.raises(FatalError):
        bench.sweep(ours)
    assert ours.is_in_doubt
    assert not ours.sweeps
    other = ledger(0)
    assert bench.sweep(other) == set()
    assert not other.is_in_doubt
