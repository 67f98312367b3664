"""Where a group stands and where its topics end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # it is exported

from worker.brokers import is_silence, no_answer
from worker.errors import RetriableError
from worker.model import TopicPartition
from worker.source.port import Reach, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Consumer
    from confluent_kafka.admin import AdminClient

    from worker.clock import Clock
    from worker.source.subscription import Subscription

_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in the library
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in the library
_RESETS_TO_END = ("latest", "largest", "end")
_COMING = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
"""The coordinator will be there in a moment: the first question for a group that a cluster is ever
asked has Kafka make the topic of all groups' offsets."""
_LOOK_S = 0.2


class GroupEnds:
    """Asks for the group's offsets and the topics' bounds, within one time-out."""

    def __init__(
        self,
        admin: AdminClient,
        clock: Clock,
        subscription: Subscription,
        properties: Mapping[str, object],
    ) -> None:
        self._admin = admin
        self._clock = clock
        self._subscription = subscription
        self._properties = properties
        self._begins_at_end = str(properties.get("auto.offset.reset", "largest")) in _RESETS_TO_END
        committed_only = properties.get("isolation.level", "read_committed") == "read_committed"
        self._isolation = (
            IsolationLevel.READ_COMMITTED if committed_only else IsolationLevel.READ_UNCOMMITTED
        )

    def ask(self, consumer: Consumer, timeout_s: float) -> dict[TopicPartition, tuple[int, int]]:
        """(where the group would go on reading, present end) of all partitions.

        Raises:
            RetriableError: no answer in time.
        """
        return {
            place: (standing.next_offset, standing.log.end)
            for place, standing in self.standings(consumer, timeout_s).items()
        }

    def standings(self, consumer: Consumer, timeout_s: float) -> dict[TopicPartition, Reach]:
        """The bounds of all partitions, and the group's offsets as they were committed.

        Raises:
            RetriableError: no answer in time.
        """
        deadline_s = self._clock.now_s() + timeout_s
        try:
            places = self._places(timeout_s)
            if not places:
                return {}
            committed = self._committed(consumer, places, deadline_s)
            starts = self._bounds(places, _EARLIEST, deadline_s)
            ends = self._bounds(places, _LATEST, deadline_s)
        except (KafkaException, TimeoutError) as error:
            raise RetriableError(self._meaning(error)) from error
        offsets = {TopicPartition(one.topic, one.partition): one.offset for one in committed}
        return {
            place: self._standing(Span(starts[place], end), offsets[place])
            for place, end in ends.items()
        }

    def _committed(
        self, consumer: Consumer, places: list[KafkaPartition], deadline_s: float
    ) -> list[KafkaPartition]:
        while True:
            try:
                return consumer.committed(places, timeout=self._left_s(deadline_s))
            except KafkaException as error:
                is_late = self._clock.now_s() + _LOOK_S >= deadline_s
                if is_late or error.args[0].code() not in _COMING:
                    raise
            self._clock.wait(threading.Event(), _LOOK_S)

    def _meaning(self, error: KafkaException | TimeoutError) -> str:
        if isinstance(error, TimeoutError) or is_silence(error.args[0]):
            return no_answer(self._properties)
        return f"Kafka does not say where the topics end: {error.args[0].str()}"

    def _standing(self, log: Span, offset: int) -> Reach:
        """``offset`` is the group's; negative if it has none."""
        if log.start <= offset <= log.end:
            return Reach(log, offset, offset)
        start = log.end if self._begins_at_end else log.start
        return Reach(log, offset if offset >= 0 else None, start)

    def _places(self, timeout_s: float) -> list[KafkaPartition]:
        """By the client that asks for the bounds: once leaders have changed it must know of it.

        librdkafka's ``list_offsets`` goes on for 15 minutes (``metadata.max.age.ms``) with the
        leaders' old epochs, which brokers refuse (FENCED_LEADER_EPOCH).
        """
        topics = self._admin.list_topics(timeout=timeout_s).topics
        return [
            KafkaPartition(topic, partition)
            for topic in self._subscription.select(topics)
            for partition in sorted(topics[topic].partitions)
        ]

    def _bounds(
        self, places: list[KafkaPartition], spec: OffsetSpec, deadline_s: float
    ) -> dict[TopicPartition, int]:
        futures = self._admin.list_offsets(
            dict.fromkeys(places, spec),
            isolation_level=self._isolation,
            request_timeout=self._left_s(deadline_s),
        )
        return {
            TopicPartition(place.topic, place.partition): future.result(
                self._left_s(deadline_s)
            ).offset
            for place, future in futures.items()
        }

    def _left_s(self, deadline_s: float) -> float:
        return max(0.1, deadline_s - self._clock.now_s())
