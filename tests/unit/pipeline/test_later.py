"""Whether later records overtake a change that nobody can complete."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.model import Change
from worker.pipeline.later import LaterRecords
from worker.pipeline.letters import Reading
from worker.pipeline.patience import Patience
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from worker.model import Record

TOPIC = "orders"
GROUP = "connect-orders"
AT_MS = 1_000
_JSON = PartSettings(format=Format.JSON, schemas_enable=False)


def decoder() -> DebeziumDecoder:
    return DebeziumDecoder(DecoderSettings(key=_JSON, value=_JSON))


class Scene:
    """A topic of two partitions; a change in the first one cannot be completed."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.broker.create_topic(TOPIC, 2)
        self.patience = Patience(abort=threading.Event(), clock=FakeClock())
        self.lacking = self.change(
            self.write("c", at_ms=AT_MS, body="__debezium_unavailable_value")
        )

    def write(
        self, op: str, *, at_ms: int, body: str = "b", partition: int = 0, row: int = 1
    ) -> Record:
        """What ``op`` says; the source's time is long before the record's."""
        after = None if op == "d" else {"id": row, "body": body}
        value = {"op": op, "after": after, "before": None, "source": {"ts_ms": at_ms - 500}}
        written = None if op == "tombstone" else json.dumps(value).encode()
        return self.broker.produce(
            TOPIC,
            json.dumps({"id": row}).encode(),
            written,
            partition=partition,
            timestamp_ms=at_ms,
        )

    def change(self, record: Record) -> Change:
        found = Reading(decoder(), self.patience).change(record)
        assert isinstance(found, Change)
        return found

    @property
    def is_overtaken(self) -> bool:
        later = LaterRecords(
            lambda: MemorySpanReader(self.broker, GROUP, Subscription((TOPIC,))),
            decoder,
            self.patience,
        )
        return bool(later.overtaken([self.lacking]))


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("op", ["c", "u", "d", "tombstone"])
@pytest.mark.parametrize("partition", [0, 1])
def test_what_says_the_whole_row_or_its_end_later_overtakes(
    scene: Scene, op: str, partition: int
) -> None:
    scene.write(op, at_ms=AT_MS + 1, partition=partition)
    assert scene.is_overtaken


@pytest.mark.parametrize("op", ["c", "u", "d", "tombstone"])
def test_what_came_before_in_another_partition_does_not(scene: Scene, op: str) -> None:
    scene.write(op, at_ms=AT_MS - 1, partition=1)
    assert not scene.is_overtaken


@pytest.mark.parametrize("op", ["c", "u"])
def test_another_partial_change_does_not(scene: Scene, op: str) -> None:
    """Nor does the same one, sent again."""
    scene.write(op, at_ms=AT_MS + 1, body="__debezium_unavailable_value")
    assert not scene.is_overtaken


def test_other_rows_do_not(scene: Scene) -> None:
    scene.write("u", at_ms=AT_MS + 1, row=2)
    assert not scene.is_overtaken
