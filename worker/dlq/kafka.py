"""A dead-letter topic in Kafka, written by an idempotent producer."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, Producer

from worker.brokers import ALL_DOWN, no_answer
from worker.dlq.headers import headers_of, without_stack_traces
from worker.dlq.topic import TopicPreparation, TopicSpec
from worker.errors import ConfigError, FatalError
from worker.immutable import immutable
from worker.lasting import LastingAdmin, LastingProducer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confluent_kafka import Message

    from worker.dlq.headers import Sender
    from worker.dlq.port import DeadLetter
    from worker.model import Headers

_log = logging.getLogger(__name__)

_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.dlq.librdkafka")}
"""librdkafka logs every attempt to connect, 20 a second. ``log_level`` can be overridden."""
_DEFAULTS = {"message.max.bytes": 64 * 1024 * 1024}
"""So that the broker, which knows the topic's limit, decides what is too large."""
_OWNED = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # as Java's producers
    "message.timeout.ms": 0,  # an outage is waited for
    "batch.num.messages": 1,  # the broker refuses a batch as a whole; librdkafka cannot split it
}
_ALIASES = ("delivery.timeout.ms", "request.required.acks")
_ADVICE = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "allow the user WRITE on it",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "allow the user IDEMPOTENT_WRITE on the cluster",
    KafkaError.TOPIC_EXCEPTION: "the name is not valid for a topic",
    KafkaError.INVALID_RECORD: "it compacts, but a letter has no key: set cleanup.policy=delete",
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT: "the broker is too old for headers",
}
_MISSING = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - so spelt in the public API
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - so spelt in the public API
    }
)
_FLUSH_S = 0.1


@immutable
class KafkaDeadLetterSettings:
    """Where letters go, and how to reach it."""

    topic: TopicSpec
    sender: Sender
    producer: Mapping[str, Any] = field(repr=False)
    """librdkafka's properties of the producer."""
    admin: Mapping[str, Any] = field(repr=False)
    """librdkafka's properties of the client that makes the topic."""


@dataclass(slots=True, eq=False)
class _Parcel:
    """A letter, packed; what the broker refuses to carry is taken out."""

    letter: DeadLetter
    headers: Headers
    timestamp_ms: int | None
    has_stack_trace: bool = True


class KafkaDeadLetterQueue:
    """Keeps what was handed over until the broker confirmed it. One thread owns it.

    Key, value, headers and timestamp are the record's own. A record without a timestamp gets the
    time of sending, as from Java's producer.
    """

    def __init__(self, settings: KafkaDeadLetterSettings) -> None:
        self._settings = settings
        self._waiting: deque[_Parcel] = deque()
        self._confirmed: list[DeadLetter] = []
        self._under_way = 0
        self._failure: FatalError | None = None
        given = {name: value for name, value in settings.producer.items() if name not in _ALIASES}
        owned = {**_OWNED, "error_cb": self._on_error}
        try:
            admin = LastingAdmin({**_CALM, **settings.admin})
            self._producer: Producer | None = LastingProducer(
                {**_CALM, **_DEFAULTS, **given, **owned}
            )
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error
        self._topic = TopicPreparation(admin, settings.topic)

    def send(self, letter: DeadLetter) -> None:
        """Pack it, and produce it as soon as topic and producer take it."""
        headers = headers_of(letter, self._settings.sender)
        self._waiting.append(_Parcel(letter, headers, letter.record.timestamp_ms))
        self._advance()

    def confirmed(self) -> Sequence[DeadLetter]:
        """Serve the producer, and return what it delivered."""
        self._advance()
        if self._failure is not None:
            raise self._failure
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def close(self, timeout_s: float) -> None:
        """Wait for the last confirmations, then drop what is left."""
        producer = self._producer
        if producer is None:
            return
        deadline_s = time.monotonic() + timeout_s
        while self._is_busy and self._failure is None and time.monotonic() < deadline_s:
            self._advance()
            producer.flush(min(_FLUSH_S, max(0.0, deadline_s - time.monotonic())))
        if self._is_busy:
            _log.warning(
                "%d dead letters were not confirmed; their records come again.",
                len(self._waiting) + self._under_way,
            )
        self._producer = None
        self._waiting.clear()
        self._topic.close()
        producer.purge()

    @property
    def _is_busy(self) -> bool:
        return bool(self._waiting) or self._under_way > 0

    def _advance(self) -> None:
        """Produce what waits and take in delivery reports. Never blocks."""
        producer = self._producer
        if producer is None or self._failure is not None:
            return
        try:
            if self._topic.is_ready:
                self._produce_waiting(producer)
        except FatalError as fatal:
            self._failure = fatal
        producer.poll(0)

    def _produce_waiting(self, producer: Producer) -> None:
        while self._waiting and self._failure is None:
            parcel = self._waiting.popleft()
            try:
                self._produce(producer, parcel)
            except BufferError:  # the producer's queue is full
                self._waiting.appendleft(parcel)
                return
            except KafkaException as error:
                self._again(parcel, error.args[0])

    def _produce(self, producer: Producer, parcel: _Parcel) -> None:
        record = parcel.letter.record
        producer.produce(
            self._settings.topic.name,
            value=record.value,
            key=record.key,
            headers=list(parcel.headers),
            timestamp=parcel.timestamp_ms or 0,
            on_delivery=partial(self._on_report, parcel),
        )
        self._under_way += 1

    def _on_report(self, parcel: _Parcel, error: KafkaError | None, _message: Message) -> None:
        self._under_way -= 1
        if error is None:
            self._confirmed.append(parcel.letter)
        elif self._producer is not None:
            self._again(parcel, error)

    def _again(self, parcel: _Parcel, error: KafkaError) -> None:
        """Send once more, lighter if that is what the broker wants; or give up."""
        code = error.code()
        if code == KafkaError.MSG_SIZE_TOO_LARGE and parcel.has_stack_trace:
            parcel.headers = without_stack_traces(parcel.headers)
            parcel.has_stack_trace = False
        elif code == KafkaError.INVALID_TIMESTAMP and parcel.timestamp_ms is not None:
            parcel.timestamp_ms = None
        elif code in _MISSING:
            self._topic.again()
        elif code in _ADVICE or code == KafkaError.MSG_SIZE_TOO_LARGE or error.fatal():
            self._failure = self._failure or self._refused(parcel, error)
            return
        else:
            _log.debug("A dead letter was not delivered and is sent again: %s.", error)
        self._waiting.appendleft(parcel)

    def _refused(self, parcel: _Parcel, error: KafkaError) -> FatalError:
        record, name = parcel.letter.record, self._settings.topic.name
        larger = f"the record is too large for it: raise max.message.bytes of {name}"
        advice = _ADVICE.get(error.code(), "restart the task")
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            advice = larger
        return FatalError(
            f"the dead letter of {record.topic}[{record.partition}]@{record.offset} cannot be "
            f"written to {name}: {error.str()}: {advice}"
        )

    def _on_error(self, error: KafkaError) -> None:
        """From the producer, about the cluster as a whole; it goes on trying by itself."""
        if error.code() == ALL_DOWN:
            _log.warning("Dead letters wait: %s.", no_answer(self._settings.producer))
        else:
            _log.debug("Kafka: %s.", error)
