"""Messages of librdkafka as records, at little cost: this runs for every one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Record

if TYPE_CHECKING:
    from confluent_kafka import Message

    from worker.model import TopicPartition


def record_of(message: Message, place: TopicPartition, offset: int, topic_id: str) -> Record:
    """The record of a message without error.

    Args:
        message: as consumed.
        place: its partition; given, so that all records share one text.
        offset: its offset, which the caller has looked at already.
        topic_id: of its topic.
    """
    kind, timestamp_ms = message.timestamp()
    headers = message.headers()
    return Record(
        place.topic,
        place.partition,
        offset,
        message.key(),
        message.value(),
        tuple(headers) if headers else (),  # type: ignore[arg-type]  # a consumer gives pairs
        timestamp_ms if kind else None,
        topic_id,
    )
