"""Messages of librdkafka as records, at little cost: this runs for every one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Record

if TYPE_CHECKING:
    from confluent_kafka import Message

    from worker.model import TopicPartition

# The constructor of a frozen dataclass goes through object.__setattr__ for every field; writing
# to the slots takes half the time.
_new = Record.__new__
(
    _set_topic,
    _set_partition,
    _set_offset,
    _set_key,
    _set_value,
    _set_headers,
    _set_timestamp_ms,
    _set_topic_id,
) = (vars(Record)[name].__set__ for name in Record.__slots__)


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
    record = _new(Record)
    _set_topic(record, place.topic)
    _set_partition(record, place.partition)
    _set_offset(record, offset)
    _set_key(record, message.key())
    _set_value(record, message.value())
    _set_headers(record, tuple(headers) if headers else ())
    _set_timestamp_ms(record, timestamp_ms if kind else None)
    _set_topic_id(record, topic_id)
    return record
