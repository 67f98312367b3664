"""Writes that readers see later, in their order."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from worker.clock import FakeClock
from worker.pinecone_local.index import Index
from worker.pinecone_local.persistence import Entry
from worker.pinecone_local.records import Metric
from worker.pinecone_local.replay import command_of
from worker.pinecone_local.shape import Shape

SHAPE = Shape(dense_field="_values", dimension=2, metric=Metric.COSINE)


class Delayed:
    """An index whose delay a test sets."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.delay_s = 0.0
        self.index = Index(SHAPE, clock=self.clock, visibility_s=lambda: self.delay_s)

    def write(self, operation: str, **body: object) -> None:
        entry = Entry(operation, "n", orjson.dumps({"namespace": "n", **body}))
        self.index.write(command_of(SHAPE, entry), entry)

    def ids(self) -> list[str]:
        namespace = self.index.visible.get("n")
        return [] if namespace is None else list(namespace.ids())


def test_a_write_is_seen_when_its_time_has_come() -> None:
    delayed = Delayed()
    delayed.delay_s = 2.0
    delayed.write("upsert", vectors=[{"id": "a", "values": [1, 2]}])

    assert delayed.ids() == []
    assert delayed.index.visible_lsn == 0
    assert delayed.index.committed_lsn == 1
    delayed.clock.advance(1.9)
    assert delayed.ids() == []
    delayed.clock.advance(0.2)
    assert delayed.ids() == ["a"]
    assert delayed.index.visible_lsn == 1


def test_namespace_exists_before_it_is_seen() -> None:
    delayed = Delayed()
    delayed.delay_s = 5.0
    assert not delayed.index.exists("n")
    delayed.write("upsert", vectors=[{"id": "a", "values": [1, 2]}])

    assert delayed.index.exists("n")
    assert "n" not in delayed.index.visible


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 5.0]), st.booleans()), max_size=12))
def test_writes_take_effect_in_the_order_of_acknowledgement(
    steps: list[tuple[float, bool]],
) -> None:
    delayed = Delayed()
    last = False
    for delay_s, put in steps:
        delayed.delay_s = delay_s
        if put:
            delayed.write("upsert", vectors=[{"id": "a", "values": [1, 2]}])
        else:
            delayed.write("delete", ids=["a"])
        last = put
        delayed.clock.advance(0.5)
    delayed.clock.advance(10.0)

    assert delayed.ids() == (["a"] if last else [])
    assert delayed.index.visible_lsn == len(steps)
