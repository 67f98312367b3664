"""Task numbers leased through Kafka: one partition of a small topic for each.

Kafka's group protocol gives each partition to one member, notices who is gone, and shares out
anew. So the workers of a connector agree on who runs which task without talking to each other.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import field
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported
    NewPartitions,
    NewTopic,
)

from worker.clock import SystemClock
from worker.errors import ConfigError
from worker.immutable import immutable
from worker.lasting import LastingAdmin, LastingConsumer
from worker.source.departure import depart, for_good, stay
from worker.source.failures import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Consumer
    from confluent_kafka import TopicPartition as KafkaPartition
    from confluent_kafka.admin import TopicMetadata  # type: ignore[attr-defined]  # as above

    from worker.clock import Clock

_log = logging.getLogger(__name__)

_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.source.librdkafka")}
_OWNED: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "latest",
    "enable.partition.eof": False,
}
_MADE_BY_OTHERS = frozenset({KafkaError.TOPIC_ALREADY_EXISTS, KafkaError.INVALID_PARTITIONS})
_POLL_S = 0.2
_LOOK_S = 5.0
_REQUEST_S = 10.0
_PAUSE_S = 1.0


@immutable
class KafkaSlotsSettings:
    """Of one connector."""

    topic: str
    """Made if it is missing; has a partition for each task, perhaps more."""
    tasks_max: int
    consumer: Mapping[str, Any] = field(repr=False)
    """librdkafka's properties of the member, with a cooperative ``partition.assignment.strategy``
    or ``group.protocol`` ``consumer``."""
    admin: Mapping[str, Any] = field(repr=False)
    session_s: float
    """A poll that is older holds nothing any more."""
    replication_factor: int = -1
    stays: Callable[[], bool] = for_good
    """Whether this process ends and is to come back: a static member then keeps its place."""


class KafkaSlots:
    """A member of the group that shares out the numbers, with a thread that polls.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(self, settings: KafkaSlotsSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._mine: frozenset[int] = frozenset()
        self._polled_s = self._clock.now_s()
        self._said = ""
        self._stop = threading.Event()
        try:
            self._admin = LastingAdmin({**_CALM, **settings.admin})
            self._consumer = LastingConsumer({**_CALM, **settings.consumer, **_OWNED})
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error
        self._thread = threading.Thread(target=self._run, name="slots", daemon=True)
        self._thread.start()

    def held(self) -> frozenset[int]:
        """Nothing if the last poll is too long ago: by then they may be somebody else's."""
        if self._clock.now_s() - self._polled_s > self._settings.session_s:
            return frozenset()
        return self._mine

    def close(self) -> None:
        """Leave the group, soon."""
        self._stop.set()

    @property
    def has_left(self) -> bool:
        """Whether its thread has ended."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self._is_there():
                self._stop.wait(_PAUSE_S)
            if not self._stop.is_set():
                self._hold()
        except Exception:  # noqa: BLE001 - its own thread: nobody else would hear of it
            _log.exception("No tasks can be leased from %s any more.", self._settings.topic)
        finally:
            self._mine = frozenset()
            self._leave()

    def _leave(self) -> None:
        if "group.instance.id" in self._settings.consumer and self._settings.stays():
            stay(self._consumer)
        else:
            depart(self._consumer)

    def _hold(self) -> None:
        self._consumer.subscribe(
            [self._settings.topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )
        while not self._stop.is_set():
            began_s = self._clock.now_s()
            self._poll()
            self._polled_s = began_s

    def _poll(self) -> None:
        """Nothing is ever written to the topic; what comes are rebalances and errors."""
        try:
            message = self._consumer.poll(_POLL_S)
        except KafkaException as failure:
            self._note(failure.args[0])
            self._stop.wait(_POLL_S)
            return
        error = None if message is None else message.error()
        if error is not None:
            self._note(error)

    def _note(self, error: KafkaError) -> None:
        """An outage is waited for; what a person has to mend is said once."""
        failure = verdict(error)
        if failure is None or str(failure) == self._said:
            _log.debug("Slots: %s.", error)
            return
        self._said = str(failure)
        _log.error("No tasks can be leased from %s: %s", self._settings.topic, failure)

    def _on_assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        consumer.incremental_assign(partitions)
        self._hold_now(self._mine | self._numbers(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        self._hold_now(self._mine - self._numbers(partitions))
        consumer.incremental_unassign(partitions)

    def _numbers(self, partitions: list[KafkaPartition]) -> frozenset[int]:
        """A topic that was made for more tasks has more partitions."""
        numbers = frozenset(one.partition for one in partitions)
        return frozenset(number for number in numbers if number < self._settings.tasks_max)

    def _hold_now(self, numbers: frozenset[int]) -> None:
        if numbers != self._mine:
            shown = ", ".join(str(number) for number in sorted(numbers)) or "none"
            _log.info("Tasks of %s here: %s.", self._settings.topic, shown)
        self._mine = numbers

    def _is_there(self) -> bool:
        """Whether the topic has enough partitions; if not, they are asked for."""
        settings = self._settings
        try:
            found = self._admin.list_topics(timeout=_LOOK_S)  # by name it might be made
            if found.controller_id not in found.brokers:
                return settings.topic in found.topics  # librdkafka's mock cluster
            return self._has_enough(found.topics.get(settings.topic))
        except KafkaException as error:
            self._note_missing(error.args[0])
            return False

    def _note_missing(self, error: KafkaError) -> None:
        """Said once; another worker may just have made it."""
        text = error.str()
        if error.code() not in _MADE_BY_OTHERS and text != self._said:
            self._said = text
            _log.warning("Tasks wait for the topic %s: %s.", self._settings.topic, text)

    def _has_enough(self, topic: TopicMetadata | None) -> bool:
        settings = self._settings
        name, wanted = settings.topic, settings.tasks_max
        if topic is None:
            asked = self._admin.create_topics(
                [NewTopic(name, wanted, settings.replication_factor)], request_timeout=_REQUEST_S
            )
        elif len(topic.partitions) < wanted:
            asked = self._admin.create_partitions(
                [NewPartitions(name, wanted)], request_timeout=_REQUEST_S
            )
        else:
            return True
        asked[name].result()
        return False  # until it is seen
