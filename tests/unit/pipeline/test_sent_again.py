"""Whether Kafka had a later change of a row before this one: then Debezium sends it again."""

from __future__ import annotations

import json
import threading

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

TOPIC = "orders"
COMMITTED_MS = 1_000_000
POSITION = 50
_JSON = PartSettings(format=Format.JSON, schemas_enable=False)


def decoder() -> DebeziumDecoder:
    return DebeziumDecoder(DecoderSettings(key=_JSON, value=_JSON))


class Scene:
    """A topic of two partitions."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.broker.create_topic(TOPIC, 2)
        self.patience = Patience(abort=threading.Event(), clock=FakeClock())

    def write(
        self,
        op: str = "d",
        *,
        position: int,
        committed_ms: int = COMMITTED_MS,
        partition: int = 0,
        row: int = 1,
        sent_ms: int = COMMITTED_MS,
    ) -> Change:
        source = {"connector": "postgresql", "ts_ms": committed_ms, "lsn": position}
        after = None if op == "d" else {"id": row}
        value = {"op": op, "after": after, "before": None, "source": source}
        record = self.broker.produce(
            TOPIC,
            json.dumps({"id": row}).encode(),
            json.dumps(value).encode(),
            partition=partition,
            timestamp_ms=sent_ms,
        )
        found = Reading(decoder(), self.patience).change(record)
        assert isinstance(found, Change)
        return found

    def is_sent_again(self, sent_ms: int = COMMITTED_MS) -> bool:
        """Of a change that comes now."""
        later = LaterRecords(
            lambda: MemorySpanReader(self.broker, "connect-orders", Subscription((TOPIC,))),
            decoder,
            self.patience,
        )
        change = self.write("c", position=POSITION, sent_ms=sent_ms)
        return change.key in later.sent_again([change])


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("op", ["c", "u", "d"])
@pytest.mark.parametrize("others", [0, 5_000])
def test_a_later_change_that_was_there_first_tells_so(scene: Scene, op: str, others: int) -> None:
    scene.write(op, position=POSITION + 1)
    for _ in range(others):
        scene.write(position=1, row=2)
    assert scene.is_sent_again()


@pytest.mark.parametrize(
    ("after_ms", "is_asked"), [(1, False), (1_999, False), (2_000, True), (0, True), (-5, True)]
)
def test_what_was_written_at_once_after_its_commit_is_the_first_of_its_kind(
    scene: Scene,
    after_ms: int,
    is_asked: bool,  # noqa: FBT001 - a case's
) -> None:
    """Two times that are one, or of clocks that disagree, tell nothing."""
    scene.write(position=POSITION + 1)
    assert scene.is_sent_again(COMMITTED_MS + after_ms) == is_asked


@pytest.mark.parametrize("position", [POSITION - 1, POSITION])
def test_an_earlier_change_does_not(scene: Scene, position: int) -> None:
    scene.write(position=position)
    assert not scene.is_sent_again()


def test_other_rows_and_other_partitions_do_not(scene: Scene) -> None:
    scene.write(position=POSITION + 1, row=2)
    scene.write(position=POSITION + 1, partition=1)
    assert not scene.is_sent_again()


def test_a_snapshot_does_not_as_it_may_have_read_ahead(scene: Scene) -> None:
    scene.write("r", position=POSITION + 1)
    assert not scene.is_sent_again()


def test_a_database_that_was_restored_began_its_log_anew(scene: Scene) -> None:
    scene.write(position=POSITION + 1, committed_ms=COMMITTED_MS - 1)
    assert not scene.is_sent_again()


def test_nobody_reads_back_further_than_to_when_the_change_was_made(scene: Scene) -> None:
    scene.write(position=POSITION + 1)
    for _ in range(1_000):
        scene.write(position=1, row=2, sent_ms=COMMITTED_MS - 60_001)
    assert not scene.is_sent_again()
