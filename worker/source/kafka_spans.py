"""Reads topics beside their group, over librdkafka: partitions are assigned, nothing is joined."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from worker.clock import SystemClock
from worker.errors import ConfigError, RetriableError
from worker.lasting import LastingAdmin, LastingConsumer
from worker.model import TopicPartition
from worker.source.failures import Refusals, verdict
from worker.source.group_ends import GroupEnds
from worker.source.port import Span
from worker.source.records import record_of
from worker.source.topic_ids import TopicIds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from confluent_kafka import Message

    from worker.clock import Clock
    from worker.errors import FatalError
    from worker.model import Record
    from worker.source.clients import KafkaSourceSettings
    from worker.source.port import Reach

T = TypeVar("T")

_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.source.librdkafka")}
_OWNED = {"enable.auto.commit": False, "enable.auto.offset.store": False}
_EOF = {"enable.partition.eof": True}
_PARTITION_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - so spelt in the public API
_MESSAGES = 2000
_POLL_S = 0.2
_SILENCE_S = 30.0
"""Brokers that say nothing for so long are away."""
_LOOK_S = 0.05


class KafkaSpanReader:
    """See ``SpanReader``. ``settings.consumer`` names the group and has nothing of a member's.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(self, settings: KafkaSourceSettings, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._refusals = Refusals(self._clock)
        self._failure: FatalError | None = None
        callbacks = {"error_cb": self._on_error}
        try:
            admin = LastingAdmin({**_CALM, **settings.admin})
            self._consumer = LastingConsumer(
                {**_CALM, **settings.consumer, **_OWNED, **_EOF, **callbacks}
            )
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error
        self._ids = TopicIds(admin, self._clock)
        self._ends = GroupEnds(admin, self._clock, settings.subscription, settings.consumer)

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        """Ask coordinator and leaders."""
        found = self._asked(lambda: self._ends.ask(self._consumer, timeout_s))
        return {place: Span(start, end) for place, (start, end) in found.items()}

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        """Ask coordinator and leaders."""
        return self._asked(lambda: self._ends.standings(self._consumer, timeout_s))

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        """Fetch all parts side by side, as they come."""
        left = {place: span for place, span in spans.items() if span.length}
        if not left:
            return
        ids = self._topic_ids({place.topic for place in left})
        self._assign(left)
        try:
            heard_s = self._clock.now_s()
            while left:
                messages = self._at_hand()
                self._check()
                if messages:
                    heard_s = self._clock.now_s()
                elif self._clock.now_s() - heard_s > _SILENCE_S:
                    raise RetriableError(f"Kafka has sent nothing for {_SILENCE_S:.0f} s")
                records = list(self._sorted(messages, left, ids))
                if records:
                    yield records
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        """Drop connections; there is no group to leave."""
        self._ids.close()
        self._consumer.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        """An answer; a refusal that stands behind the silence is raised as one."""
        try:
            return ask()
        except RetriableError as error:
            cause = error.__cause__
            if isinstance(cause, KafkaException):
                self._on_error(cause.args[0])
            self._consumer.poll(0)  # serves the callback
            self._check()
            raise

    def _assign(self, spans: Mapping[TopicPartition, Span]) -> None:
        """Begin at the starts; a partition stays paused through assignments."""
        places = [
            KafkaPartition(place.topic, place.partition, span.start)
            for place, span in spans.items()
        ]
        self._consumer.assign(places)
        self._consumer.resume(places)

    def _at_hand(self) -> list[Message]:
        try:
            return self._consumer.consume(_MESSAGES, _POLL_S)
        except KafkaException as error:
            self._on_error(error.args[0])
            return []

    def _sorted(
        self,
        messages: Iterable[Message],
        left: dict[TopicPartition, Span],
        ids: Mapping[str, str],
    ) -> Iterator[Record]:
        """The records that belong to the parts; parts that are through leave ``left``."""
        for message in messages:
            place = TopicPartition(message.topic() or "", message.partition() or 0)
            span, error = left.get(place), message.error()
            if span is None:
                continue
            if error is not None:
                self._note(error, place, left)
                continue
            offset: int = message.offset()  # type: ignore[assignment]  # a record has one
            if offset + 1 >= span.end:
                self._finish(place, left)
            if span.start <= offset < span.end:
                yield record_of(message, place, offset, ids[place.topic])

    def _note(
        self, error: KafkaError, place: TopicPartition, left: dict[TopicPartition, Span]
    ) -> None:
        if error.code() == _PARTITION_EOF:
            self._finish(place, left)
        else:
            self._on_error(error)

    def _finish(self, place: TopicPartition, left: dict[TopicPartition, Span]) -> None:
        """Fetch no more of it; what was fetched ahead is not looked at."""
        del left[place]
        self._consumer.pause([KafkaPartition(place.topic, place.partition)])

    def _topic_ids(self, topics: Collection[str]) -> Mapping[str, str]:
        """By topic, as the group's members write them into the index.

        Raises:
            RetriableError: the brokers do not say.
        """
        found: dict[str, str] = {}
        deadline_s = self._clock.now_s() + _SILENCE_S
        while missing := set(topics) - found.keys():
            self._ids.ask(missing)
            self._clock.wait(threading.Event(), _LOOK_S)
            found |= self._ids.answers()
            if self._clock.now_s() > deadline_s:
                raise RetriableError(f"Kafka does not describe {', '.join(sorted(missing))}")
        return found

    def _on_error(self, error: KafkaError) -> None:
        self._refusals.note(error)
        self._failure = self._failure or verdict(error)

    def _check(self) -> None:
        self._refusals.check()
        if self._failure is not None:
            raise self._failure
