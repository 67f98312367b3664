"""What the partition of a dead letter tells, and when it is no evidence."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.flow.ledger import PartitionLedger
from worker.letters.standing import LetterId, LetterState
from worker.model import TopicPartition
from worker.pipeline.candidate import Candidate
from worker.pipeline.letters import Reading
from worker.pipeline.patience import Interrupted, Patience
from worker.pipeline.tail import TailReading, spellings
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from worker.model import Record

TOPIC = "orders"
PLACE = TopicPartition(TOPIC, 1)
_JSON = PartSettings(format=Format.JSON, schemas_enable=False)


class Scene:
    """A topic of three partitions, of which the second one is looked at."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.topic_id = self.broker.create_topic(TOPIC, 3)
        self.ledger = PartitionLedger(PLACE)
        self.home = 1
        self.reading = Reading(
            DebeziumDecoder(DecoderSettings(key=_JSON, value=_JSON)),
            Patience(abort=threading.Event(), clock=FakeClock()),
        )

    def write(self, row: int, *, op: str = "u", value: bytes | None = None) -> Record:
        after = None if op == "d" else {"id": row, "op": op}
        written = json.dumps({"op": op, "after": after, "before": None}).encode()
        key = json.dumps({"id": row}).encode()
        return self.broker.produce(TOPIC, key, value or written, partition=1)

    def candidate(self, record: Record) -> Candidate:
        change = self.reading.change(record)
        assert not hasattr(change, "kind")
        return Candidate(LetterId("dlq", 0, record.offset), record, "run", None, change.key, change)

    def follow(self, *candidates: Candidate, to: int | None = None) -> None:
        log = self.broker.log(PLACE)
        assert log is not None
        reader = MemorySpanReader(self.broker, "group", Subscription((TOPIC,)))
        tail = TailReading(reader, self.reading, lambda _key, _partitions: self.home)
        tail.follow(candidates, self.ledger, log.end if to is None else to)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def overtaken_at(candidate: Candidate) -> int | None:
    position = candidate.sequel.overtaken_at
    return None if position is None else position.offset


def test_rows_are_told_apart_and_scanned_at_once(scene: Scene) -> None:
    dead = [scene.candidate(scene.write(row)) for row in (1, 2, 3)]
    scene.write(2)
    last = scene.write(3, op="d")
    scene.follow(*dead)
    assert [overtaken_at(one) for one in dead] == [None, 3, last.offset]
    assert [one.verdict for one in dead] == [None, None, None]


def test_what_comes_from_the_end_on_is_left_to_the_watch(scene: Scene) -> None:
    dead = scene.candidate(scene.write(1))
    scene.write(2)
    later = scene.write(1)
    scene.follow(dead, to=later.offset)
    assert overtaken_at(dead) is None
    assert dead.verdict is None


def test_what_cannot_be_read_cuts_its_row_or_if_it_has_no_key_all(scene: Scene) -> None:
    one, two = (scene.candidate(scene.write(row)) for row in (1, 2))
    scene.write(1, value=b"{")
    scene.follow(one, two)
    assert (one.sequel.is_cut, two.sequel.is_cut) == (True, False)
    scene.broker.produce(TOPIC, b"{", b"{", partition=1)
    scene.follow(one, two)
    assert two.sequel.is_cut


def test_a_truncate_has_no_key_and_is_none_of_its_business(scene: Scene) -> None:
    dead = scene.candidate(scene.write(1))
    scene.broker.produce(TOPIC, None, b'{"op": "t"}', partition=1)
    scene.follow(dead)
    assert not dead.sequel.is_cut
    assert dead.verdict is None


def test_without_the_origin_a_silence_proves_nothing(scene: Scene) -> None:
    dead = scene.candidate(scene.write(1))
    scene.write(2)
    log = scene.broker.log(PLACE)
    assert log is not None
    log.truncate(1)
    scene.follow(dead)
    assert dead.verdict is not None
    assert dead.verdict.state is LetterState.OPEN
    assert "does not hold its record at offset 0 any more" in dead.verdict.note


def test_another_record_at_its_offset_is_not_the_origin(scene: Scene) -> None:
    record = scene.write(1)
    for other in (replace(record, value=b"{}"), replace(record, topic_id="another")):
        dead = scene.candidate(record)
        dead.record = other
        scene.follow(dead)
        assert dead.verdict is not None


def test_offsets_of_a_topic_made_anew_overtake_nothing(scene: Scene) -> None:
    dead = scene.candidate(scene.write(1))
    dead.record = replace(dead.record, topic_id="the one before")
    scene.write(1)
    scene.follow(dead)
    assert overtaken_at(dead) is None


def test_a_key_that_moved_to_another_partition_is_followed_no_further(scene: Scene) -> None:
    dead = scene.candidate(scene.write(1))
    scene.home = 2
    scene.follow(dead)
    assert dead.verdict is not None
    assert "belongs to partition 2 of orders by now" in dead.verdict.note


def test_a_partition_that_goes_meanwhile_ends_the_scan(scene: Scene) -> None:
    dead = scene.candidate(scene.write(1))
    scene.ledger.close()
    with pytest.raises(Interrupted):
        scene.follow(dead)


def test_keys_of_a_new_schema_may_be_elsewhere() -> None:
    """Their bytes hold the schema's id, by which a producer finds the partition."""
    old, new = b"\0\0\0\0\1", b"\0\0\0\0\2"
    assert set(spellings(old + b"K", {old, new})) == {old + b"K", new + b"K"}
    assert list(spellings(b'{"id": 1}', {old})) == [b'{"id": 1}']
