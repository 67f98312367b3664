from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import OFFSET_BEGINNING

from worker.clock import FakeClock
from worker.model import TopicPartition
from worker.source.lanes import Lane, Lanes

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka import TopicPartition as KafkaPartition

PLACE = TopicPartition("t", 0)


class Answers:
    """Topic ids that come when the test says so."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.coming: dict[str, str] = {}

    def ask(self, topics: Collection[str]) -> None:
        self.asked.append(set(topics))

    def answers(self) -> dict[str, str]:
        coming, self.coming = self.coming, {}
        return coming


class Fetcher:
    """The part of a consumer that lanes use: which partitions flow, and where to."""

    def __init__(self) -> None:
        self.paused: set[int] = set()
        self.calls: list[str] = []
        self.sought: list[tuple[int, int]] = []

    def pause(self, partitions: list[KafkaPartition]) -> None:
        self.calls.append("pause")
        self.paused.update(one.partition for one in partitions)

    def resume(self, partitions: list[KafkaPartition]) -> None:
        self.calls.append("resume")
        self.paused.difference_update(one.partition for one in partitions)

    def seek(self, partition: KafkaPartition) -> None:
        self.sought.append((partition.partition, partition.offset))


class Message:
    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0


class Scene:
    def __init__(self) -> None:
        self.ids = Answers()
        self.clock = FakeClock()
        self.fetcher = Fetcher()
        self.lanes = Lanes(self.ids, self.clock)  # type: ignore[arg-type]  # it stands in for TopicIds
        self.lanes.begin([PLACE])

    @property
    def consumer(self) -> Any:
        return self.fetcher

    @property
    def lane(self) -> Lane:
        return self.lanes.by_place[PLACE]

    def answer(self, topic_id: str) -> None:
        self.ids.coming = {"t": topic_id}
        self.lanes.name_topics(self.consumer)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_new_partition_flows_at_once_and_asks_for_its_topics_name(scene: Scene) -> None:
    assert scene.fetcher.calls == [], "librdkafka may be asking where the partition begins"
    assert scene.ids.asked == [{"t"}]
    scene.answer("id")
    assert scene.fetcher.calls == []
    assert scene.lane.topic_id == "id"


def test_what_the_owner_paused_stays_paused_when_the_name_comes(scene: Scene) -> None:
    scene.lanes.pause(scene.consumer, [PLACE])
    scene.answer("id")
    assert scene.fetcher.paused == {0}
    scene.lanes.resume(scene.consumer, [PLACE])
    assert scene.fetcher.paused == set()


def test_pausing_and_resuming_twice_tells_librdkafka_once(scene: Scene) -> None:
    for _ in range(2):
        scene.lanes.pause(scene.consumer, [PLACE])
    for _ in range(2):
        scene.lanes.resume(scene.consumer, [PLACE])
    assert scene.fetcher.calls == ["pause", "resume"]


def test_a_partition_pauses_when_much_waits_for_the_name(scene: Scene) -> None:
    message: Any = Message()
    for _ in range(199):
        scene.lanes.hold_back(scene.consumer, scene.lane, message)
    assert scene.fetcher.paused == set()
    scene.lanes.hold_back(scene.consumer, scene.lane, message)
    assert scene.fetcher.paused == {0}
    scene.answer("id")
    assert scene.fetcher.paused == set()
    assert len(scene.lanes.take_released(1_000)) == 200


def test_held_messages_go_first_and_in_order_when_the_name_comes(scene: Scene) -> None:
    messages: list[Any] = [Message(), Message(), Message()]
    for message in messages:
        scene.lanes.hold_back(scene.consumer, scene.lane, message)
    assert scene.lanes.take_released(10) == []
    scene.answer("id")
    assert scene.lanes.take_released(2) == messages[:2]
    assert scene.lanes.take_released(2) == messages[2:]
    assert scene.fetcher.sought == []


def test_held_messages_of_a_partition_that_went_are_dropped(scene: Scene) -> None:
    message: Any = Message()
    scene.lanes.hold_back(scene.consumer, scene.lane, message)
    scene.answer("id")
    scene.lanes.end(scene.consumer, [PLACE])
    assert scene.lanes.take_released(10) == []


def test_a_pause_ends_with_the_assignment(scene: Scene) -> None:
    scene.lanes.pause(scene.consumer, [PLACE])
    scene.lanes.end(scene.consumer, [PLACE])
    assert scene.fetcher.paused == set()


def test_a_log_that_goes_back_is_read_again_from_there_without_a_gap(scene: Scene) -> None:
    message: Any = Message()
    scene.answer("id")
    scene.lane.next_offset = 500
    scene.lanes.go_back(scene.lane, 17)
    scene.lanes.hold_back(scene.consumer, scene.lane, message)
    scene.answer("id")
    assert scene.fetcher.sought == [(0, 17)]
    assert scene.lanes.take_released(10) == [], "it comes again"
    assert (scene.lane.topic_id, scene.lane.next_offset) == ("id", 0)


def test_a_log_that_goes_back_under_another_name_is_read_from_its_beginning(scene: Scene) -> None:
    scene.answer("old")
    scene.lane.next_offset = 500
    scene.lanes.go_back(scene.lane, 17)
    scene.answer("new")
    assert scene.fetcher.sought == [(0, OFFSET_BEGINNING)]
    assert scene.lane.topic_id == "new"


def test_another_name_sends_a_partition_back_to_the_beginning(scene: Scene) -> None:
    scene.answer("old")
    scene.lane.next_offset = 500
    scene.answer("old")
    assert scene.fetcher.sought == []
    scene.answer("new")
    assert scene.fetcher.sought == [(0, OFFSET_BEGINNING)]
    assert scene.lane.next_offset == 0
    assert scene.lane.topic_id == "new"


def test_names_are_looked_at_again_every_half_minute(scene: Scene) -> None:
    scene.answer("id")
    asked = len(scene.ids.asked)
    scene.clock.advance(31.0)
    scene.lanes.name_topics(scene.consumer)
    scene.lanes.name_topics(scene.consumer)
    assert len(scene.ids.asked) == asked + 1
