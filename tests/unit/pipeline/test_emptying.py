"""Truncates are carried out beside the task's thread, those of several tables side by side."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.unit.pipeline.engine import HookClock
from worker.flow.ledger import Ledger
from worker.marks.watermarks import TableWatermarks
from worker.model import Origin, Record, TopicPartition
from worker.pipeline.emptying import CarriedOutTruncates
from worker.pipeline.fence import Fence
from worker.pipeline.lease import Lease
from worker.pipeline.patience import Patience
from worker.pipeline.sweep import Sweeper
from worker.state.memory import MemoryStateTopic
from worker.store.memory import MemoryConfig, MemoryStore
from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    from worker.document.place import Place

TABLES = 8


class Rendezvous:
    """Tables of which none is swept before all of them are about to be."""

    def __init__(self) -> None:
        self._all = threading.Barrier(TABLES, timeout=5.0)

    def namespace_of(self, place: Place) -> str:
        self._all.wait()
        return place.topic

    def may_own(self, place: Place, point_id: str) -> bool:
        return False


def test_tables_that_are_truncated_together_wait_for_the_store_together() -> None:
    clock, watermarks = HookClock(), TableWatermarks(MemoryStateTopic())
    store = MemoryStore(MemoryConfig(), clock=clock)
    patience = Patience(abort=threading.Event(), clock=clock)
    lease = Lease(clock, 10_000.0)
    sweeper = Sweeper(Rendezvous(), Fence(store, clock), watermarks, lease, patience)
    truncates, ledger = CarriedOutTruncates(watermarks, sweeper, patience, Counters()), Ledger()
    for number in range(TABLES):
        topic = f"shop.table{number}"
        ours = ledger.open(TopicPartition(topic, 0))
        ours.receive(0)
        origin = Origin("mysql", "shop", None, f"table{number}", 5_000, 100)
        truncates.accept(Record(topic, 0, 0, None, b"t", topic_id="id"), ours, origin)
    until_s = time.monotonic() + 10.0
    while ledger.unfinished and time.monotonic() < until_s:
        truncates.tick(ledger)
        time.sleep(0.01)
    truncates.close()
    assert ledger.unfinished == 0
