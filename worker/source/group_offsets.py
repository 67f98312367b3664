"""Sets the offsets of a group that has no members: they only mark how far something is done."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from worker.errors import ConfigError, RetriableError
from worker.source.failures import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import TopicPartition

_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.source.librdkafka")}
_ASK_S = 10.0


class GroupOffsets:
    """Of one group.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(self, group_id: str, admin: Mapping[str, Any]) -> None:
        self._group_id = group_id
        try:
            self._admin = AdminClient({**_CALM, **admin})
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Set the next offsets of these partitions, and wait for it.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us.
        """
        if not offsets:
            return
        places = [
            KafkaPartition(place.topic, place.partition, offset)
            for place, offset in offsets.items()
        ]
        asked = self._admin.alter_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(self._group_id, places)], request_timeout=_ASK_S
        )
        try:
            answer = asked[self._group_id].result(_ASK_S + 1)
        except KafkaException as error:
            raise verdict(error.args[0]) or _silent(self._group_id) from error
        except TimeoutError as error:
            raise _silent(self._group_id) from error
        for place in answer.topic_partitions:
            if place.error is not None:
                raise verdict(place.error) or _silent(self._group_id)


def _silent(group_id: str) -> RetriableError:
    return RetriableError(f"Kafka did not set the offsets of {group_id} in time")
