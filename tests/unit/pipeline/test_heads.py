"""Where a group stands in all partitions, and what it takes to see that."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.decode.port import NEW_KEY, OLD_KEY
from worker.model import TopicPartition
from worker.pipeline.heads import Behind, Heads
from worker.pipeline.patience import Patience
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.port import Commit, Standing
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.model import Record
    from worker.source.memory_log import PartitionLog
    from worker.source.port import Reach, Span

TOPIC = "orders"
GROUP = "connect-orders"
MANY = 50
PLACES = [TopicPartition(TOPIC, number) for number in range(3)]


class CountingReader:
    """Counts the records that it had to read."""

    def __init__(self, inner: MemorySpanReader) -> None:
        self.records = 0
        self._inner = inner

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        return self._inner.ahead(timeout_s)

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        return self._inner.standings(timeout_s)

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        for batch in self._inner.read(spans):
            self.records += len(batch)
            yield batch

    def close(self) -> None:
        self._inner.close()


class Scene:
    """A topic of three partitions with many records each, and a group that has read none."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.broker.create_topic(TOPIC, len(PLACES))
        for place in PLACES:
            for number in range(MANY):
                key = str(number).encode()
                self.broker.produce(
                    TOPIC, key, b"{}", partition=place.partition, timestamp_ms=1_000 + number
                )
        inner = MemorySpanReader(self.broker, GROUP, Subscription((TOPIC,)))
        self.reader = CountingReader(inner)
        self.clock = FakeClock()
        patience = Patience(abort=threading.Event(), clock=self.clock)
        self.heads = Heads(lambda: self.reader, patience, self.clock)

    def log(self, place: TopicPartition) -> PartitionLog:
        found = self.broker.log(place)
        assert found is not None
        return found

    def write(self, place: TopicPartition, at_ms: int, *headers: str) -> Record:
        sent = tuple((name, b"{}") for name in headers)
        return self.broker.produce(
            TOPIC, b"k", b"{}", partition=place.partition, headers=sent, timestamp_ms=at_ms
        )

    def behind(self, record: Record) -> Behind:
        """As everybody sees it now."""
        self.clock.advance(1.0)
        now_s = self.clock.now_s()
        self.heads.behind(record, now_s, now_s)
        return self.heads.behind(record, now_s, now_s).behind

    def commit(self, place: TopicPartition, offset: int) -> None:
        self.broker.group(GROUP).committed[place] = Commit(offset, Standing.CLEAN)

    def offsets(self) -> dict[TopicPartition, int]:
        return {place: head.offset for place, head in self.heads.of([TOPIC]).items()}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_of_each_partition_one_record_is_read(scene: Scene) -> None:
    scene.commit(PLACES[1], 7)
    assert scene.offsets() == {PLACES[0]: 0, PLACES[1]: 7, PLACES[2]: 0}
    assert scene.reader.records == len(PLACES)


def test_what_is_committed_to_its_end_has_none(scene: Scene) -> None:
    scene.commit(PLACES[0], MANY)
    assert scene.offsets() == {PLACES[1]: 0, PLACES[2]: 0}


def test_one_that_ends_in_the_marker_of_a_transaction_has_none_and_no_other_is_read_for_it(
    scene: Scene,
) -> None:
    scene.log(PLACES[0]).skip()
    scene.commit(PLACES[0], MANY)
    assert scene.offsets() == {PLACES[1]: 0, PLACES[2]: 0}
    assert scene.reader.records == len(PLACES) - 1


def test_where_compaction_left_a_gap_it_is_the_next_record(scene: Scene) -> None:
    scene.broker.produce(TOPIC, b"0", b"{}", partition=0)
    scene.log(PLACES[0]).compact()
    assert scene.offsets() == {PLACES[0]: 1, PLACES[1]: 0, PLACES[2]: 0}


def test_other_topics_are_not_looked_at(scene: Scene) -> None:
    assert scene.heads.of(["others"]) == {}
    assert scene.reader.records == 0


@pytest.fixture
def done(scene: Scene) -> Scene:
    """All is committed that was written so far."""
    for place in PLACES:
        scene.commit(place, MANY)
    return scene


def test_what_was_sent_before_in_any_partition_and_is_not_committed_is_behind(done: Scene) -> None:
    before = done.write(PLACES[1], 5_000)
    ours = done.write(PLACES[0], 5_001, OLD_KEY)
    assert done.behind(ours) is Behind.SOMEBODY
    done.commit(PLACES[1], before.offset + 1)
    assert done.behind(ours) is Behind.NOBODY
    done.write(PLACES[1], 5_002)
    assert done.behind(ours) is Behind.NOBODY


def test_so_is_what_stands_before_it_in_its_own_partition(done: Scene) -> None:
    before = done.write(PLACES[0], 5_000)
    ours = done.write(PLACES[0], 5_000, OLD_KEY)
    assert done.behind(ours) is Behind.SOMEBODY
    done.commit(PLACES[0], before.offset + 1)
    assert done.behind(ours) is Behind.NOBODY


@pytest.mark.parametrize(
    ("headers", "behind"),
    [((), Behind.SOMEBODY), ((NEW_KEY,), Behind.SOMEBODY), ((OLD_KEY,), Behind.LEVEL)],
)
def test_of_what_came_with_it_another_that_waits_may_wait_for_it(
    done: Scene, headers: tuple[str, ...], behind: Behind
) -> None:
    done.write(PLACES[1], 5_000, *headers)
    assert done.behind(done.write(PLACES[0], 5_000, OLD_KEY)) is behind


def test_what_counts_is_what_was_known_at_a_time(done: Scene) -> None:
    before = done.write(PLACES[1], 5_000)
    ours = done.write(PLACES[0], 5_001, OLD_KEY)
    began_s = done.clock.now_s()
    for _ in range(3):
        done.clock.advance(1.0)
        assert done.heads.behind(ours, began_s, done.clock.now_s() - 10.0).behind is Behind.SOMEBODY
    done.commit(PLACES[1], before.offset + 1)
    done.clock.advance(1.0)
    committed_s = done.clock.now_s()
    for by_s, behind in (
        (began_s, Behind.SOMEBODY),
        (committed_s - 0.5, Behind.SOMEBODY),
        (committed_s, Behind.NOBODY),
    ):
        assert done.heads.behind(ours, began_s, by_s).behind is behind


def test_since_when_nobody_behind_has_moved_is_told(done: Scene) -> None:
    for place in PLACES[1:]:
        done.write(place, 5_000)
        done.write(place, 5_001)
    ours = done.write(PLACES[0], 5_002, OLD_KEY)
    began_s = done.clock.now_s()

    def moved_s() -> float:
        return done.heads.behind(ours, began_s, done.clock.now_s()).moved_s

    assert moved_s() == began_s
    done.clock.advance(30.0)
    assert moved_s() == began_s
    done.commit(PLACES[2], MANY + 1)
    done.clock.advance(30.0)
    assert moved_s() == began_s + 60.0
    done.commit(PLACES[2], MANY + 2)
    done.clock.advance(30.0)
    assert moved_s() == began_s


def test_while_nobody_has_looked_nobody_is_known_to_stand_still(done: Scene) -> None:
    before = done.clock.now_s() - 100.0
    ours = done.write(PLACES[0], 5_002, OLD_KEY)
    assert done.heads.behind(ours, before, before).moved_s == done.clock.now_s()


def test_a_look_before_it_arrived_may_have_missed_what_was_sent_before_it(done: Scene) -> None:
    ours = done.write(PLACES[0], 5_000, OLD_KEY)
    assert done.behind(ours) is Behind.NOBODY
    done.clock.advance(100.0)
    done.commit(PLACES[0], ours.offset + 1)
    done.write(PLACES[1], 6_000)
    later = done.write(PLACES[0], 6_001, OLD_KEY)
    arrived_s = done.clock.now_s()
    done.clock.advance(0.5)
    assert done.heads.behind(later, arrived_s, done.clock.now_s() - 0.1).behind is Behind.SOMEBODY
    assert done.heads.behind(later, arrived_s, done.clock.now_s()).behind is Behind.SOMEBODY


def test_of_a_record_without_a_time_nobody_knows_what_came_before(done: Scene) -> None:
    done.write(PLACES[1], 5_000)
    ours = replace(done.write(PLACES[0], 5_001), timestamp_ms=None)
    assert done.heads.behind(ours, 0.0, done.clock.now_s()).behind is Behind.NOBODY
