"""The partitions that are held: where each stands, and the topic id that its records carry."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from confluent_kafka import Consumer, Message

    from worker.clock import Clock
    from worker.model import TopicPartition
    from worker.source.topic_ids import TopicIds

_log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 30.0
"""How soon a topic that was deleted and made anew is noticed, if its offsets do not tell."""
_MOST_HELD = 200
"""Messages of one partition that wait for its topic's id before it is paused."""


class Lane:
    """A partition during one assignment.

    While its topic id is not known its messages wait in ``held``.
    """

    __slots__ = (
        "back_to",
        "flows",
        "held",
        "is_paused",
        "known_id",
        "next_offset",
        "partition",
        "topic_id",
    )

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.topic_id: str | None = None
        """None: not known yet, or not any more; empty: the cluster has none."""
        self.known_id: str | None = None
        """The last id that was known."""
        self.back_to: int | None = None
        """Where the log went back to; it is read again from there, so nothing is held."""
        self.next_offset = 0
        """Above the last record that was returned."""
        self.held: list[Message] = []
        self.is_paused = False
        """Whether the owner of the source wants no records."""
        self.flows = True
        """Whether librdkafka fetches it."""

    @property
    def should_flow(self) -> bool:
        """Whether librdkafka should fetch it."""
        return not self.is_paused and len(self.held) < _MOST_HELD


class Lanes:
    """All lanes of one consumer; asks for topic ids, and holds back what waits for one.

    A partition is not paused as soon as it is assigned, nor resumed without need: that makes
    librdkafka (2.16) take the answer about where the partition begins for outdated and ask again
    half a second later, which sets a partition that is being read back to its beginning.
    """

    def __init__(self, ids: TopicIds, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock
        self._unnamed: set[str] = set()
        """Topics of which a partition waits for its id."""
        self._ready: list[Message] = []
        self._look_again_s = clock.now_s() + _LOOK_AGAIN_S
        self.by_place: dict[tuple[str, int], Lane] = {}

    @property
    def partitions(self) -> list[TopicPartition]:
        """What is held."""
        return [lane.partition for lane in self.by_place.values()]

    def of(self, message: Message) -> Lane | None:
        """The lane that a message belongs to."""
        topic, partition = message.topic(), message.partition()
        if topic is None or partition is None:
            return None
        return self.by_place.get((topic, partition))

    def begin(self, places: Iterable[TopicPartition]) -> None:
        """These were assigned just now."""
        begun: dict[tuple[str, int], Lane] = {place: Lane(place) for place in places}
        self.by_place.update(begun)
        if begun:
            self._unnamed.update(topic for topic, _ in begun)
            self._ids.ask(self._unnamed)

    def end(self, consumer: Consumer, places: Iterable[TopicPartition]) -> None:
        """These are about to be unassigned.

        librdkafka (2.16) would keep a pause for when they come again, so it ends here.
        """
        ended = [self.by_place.pop(place) for place in places if place in self.by_place]
        paused = [lane for lane in ended if not lane.flows]
        if paused:
            consumer.resume(_kafka(paused))
        self._unnamed = {
            topic for (topic, _), lane in self.by_place.items() if lane.topic_id is None
        }
        self._ready = [message for message in self._ready if self.of(message) is not None]

    def pause(self, consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
        """The owner wants no records of these."""
        self._set_paused(consumer, partitions, is_paused=True)

    def resume(self, consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
        """The owner wants them again."""
        self._set_paused(consumer, partitions, is_paused=False)

    def hold_back(self, consumer: Consumer, lane: Lane, message: Message) -> None:
        """Keep a message until the topic's id is known."""
        if lane.back_to is None:
            lane.held.append(message)
            _steer(consumer, [lane])

    def go_back(self, lane: Lane, offset: int) -> None:
        """A log that was read further goes on here: it began anew, or is read twice.

        What comes next may leave something out, so nothing is taken before the topic's id is known
        again and the reading has begun anew, at the beginning or at this offset.
        """
        lane.topic_id, lane.back_to = None, offset
        self._unnamed.add(lane.partition.topic)

    def take_released(self, max_records: int) -> list[Message]:
        """Messages that were held back and may go now."""
        released, self._ready = self._ready[:max_records], self._ready[max_records:]
        return released

    def name_topics(self, consumer: Consumer) -> None:
        """Ask for the ids that are missing, and let flow what has got one. Never blocks.

        Raises:
            FatalError: the cluster refuses to say.
        """
        now_s = self._clock.now_s()
        if self._unnamed:
            self._ids.ask(self._unnamed)
        elif self.by_place and now_s >= self._look_again_s:
            self._look_again_s = now_s + _LOOK_AGAIN_S
            self._ids.ask({topic for topic, _ in self.by_place})
        for topic, topic_id in self._ids.answers().items():
            self._unnamed.discard(topic)
            for lane in self.by_place.values():
                if lane.partition.topic == topic and lane.topic_id != topic_id:
                    self._name(consumer, lane, topic_id)

    def _name(self, consumer: Consumer, lane: Lane, topic_id: str) -> None:
        if lane.known_id not in (None, topic_id):
            _log.warning("%s[%d] was made anew: reading it from its beginning.", *lane.partition)
            self._begin_at(consumer, lane, OFFSET_BEGINNING)
        elif lane.back_to is not None:
            _log.warning("%s[%d] went back to offset %d.", *lane.partition, lane.back_to)
            self._begin_at(consumer, lane, lane.back_to)
        lane.topic_id = lane.known_id = topic_id
        lane.back_to = None
        lane.next_offset = 0
        self._ready += lane.held
        lane.held = []
        _steer(consumer, [lane])

    def _begin_at(self, consumer: Consumer, lane: Lane, offset: int) -> None:
        """Forget what was read ahead; librdkafka forgets what it has fetched ahead."""
        self._ready = [message for message in self._ready if self.of(message) is not lane]
        lane.held = []
        _seek(consumer, lane, offset)

    def _set_paused(
        self, consumer: Consumer, partitions: Collection[TopicPartition], *, is_paused: bool
    ) -> None:
        lanes = [self.by_place[place] for place in partitions if place in self.by_place]
        for lane in lanes:
            lane.is_paused = is_paused
        _steer(consumer, lanes)


def _steer(consumer: Consumer, lanes: Iterable[Lane]) -> None:
    """Pause and resume what is not as it should be."""
    changed = [lane for lane in lanes if lane.flows != lane.should_flow]
    for lane in changed:
        lane.flows = lane.should_flow
    paused = [lane for lane in changed if not lane.flows]
    resumed = [lane for lane in changed if lane.flows]
    if paused:
        consumer.pause(_kafka(paused))
    if resumed:
        consumer.resume(_kafka(resumed))


def _seek(consumer: Consumer, lane: Lane, offset: int) -> None:
    """Read on at an offset.

    librdkafka would go on in a topic that was made anew at the old one's offset, if that exists.
    """
    topic, partition = lane.partition
    try:
        consumer.seek(KafkaPartition(topic, partition, offset))
    except KafkaException as error:
        _log.debug("Not rewound, as it is not being read yet: %s.", error)


def _kafka(lanes: Iterable[Lane]) -> list[KafkaPartition]:
    return [KafkaPartition(lane.partition.topic, lane.partition.partition) for lane in lanes]
