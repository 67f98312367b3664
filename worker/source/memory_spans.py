"""Reads the topics of a broker in memory beside their group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.source.memory import MemorySource
from worker.source.port import Reach, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.model import Record, TopicPartition
    from worker.source.memory_broker import MemoryBroker
    from worker.source.subscription import Subscription

_RECORDS = 500
"""Of one answer, at most."""


class MemorySpanReader:
    """Behaves as ``KafkaSpanReader`` does."""

    def __init__(self, broker: MemoryBroker, group: str, subscription: Subscription) -> None:
        self._broker = broker
        self._group = group
        self._source = MemorySource(broker, group, subscription)

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        """Look at the logs, as a member that has not joined."""
        return {place: Span(*ends) for place, ends in self._source.ends(timeout_s).items()}

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        """Look at the logs, and at what the group has committed."""
        if not self._broker.is_up:
            raise RetriableError("the broker is down")
        with self._broker.lock:
            committed = self._broker.committed(self._group)
            positions = self.ahead(timeout_s)
            return {
                place: Reach(Span(log.start, log.end), committed.get(place), span.start)
                for place, span in positions.items()
                if (log := self._broker.log(place)) is not None
            }

    def read(self, spans: Mapping[TopicPartition, Span]) -> Iterator[Sequence[Record]]:
        """One partition after the other."""
        for place, span in spans.items():
            yield from self._read(place, span)

    def close(self) -> None:
        """Holds nothing."""

    def _read(self, place: TopicPartition, span: Span) -> Iterator[Sequence[Record]]:
        at = span.start
        while records := self._records(place, Span(at, span.end)):
            yield records
            at = records[-1].offset + 1

    def _records(self, place: TopicPartition, span: Span) -> list[Record]:
        if not self._broker.is_up:
            raise RetriableError("the broker is down")
        with self._broker.lock:
            log = self._broker.log(place)
            found = [] if log is None else log.read(span.start, min(span.length, _RECORDS))
            return [record for record in found if record.offset < span.end]
