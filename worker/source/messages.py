"""What librdkafka has at hand, as records and ends of partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from confluent_kafka import KafkaError, KafkaException

from worker.immutable import immutable
from worker.source.port import Polled
from worker.source.records import record_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka import Consumer, Message

    from worker.model import Record, TopicPartition
    from worker.source.lanes import Lanes

_PARTITION_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - so spelt in the public API


class OnError(Protocol):
    """Told of what is wrong, and with which topic."""

    def __call__(self, error: KafkaError, topic: str | None = None) -> None:
        """Remember it."""
        ...


@immutable(eq=False)
class Messages:
    """Takes messages and sorts them by lanes."""

    lanes: Lanes
    on_error: OnError

    def take(self, consumer: Consumer, max_records: int, timeout_s: float) -> list[Message]:
        """``consume`` alone would wait out its time-out unless all ``max_records`` are there."""
        first = self._first(consumer, timeout_s)
        if first is None:
            return []
        lane = self.lanes.of(first)
        others = self._at_hand(consumer, max_records - 1)
        if first.error() is None and self.lanes.of(first) is not lane:
            return others  # its partition was given up while the others were fetched
        return [first, *others]

    def _first(self, consumer: Consumer, timeout_s: float) -> Message | None:
        try:
            return consumer.poll(timeout_s)
        except KafkaException as error:
            self.on_error(error.args[0])
            return None

    def _at_hand(self, consumer: Consumer, count: int) -> list[Message]:
        try:
            return consumer.consume(count, 0) if count > 0 else []
        except KafkaException as error:
            self.on_error(error.args[0])
            return []

    def sorted(self, consumer: Consumer, messages: Iterable[Message]) -> Polled:
        """Messages to records and ends; runs for every record, so it does little."""
        lanes = self.lanes.by_place
        records: list[Record] = []
        ends: dict[TopicPartition, int] = {}
        for message in messages:
            if message.error() is not None:
                self._note(message, ends)
                continue
            lane = lanes.get((message.topic(), message.partition()))  # type: ignore[arg-type]  # a record has both
            if lane is None:
                continue
            offset: int = message.offset()  # type: ignore[assignment]  # a record has one
            if lane.topic_id is None:
                self.lanes.hold_back(consumer, lane, message)
                continue
            if offset < lane.next_offset:
                self.lanes.go_back(lane, offset)
                continue
            lane.next_offset = offset + 1
            records.append(record_of(message, lane.partition, offset, lane.topic_id))
        return Polled(records, ends)

    def _note(self, message: Message, ends: dict[TopicPartition, int]) -> None:
        """A message that is no record: the end of a partition, or an error."""
        error, lane = message.error(), self.lanes.of(message)
        if error is None:
            return
        if error.code() != _PARTITION_EOF:
            self.on_error(error, message.topic())
        elif lane is not None and lane.topic_id is None:
            if lane.back_to is None:
                lane.held.append(message)
        elif lane is not None:
            ends[lane.partition] = message.offset() or 0
