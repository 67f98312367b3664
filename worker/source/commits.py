"""Commits of one consumer: sent without waiting, confirmed by callback or by asking back."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from worker.model import TopicPartition
from worker.source.port import UNKNOWN, Commit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from confluent_kafka import Consumer, KafkaError

    from worker.clock import Clock

_log = logging.getLogger(__name__)

_UNANSWERED_S = 30.0
"""After this long a commit without an answer holds up no other."""
_ATTEMPTS = 3
_BETWEEN_ATTEMPTS_S = 0.05
_LOOK_UP_S = 2.0
"""The coordinator has just given us the partitions, so it answers in milliseconds."""


class Commits:
    """What was committed, and what the broker confirmed. One thread uses it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._confirmed: dict[TopicPartition, Commit] = {}
        self._under_way = 0
        self._sent_s = clock.now_s()

    @property
    def confirmed(self) -> Mapping[TopicPartition, Commit]:
        """What the broker has."""
        return self._confirmed

    def look_up(self, consumer: Consumer, places: Collection[TopicPartition]) -> None:
        """Ask what the last owner of these committed; nobody else can commit for them any more."""
        try:
            found = consumer.committed(_asked(places), timeout=_LOOK_UP_S)
        except KafkaException as error:
            _log.debug("What was committed is not known: %s.", error)
            self._confirmed |= dict.fromkeys(places, UNKNOWN)
            return
        self._confirmed |= {
            place: UNKNOWN if one.error else _commit(one)
            for place, one in _by_place(found).items()
            if one.error or one.offset >= 0
        }

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are not ours any more."""
        for partition in partitions:
            self._confirmed.pop(partition, None)

    def send(self, consumer: Consumer, commits: Mapping[TopicPartition, Commit]) -> None:
        """Send, unless an earlier commit is unanswered; the caller tries again later anyway.

        In an outage librdkafka would keep every one of them and send all afterwards.
        """
        is_waiting = self._under_way > 0 and self._clock.now_s() - self._sent_s < _UNANSWERED_S
        if commits and not is_waiting:
            self._send(consumer, _kafka(commits))

    def send_and_wait(
        self, consumer: Consumer, commits: Mapping[TopicPartition, Commit], timeout_s: float
    ) -> bool:
        """Commit and ask the broker what it has; true if that is what was sent.

        A synchronous commit knows no time-out, and the callback of an asynchronous one comes from
        ``poll`` alone, which may be what called us (rebalance). The question goes to the
        coordinator behind the commit, on the same connection, and has a time-out.
        """
        deadline_s = self._clock.now_s() + timeout_s
        offsets = _kafka(commits)
        for _ in range(_ATTEMPTS):
            self._send(consumer, offsets)
            left_s = max(0.0, deadline_s - self._clock.now_s())
            try:
                found = consumer.committed(_asked(commits), timeout=left_s)
            except KafkaException as error:
                _log.debug("A commit was not confirmed: %s.", error)
                return False
            if {place: _commit(one) for place, one in _by_place(found).items()} == commits:
                self._confirmed.update(commits)
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
        for place, committed in _by_place(partitions).items():
            if committed.error is None and place in held:
                self._confirmed[place] = _commit(committed)

    def _send(self, consumer: Consumer, offsets: list[KafkaPartition]) -> None:
        try:
            consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _log.debug("A commit could not be sent: %s.", error)
            return
        self._under_way += 1
        self._sent_s = self._clock.now_s()


def _asked(places: Iterable[TopicPartition]) -> list[KafkaPartition]:
    return [KafkaPartition(place.topic, place.partition) for place in places]


def _kafka(commits: Mapping[TopicPartition, Commit]) -> list[KafkaPartition]:
    return [
        KafkaPartition(place.topic, place.partition, commit.next_offset, commit.metadata)
        for place, commit in commits.items()
    ]


def _by_place(partitions: Iterable[KafkaPartition]) -> dict[TopicPartition, KafkaPartition]:
    return {TopicPartition(one.topic, one.partition): one for one in partitions}


def _commit(committed: KafkaPartition) -> Commit:
    return Commit.of(committed.offset, committed.metadata)
