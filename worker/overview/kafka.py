"""Kafka, asked beside the group."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported
    OffsetSpec,
)

from worker.brokers import is_silence, no_answer
from worker.errors import ConfigError, FatalError, RetriableError
from worker.lasting import LastingAdmin
from worker.model import TopicPartition
from worker.overview.port import Group, GroupState, Member
from worker.source.failures import verdict
from worker.source.group_offsets import KafkaGroupOffsets
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.port import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from confluent_kafka import KafkaError

    from worker.model import Record
    from worker.source.clients import KafkaSourceSettings

_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.source.librdkafka")}
_ASK_S = 10.0
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in the library
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in the library
_STATES = {
    ConsumerGroupState.STABLE: GroupState.RUNNING,
    ConsumerGroupState.EMPTY: GroupState.NOT_RUNNING,
    ConsumerGroupState.DEAD: GroupState.NOT_RUNNING,
}


class KafkaBrokers:
    """See ``Brokers``; the settings are those of a reader beside the group.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(self, group_id: str, settings: KafkaSourceSettings, dlq_group_id: str) -> None:
        self._group_id = group_id
        self._properties = settings.admin
        self._closed = KafkaGroupOffsets(dlq_group_id, settings.admin)
        self._reader = KafkaSpanReader(settings)
        try:
            self._admin = LastingAdmin({**_CALM, **settings.admin})
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error

    def group(self) -> Group:
        """Ask the coordinator; a group that nobody ever joined is one without members."""
        asked = self._admin.describe_consumer_groups([self._group_id], request_timeout=_ASK_S)
        found = self._answer(asked[self._group_id])
        members = tuple(_member(one) for one in found.members)
        state = _STATES.get(found.state, GroupState.REBALANCING)
        return Group(state if members else GroupState.NOT_RUNNING, members)

    def ahead(self) -> Mapping[TopicPartition, Span]:
        """As an estimate reads it."""
        return self._reader.ahead(_ASK_S)

    def bounds(self, topic: str) -> Mapping[TopicPartition, Span]:
        """Ask the leaders; by all topics' names, as asking for one may make it."""
        try:
            known = self._admin.list_topics(timeout=_ASK_S).topics.get(topic)
        except KafkaException as error:
            raise self._meaning(error.args[0]) from error
        if known is None:
            return {}
        places = [KafkaPartition(topic, partition) for partition in known.partitions]
        starts, ends = self._offsets(places, _EARLIEST), self._offsets(places, _LATEST)
        return {place: Span(starts[place], ends[place]) for place in starts}

    def closed_to(self) -> Mapping[TopicPartition, int]:
        """Ask the coordinator; who may not is told of none, and reads all letters."""
        try:
            return self._closed.committed()
        except FatalError:
            return {}

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        """Fetch all parts side by side."""
        return self._reader.read(spans)

    def close(self) -> None:
        """Drop connections."""
        self._reader.close()

    def _offsets(
        self, places: Iterable[KafkaPartition], spec: OffsetSpec
    ) -> dict[TopicPartition, int]:
        asked = self._admin.list_offsets(dict.fromkeys(places, spec), request_timeout=_ASK_S)
        return {
            TopicPartition(place.topic, place.partition): self._answer(future).offset
            for place, future in asked.items()
        }

    def _answer(self, future: Future[Any]) -> Any:  # noqa: ANN401 - untyped in the library
        try:
            return future.result(_ASK_S + 1)
        except KafkaException as error:
            raise self._meaning(error.args[0]) from error
        except TimeoutError as error:
            raise RetriableError(no_answer(self._properties)) from error

    def _meaning(self, error: KafkaError) -> FatalError | RetriableError:
        refused = verdict(error)
        if refused is not None:
            return refused
        if is_silence(error):
            return RetriableError(no_answer(self._properties))
        return RetriableError(f"Kafka does not answer ({error.str()})")


def _member(found: Any) -> Member:  # noqa: ANN401 - untyped in the library
    held = found.assignment.topic_partitions if found.assignment else []
    places = sorted(TopicPartition(place.topic, place.partition) for place in held)
    return Member(found.client_id, found.host.removeprefix("/"), tuple(places))
