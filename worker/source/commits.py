"""Commits of one consumer: sent without waiting, confirmed by callback or by asking back."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from confluent_kafka import Consumer, KafkaError

    from worker.clock import Clock

_log = logging.getLogger(__name__)

_UNANSWERED_S = 30.0
"""After this long a commit without an answer holds up no other."""
_ATTEMPTS = 3
_BETWEEN_ATTEMPTS_S = 0.05


class Commits:
    """What was committed, and what the broker confirmed. One thread uses it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._confirmed: dict[TopicPartition, int] = {}
        self._under_way = 0
        self._sent_s = clock.now_s()

    @property
    def confirmed(self) -> Mapping[TopicPartition, int]:
        """Next offsets that the broker has."""
        return self._confirmed

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are not ours any more."""
        for partition in partitions:
            self._confirmed.pop(partition, None)

    def send(self, consumer: Consumer, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Send, unless an earlier commit is unanswered; the caller tries again later anyway.

        In an outage librdkafka would keep every one of them and send all afterwards.
        """
        is_waiting = self._under_way > 0 and self._clock.now_s() - self._sent_s < _UNANSWERED_S
        if next_offsets and not is_waiting:
            self._send(consumer, _offsets(next_offsets))

    def send_and_wait(
        self, consumer: Consumer, next_offsets: Mapping[TopicPartition, int], timeout_s: float
    ) -> bool:
        """Commit and ask the broker what it has; true if that is what was sent.

        A synchronous commit knows no time-out, and the callback of an asynchronous one comes from
        ``poll`` alone, which may be what called us (rebalance). The question goes to the
        coordinator behind the commit, on the same connection, and has a time-out.
        """
        deadline_s = self._clock.now_s() + timeout_s
        offsets = _offsets(next_offsets)
        for _ in range(_ATTEMPTS):
            self._send(consumer, offsets)
            left_s = max(0.0, deadline_s - self._clock.now_s())
            try:
                found = consumer.committed(offsets, timeout=left_s)
            except KafkaException as error:
                _log.debug("A commit was not confirmed: %s.", error)
                return False
            if all(_offset(found).get(tp) == offset for tp, offset in next_offsets.items()):
                self._confirmed.update(next_offsets)
                return True
            if self._clock.now_s() + _BETWEEN_ATTEMPTS_S >= deadline_s:
                break
            self._clock.wait(threading.Event(), _BETWEEN_ATTEMPTS_S)
        return False

    def on_answer(
        self,
        error: KafkaError | None,
        partitions: Sequence[KafkaPartition],
        held: Collection[tuple[str, int]],
    ) -> None:
        """The broker's answer to one ``send``, about the partitions that are still held."""
        self._under_way = max(0, self._under_way - 1)
        if error is not None:
            _log.debug("A commit was refused: %s.", error)
            return
        for committed in partitions:
            place = TopicPartition(committed.topic, committed.partition)
            if committed.error is None and place in held:
                self._confirmed[place] = committed.offset

    def _send(self, consumer: Consumer, offsets: list[KafkaPartition]) -> None:
        try:
            consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _log.debug("A commit could not be sent: %s.", error)
            return
        self._under_way += 1
        self._sent_s = self._clock.now_s()


def _offsets(next_offsets: Mapping[TopicPartition, int]) -> list[KafkaPartition]:
    return [KafkaPartition(tp.topic, tp.partition, offset) for tp, offset in next_offsets.items()]


def _offset(found: Sequence[KafkaPartition]) -> dict[TopicPartition, int]:
    return {TopicPartition(one.topic, one.partition): one.offset for one in found}
