"""The writing half of a state topic: an idempotent producer and the thread that serves it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from confluent_kafka import KafkaError, KafkaException

from worker.brokers import ALL_DOWN, no_answer
from worker.errors import ConfigError, FatalError, RetriableError, WorkerError
from worker.lasting import LastingProducer
from worker.state.topic import PARTITION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

    from worker.state.port import Value

_log = logging.getLogger(__name__)

CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.state.librdkafka")}
"""librdkafka logs every attempt to connect, 20 a second. ``log_level`` can be overridden."""
_OWNED: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 0,  # somebody waits for each
    "message.timeout.ms": 0,  # what is posted waits for the end of an outage
}
_ALIASES = ("delivery.timeout.ms", "request.required.acks", "queue.buffering.max.ms")
_ADVICE = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "allow the user WRITE on it",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "allow the user IDEMPOTENT_WRITE on the cluster",
    KafkaError.MSG_SIZE_TOO_LARGE: "raise its max.message.bytes",
}
_POLL_S = 0.1
_MOST_EARLY = 1000
"""Records that wait for the topic to exist."""


class _Delivery:
    """What becomes of one record; ``done`` is set with either an offset or an error."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.offset = -1
        self.error: KafkaError | None = None


class Writer:
    """Adds records to partition 0. Thread-safe."""

    def __init__(self, topic: str, properties: Mapping[str, Any], timeout_s: float) -> None:
        self._topic = topic
        self._properties = properties
        self._timeout_s = timeout_s
        self._is_ready = threading.Event()
        self._stop = threading.Event()
        self._failure: FatalError | None = None
        self._early: list[tuple[str, Value | None]] = []
        self._early_lock = threading.Lock()
        given = {name: value for name, value in properties.items() if name not in _ALIASES}
        try:
            self._producer = LastingProducer(
                {**CALM, **given, **_OWNED, "error_cb": self._on_error}
            )
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error
        self._thread = threading.Thread(target=self._serve, name="state-writer", daemon=True)
        self._thread.start()

    def ready(self) -> None:
        """The topic exists; what was posted before goes first."""
        with self._early_lock:
            for key, value in self._early:
                with contextlib.suppress(WorkerError):  # nobody waits for it
                    self._produce(key, value, _Delivery())
            self._early.clear()
            self._is_ready.set()

    def fail(self, failure: FatalError) -> None:
        """The topic will never exist."""
        self._failure = self._failure or failure
        self._is_ready.set()

    def append(self, key: str, value: Value | None) -> int:
        """Produce and wait for the broker's word."""
        deadline_s = time.monotonic() + self._timeout_s
        if not self._is_ready.wait(self._timeout_s):
            raise self._away()
        delivery = _Delivery()
        self._produce(key, value, delivery)
        if not delivery.done.wait(max(0.0, deadline_s - time.monotonic())):
            raise self._away()
        if delivery.error is not None:
            raise self._refused(delivery.error)
        return delivery.offset

    def post(self, key: str, value: Value | None) -> None:
        """Produce and do not wait, not even for the topic to exist."""
        with self._early_lock:
            if not self._is_ready.is_set():
                self._keep(key, value)
                return
        self._produce(key, value, _Delivery())

    def _keep(self, key: str, value: Value | None) -> None:
        if len(self._early) >= _MOST_EARLY:
            raise self._away()
        self._early.append((key, value))

    def close(self, timeout_s: float) -> None:
        """Wait for what is under way, then drop what is left."""
        if self._early:
            self._is_ready.wait(timeout_s)
        self._stop.set()
        left = self._producer.flush(timeout_s)
        if left:
            _log.warning("%d records for %s were not delivered.", left, self._topic)
            self._producer.purge()
        self._thread.join(timeout_s)

    def _serve(self) -> None:
        """Delivery reports come to whoever polls: here, so that no caller has to."""
        while not self._stop.is_set():
            self._producer.poll(_POLL_S)

    def _produce(self, key: str, value: Value | None, delivery: _Delivery) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            self._producer.produce(
                self._topic,
                value=None if value is None else orjson.dumps(value),
                key=key.encode(),
                partition=PARTITION,
                on_delivery=partial(self._on_report, delivery),
            )
        except BufferError as error:  # the producer's queue is full
            raise self._away() from error
        except KafkaException as error:
            raise self._refused(error.args[0]) from error

    def _on_report(self, delivery: _Delivery, error: KafkaError | None, message: Message) -> None:
        delivery.error = error
        delivery.offset = message.offset() or 0
        delivery.done.set()
        if error is not None:
            refused = self._refused(error)
            if isinstance(refused, FatalError):
                self._failure = self._failure or refused

    def _away(self) -> RetriableError:
        return RetriableError(f"the state topic {self._topic} takes no records at present")

    def _refused(self, error: KafkaError) -> FatalError | RetriableError:
        advice = _ADVICE.get(error.code(), "restart the task" if error.fatal() else None)
        text = f"the state topic {self._topic} cannot be written to: {error.str()}"
        return RetriableError(text) if advice is None else FatalError(f"{text}: {advice}")

    def _on_error(self, error: KafkaError) -> None:
        """From the producer, about the cluster as a whole; it goes on trying by itself."""
        if error.code() == ALL_DOWN:
            _log.warning("The group's state waits: %s.", no_answer(self._properties))
        else:
            _log.debug("Kafka: %s.", error)
