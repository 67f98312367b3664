"""A member of a consumer group over a broker in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.errors import RetriableError
from worker.source.port import Polled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from worker.clock import Clock
    from worker.model import Record, TopicPartition
    from worker.source.memory_broker import MemoryBroker
    from worker.source.port import AssignmentListener, Commit
    from worker.source.subscription import Subscription


class _Reading:
    """Where one partition is read."""

    __slots__ = ("is_end_told", "is_paused", "next_offset", "topic_id")

    def __init__(self, topic_id: str, next_offset: int) -> None:
        self.topic_id = topic_id
        self.next_offset = next_offset
        self.is_paused = False
        self.is_end_told = False


class MemorySource:
    """Behaves as ``KafkaSource`` does; every change shows at its next poll.

    A topic that is deleted and made anew between two polls is read from its beginning.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        group: str,
        subscription: Subscription,
        clock: Clock | None = None,
    ) -> None:
        self._broker = broker
        self._group = broker.group(group)
        self._subscription = subscription
        self._clock = clock or SystemClock()
        self._news = threading.Event()
        self._readings: dict[TopicPartition, _Reading] = {}
        self._confirmed: dict[TopicPartition, Commit] = {}
        self._answers: dict[TopicPartition, Commit] = {}
        """Commits that the broker took and ``committed`` does not show before the next poll."""
        self._listener: AssignmentListener | None = None

    def start(self, listener: AssignmentListener) -> None:
        """Join; partitions come at later polls."""
        self._listener = listener
        self._broker.on_change(self._news.set)
        with self._broker.lock:
            self._group.join(self)

    def expire(self) -> None:
        """End the member's session, as after a long freeze: it hears of it at its next poll."""
        with self._broker.lock:
            self._group.leave(self)

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        """Rebalance, then read; waits if there is nothing."""
        self._news.clear()
        polled = self._poll(max_records)
        if polled.records or polled.ends:
            return polled
        if self._clock.wait(self._news, timeout_s):
            return self._poll(max_records)
        return polled

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Read them no more."""
        for reading in self._of(partitions):
            reading.is_paused = True

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Read them again."""
        for reading in self._of(partitions):
            reading.is_paused = False

    def commit(self, commits: Mapping[TopicPartition, Commit]) -> None:
        """Commit what is held; shows in ``committed`` after the next poll."""
        self._answers.update(self._commit(commits))

    def commit_now(
        self,
        commits: Mapping[TopicPartition, Commit],
        timeout_s: float,  # noqa: ARG002 - the answer is there at once, or never
    ) -> bool:
        """Commit; false in an outage, and after the session ended."""
        done = self._commit(commits)
        self._confirmed.update(done)
        return len(done) == len(commits)

    def committed(self) -> Mapping[TopicPartition, Commit]:
        """What was there when the partitions came, or was confirmed since."""
        return self._confirmed

    def ends(self, timeout_s: float) -> Mapping[TopicPartition, tuple[int, int]]:  # noqa: ARG002 - as above
        """Look at the logs."""
        if not self._broker.is_up:
            raise RetriableError("the broker is down")
        with self._broker.lock:
            return {
                place: (self._position(place), log.end)
                for place in self._broker.places(self._subscription)
                if (log := self._broker.log(place)) is not None
            }

    @property
    def partitions_in_all(self) -> int | None:
        """As the broker has them now."""
        with self._broker.lock:
            return sum(1 for _ in self._broker.places(self._subscription))

    def close(self) -> None:
        """Give up what is held, then leave."""
        if self._listener is None:
            return
        held = list(self._readings)
        try:
            if held:
                self._listener.on_revoked(held)
        finally:
            self._listener = None
            self._forget(held)
            with self._broker.lock:
                self._group.leave(self)
            self._broker.tell()

    def _poll(self, max_records: int) -> Polled:
        if self._listener is None:
            return Polled()
        if not self._broker.is_up:
            self._notice_end_of_session(self._listener)
            return Polled()
        self._confirmed.update(self._answers)
        self._answers.clear()
        self._rebalance(self._listener)
        return self._read(max_records)

    def _notice_end_of_session(self, listener: AssignmentListener) -> None:
        """Clients time their session by themselves, so they notice in an outage as well."""
        with self._broker.lock:
            is_member = self._group.is_member(self)
        if not is_member and self._readings:
            lost = list(self._readings)
            self._forget(lost)
            listener.on_lost(lost)

    def _rebalance(self, listener: AssignmentListener) -> None:
        """Lost, revoked, assigned: in this order, the listener outside of the lock."""
        self._notice_end_of_session(listener)
        with self._broker.lock:
            self._group.join(self)
        places = self._broker.places(self._subscription)
        with self._broker.lock:
            revoked = self._group.to_revoke(self, places)
        if revoked:
            listener.on_revoked(revoked)
            self._forget(revoked)
            with self._broker.lock:
                self._group.release(revoked)
            self._broker.tell()
        with self._broker.lock:
            assigned = self._group.take_free(self, places)
            self._readings.update((place, self._begin(place)) for place in assigned)
            left = self._group.committed
            self._confirmed |= {place: left[place] for place in assigned if place in left}
        if assigned:
            listener.on_assigned(assigned)

    def _begin(self, place: TopicPartition) -> _Reading:
        return _Reading(self._broker.topic_id(place.topic), self._position(place))

    def _position(self, place: TopicPartition) -> int:
        """The committed offset; the log's start if there is none, or if it is out of range."""
        log, commit = self._broker.log(place), self._group.committed.get(place)
        if log is None:
            return 0
        if commit is not None and log.start <= commit.next_offset <= log.end:
            return commit.next_offset
        return log.start

    def _read(self, max_records: int) -> Polled:
        records: list[Record] = []
        ends: dict[TopicPartition, int] = {}
        with self._broker.lock:
            for place, reading in list(self._readings.items()):
                if not reading.is_paused:
                    records += self._advance(place, reading, max_records - len(records), ends)
        self._take_turns()
        return Polled(records, ends)

    def _advance(
        self,
        place: TopicPartition,
        reading: _Reading,
        max_records: int,
        ends: dict[TopicPartition, int],
    ) -> list[Record]:
        log = self._broker.log(place)
        if log is None:
            return []
        if reading.topic_id != self._broker.topic_id(place.topic):
            self._readings[place] = reading = self._begin(place)
        if not log.start <= reading.next_offset <= log.end:
            reading.next_offset = log.start
        records = log.read(reading.next_offset, max_records)
        if records:
            reading.next_offset = records[-1].offset + 1
            reading.is_end_told = False
        if not log.read(reading.next_offset, 1) and reading.next_offset < log.end:
            reading.next_offset = log.end  # only markers are left
            reading.is_end_told = False
        if reading.next_offset == log.end and not reading.is_end_told:
            reading.is_end_told = True
            ends[place] = log.end
        return records

    def _take_turns(self) -> None:
        """The partition that was read first is last in line at the next poll."""
        if self._readings:
            first = next(iter(self._readings))
            self._readings[first] = self._readings.pop(first)

    def _commit(self, commits: Mapping[TopicPartition, Commit]) -> dict[TopicPartition, Commit]:
        with self._broker.lock:
            if not self._broker.is_up or not self._group.is_member(self):
                return {}
            done = {
                place: commit
                for place, commit in commits.items()
                if place in self._readings and self._broker.log(place) is not None
            }
            self._group.committed.update(done)
            return done

    def _of(self, partitions: Collection[TopicPartition]) -> list[_Reading]:
        return [self._readings[place] for place in partitions if place in self._readings]

    def _forget(self, places: Collection[TopicPartition]) -> None:
        for place in places:
            self._readings.pop(place, None)
            self._confirmed.pop(place, None)
            self._answers.pop(place, None)
