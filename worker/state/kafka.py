"""A state topic in Kafka: one producer, and one consumer that belongs to no group."""

from __future__ import annotations

import logging
import threading
from dataclasses import field
from typing import TYPE_CHECKING, Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from worker.errors import ConfigError, FatalError
from worker.immutable import immutable
from worker.lasting import LastingAdmin, LastingConsumer
from worker.state.readers import Readers
from worker.state.topic import PARTITION, prepare
from worker.state.writer import CALM, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

    from worker.state.port import Reader, Value
    from worker.state.topic import StateTopicSpec

_log = logging.getLogger(__name__)

_OWNED: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "fetch.min.bytes": 1,  # somebody waits for each record
}
_OF_MEMBERS = (
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "partition.assignment.strategy",
)
"""A consumer that assigns by itself is no member of its group."""
_REFUSALS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "allow the user READ on it",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "allow the user READ on the consumer group",
}
_PARTITION_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - so spelt in the public API
_POLL_S = 0.1
_LOOK_S = 5.0
_APPEND_TIMEOUT_S = 10.0


@immutable
class KafkaStateSettings:
    """Which topic, and how to reach it; the properties are librdkafka's."""

    topic: StateTopicSpec
    consumer: Mapping[str, Any] = field(repr=False)
    """With the ``group.id`` of the connector, which is not joined."""
    producer: Mapping[str, Any] = field(repr=False)
    admin: Mapping[str, Any] = field(repr=False)
    append_timeout_s: float = _APPEND_TIMEOUT_S
    """How long ``append`` waits for the broker's word."""


class KafkaStateTopic:
    """Partition 0 of a compacted topic. Thread-safe; its readers are called by a thread of its own.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(self, settings: KafkaStateSettings) -> None:
        self._settings = settings
        self._name = settings.topic.name
        self._readers = Readers()
        self._stop = threading.Event()
        self._end: int | None = None
        """Where the log ended when it was begun with, until that is reached."""
        given = {key: one for key, one in settings.consumer.items() if key not in _OF_MEMBERS}
        try:
            self._admin = LastingAdmin({**CALM, **settings.admin})
            self._consumer = LastingConsumer(
                {**CALM, **given, **_OWNED, "error_cb": self._on_error}
            )
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error
        self._writer = Writer(self._name, settings.producer, settings.append_timeout_s)
        self._thread = threading.Thread(target=self._run, name="state-reader", daemon=True)
        self._thread.start()

    def append(self, key: str, value: Value | None) -> int:
        """Produce and wait for the broker's word."""
        return self._writer.append(key, value)

    def post(self, key: str, value: Value | None) -> None:
        """Produce and do not wait."""
        self._writer.post(key, value)

    def read_up_to(self, offset: int, timeout_s: float) -> None:
        """Wait for the consumer to come so far."""
        self._readers.wait_for(offset, timeout_s)

    def attach(self, prefix: str, reader: Reader) -> None:
        """Have the consumer start over; earlier readers get nothing twice."""
        self._readers.add(prefix, reader)

    def caught_up(self, timeout_s: float) -> bool:
        """Whether the consumer has been at the partition's end."""
        return self._readers.were_at_end(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Deliver what waits, then end both threads."""
        self._writer.close(timeout_s)
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            if prepare(self._admin, self._settings.topic, self._stop):
                self._writer.ready()
                self._read()
        except FatalError as failure:
            self._fail(failure)
        except Exception as error:  # noqa: BLE001 - who waits for this thread has to be told
            _log.exception("The state topic %s cannot be read.", self._name)
            self._fail(FatalError(f"the state topic {self._name} cannot be read: {error!r}"))
        finally:
            self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            if self._readers.begin():
                self._start_over()
            message = self._consumer.poll(_POLL_S)
            if message is not None:
                self._take(message)

    def _start_over(self) -> None:
        """Read from the beginning, and know where the end is.

        librdkafka tells that it is at the end only after a fetch has waited there in vain, and asks
        for the beginning half a second late: together a second at each start.
        """
        partition = KafkaPartition(self._name, PARTITION, OFFSET_BEGINNING)
        self._end = None
        try:
            ends = self._consumer.get_watermark_offsets(partition, timeout=_LOOK_S)
        except KafkaException as error:
            _log.debug("Where the state topic ends will be seen at its end: %s.", error.args[0])
        else:
            if ends is not None:  # None: no answer in time
                partition.offset, self._end = ends
        self._consumer.assign([partition])
        self._look_for_end(partition.offset)

    def _look_for_end(self, next_offset: int) -> None:
        if self._end is not None and next_offset >= self._end:
            self._readers.at_end(self._end)
            self._end = None

    def _take(self, message: Message) -> None:
        error, offset = message.error(), message.offset() or 0
        if error is None:
            self._hand_over(message, offset)
            self._look_for_end(offset + 1)
        elif error.code() == _PARTITION_EOF:
            self._readers.at_end(offset)
        else:
            self._on_error(error)

    def _hand_over(self, message: Message, offset: int) -> None:
        try:
            key, value = _parsed(message)
        except ValueError:
            _log.warning("Record %d of %s is not ours and is left out.", offset, self._name)
            self._readers.pass_by(offset)
        else:
            self._readers.hand_over(offset, key, value)

    def _on_error(self, error: KafkaError) -> None:
        """An outage is waited for; the writer says that there is one."""
        advice = _REFUSALS.get(error.code(), "restart the task" if error.fatal() else None)
        if advice is None:
            _log.debug("Kafka: %s.", error)
            return
        text = f"the state topic {self._name} cannot be read: {error.str()}: {advice}"
        self._fail(FatalError(text))

    def _fail(self, failure: FatalError) -> None:
        self._readers.fail(failure)
        self._writer.fail(failure)


def _parsed(message: Message) -> tuple[str, Value | None]:
    """Key and value.

    Raises:
        ValueError: somebody else wrote it.
    """
    key, value = message.key(), message.value()
    if key is None:
        raise ValueError("no key")
    parsed = None if value is None else orjson.loads(value)
    if not isinstance(parsed, dict | None):
        raise ValueError("no JSON object")  # noqa: TRY004 - one kind of mistake for the caller
    return bytes(key).decode(), parsed
