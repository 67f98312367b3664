"""Deletes of a truncate and writes of batches never meet at one id."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pytest

from worker.clock import FakeClock
from worker.errors import RetriableError
from worker.model import Point, Position, Stamp
from worker.pipeline.fence import Fence
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.errors import RecordError

SETTLE_S = 10.0
LONGEST_WRITE_S = 30.0
TABLE = "products"


def point(point_id: str, source_position: int) -> Point:
    stamp = Stamp("f", Position("id", 0, source_position), "m", source_position)
    return Point(point_id, np.ones(2, np.float32), {}, stamp)


def is_old(one: Point) -> bool:
    return one.stamp is not None and (one.stamp.source_position or 0) < 100


class WaitingClock(FakeClock):
    """Really waits, for what another thread does."""

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(timeout_s)


class Bench:
    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        behaviour = MemoryBehaviour(
            guarded=False, settle_s=SETTLE_S, write_timeout_s=LONGEST_WRITE_S
        )
        self.store = MemoryStore(MemoryConfig(), behaviour=behaviour, clock=self.clock)
        self.fence = Fence(self.store, self.clock)

    def free(self, *ids: str, sweep: int = 1) -> list[str]:
        with self.fence.deleting("n", sweep, ids) as free:
            return list(free)


def test_without_a_truncate_everything_is_written() -> None:
    bench = Bench()
    bench.fence.upsert("n", [point("1", 5)])
    assert bench.store.points("n").keys() == {"1"}
    assert bench.free("1") == ["1"]


def test_what_the_truncate_covers_is_not_written_any_more_also_after_the_sweep() -> None:
    bench = Bench()
    with bench.fence.sweeping("n", TABLE, is_old):
        assert bench.fence.upsert("n", [point("1", 99), point("2", 100)]) == {}
    bench.fence.upsert("n", [point("3", 99)])
    bench.fence.upsert("other", [point("4", 99)])
    assert bench.store.points("n").keys() == {"2"}
    assert bench.store.points("other").keys() == {"4"}


def test_ids_written_during_the_sweep_are_not_deleted_until_readers_must_see_them() -> None:
    bench = Bench()
    with bench.fence.sweeping("n", TABLE, is_old):
        bench.fence.upsert("n", [point("1", 100)])
        assert bench.free("1", "2") == ["2"]
        bench.clock.advance(SETTLE_S + LONGEST_WRITE_S + 1)
        assert bench.free("1", "2") == ["1", "2"]


def test_an_id_whose_write_is_under_way_is_not_deleted_and_one_that_failed_is_remembered() -> None:
    bench = Bench()
    bench.store.fail_next("upsert", RetriableError("no answer"))
    with bench.fence.sweeping("n", TABLE, is_old):
        with pytest.raises(RetriableError):
            bench.fence.upsert("n", [point("1", 100)])
        assert bench.free("1") == []


class Slow(MemoryStore):
    """Something happens before a write lands."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        self.meanwhile()
        return super().upsert(namespace, points)


def test_a_write_that_did_not_know_of_a_sweep_does_not_keep_its_id_from_it() -> None:
    clock = FakeClock()
    behaviour = MemoryBehaviour(guarded=False, write_timeout_s=LONGEST_WRITE_S)
    store = Slow(MemoryConfig(), behaviour=behaviour, clock=clock)
    fence = Fence(store, clock)
    with ExitStack() as sweeps:
        first = sweeps.enter_context(fence.sweeping("n", TABLE, is_old))
        found: list[int] = []

        def begin_another() -> None:
            found.append(sweeps.enter_context(fence.sweeping("n", "another", lambda _: True)))

        store.meanwhile = begin_another
        fence.upsert("n", [point("1", 100)])
        assert store.points("n").keys() == {"1"}
        with fence.deleting("n", first, ["1"]) as free:
            assert list(free) == []
        with fence.deleting("n", found[0], ["1"]) as free:
            assert list(free) == ["1"]


def test_a_write_waits_until_the_delete_of_its_id_is_over() -> None:
    bench, written = Bench(WaitingClock()), threading.Event()

    def write() -> None:
        bench.fence.upsert("n", [point("1", 100)])
        written.set()

    with bench.fence.sweeping("n", TABLE, is_old):
        with bench.fence.deleting("n", 1, ["1"]):
            thread = threading.Thread(target=write)
            thread.start()
            bench.fence.upsert("n", [point("2", 100)])
            assert not written.wait(0.2)
        assert written.wait(10.0)
        thread.join()


def test_an_id_that_two_truncates_delete_is_written_when_both_are_through() -> None:
    bench = Bench()
    with bench.fence.sweeping("n", TABLE, is_old), bench.fence.deleting("n", 1, ["1"]):
        with bench.fence.deleting("n", 1, ["1"]):
            pass
        with pytest.raises(RetriableError):
            bench.fence.upsert("n", [point("1", 100)])
    bench.fence.upsert("n", [point("1", 100)])
    assert bench.store.points("n").keys() == {"1"}


def test_many_written_ids_are_forgotten_in_time() -> None:
    bench = Bench()
    with bench.fence.sweeping("n", TABLE, is_old):
        for number in range(5000):
            bench.fence.upsert("n", [point(str(number), 100)])
            bench.clock.advance(1.0)
        assert len(bench.fence._written["n"]._memories) < 2000
    assert "n" not in bench.fence._written
