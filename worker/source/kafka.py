"""A consumer group member over librdkafka."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError

from worker.brokers import ALL_DOWN, no_answer
from worker.clock import SystemClock
from worker.model import TopicPartition
from worker.quiet_log import QuietLog
from worker.source.clients import clients
from worker.source.commits import Commits
from worker.source.departure import depart, stay
from worker.source.failures import Refusals, verdict
from worker.source.group_ends import GroupEnds
from worker.source.lanes import Lanes
from worker.source.messages import Messages
from worker.source.missing_topics import MissingTopics
from worker.source.subscription_size import SubscriptionSize
from worker.source.topic_ids import TopicIds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from confluent_kafka import TopicPartition as KafkaPartition

    from worker.clock import Clock
    from worker.errors import FatalError
    from worker.source.clients import KafkaSourceSettings
    from worker.source.port import AssignmentListener, Commit, Polled

_log = logging.getLogger(__name__)

_MISSING = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - so spelt in the public API
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - so spelt in the public API
    }
)


class KafkaSource:
    """A member of a consumer group. One thread owns it.

    What comes of a partition is held back until its topic's id is known, which takes one round
    trip. The id is asked for again when the offsets of a partition go back, and every 30 s:
    a topic that was deleted and made anew gets its new id, and is read from its beginning.
    """

    def __init__(self, settings: KafkaSourceSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._consumer: Consumer | None = None
        self._commits = Commits(self._clock)
        self._refusals = Refusals(self._clock)
        self._quiet = QuietLog(_log, self._clock)
        self._failure: FatalError | None = None
        self._is_leaving = False

    def start(self, listener: AssignmentListener) -> None:
        """Make the clients and subscribe.

        Raises:
            ConfigError: librdkafka does not take the properties.
        """
        settings = self._settings
        admin, consumer = clients(settings, self._on_error, self._on_commit)
        self._listener = listener
        self._ids = TopicIds(admin, self._clock)
        self._size = SubscriptionSize(admin, self._clock, settings.subscription)
        self._missing = MissingTopics(admin, self._clock)
        self._lanes = Lanes(self._ids, self._clock)
        self._messages = Messages(self._lanes, self._on_error)
        self._ends = GroupEnds(admin, self._clock, settings.subscription, settings.consumer)
        self._consumer = consumer
        consumer.subscribe(
            list(settings.subscription.entries),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        """One message is waited for; the others are what librdkafka has at hand."""
        consumer = self._member
        self._lanes.name_topics(consumer)
        messages = self._lanes.take_released(max_records)
        polled = self._messages.sorted(
            consumer, messages or self._messages.take(consumer, max_records, timeout_s)
        )
        if polled.records or polled.ends:
            self._refusals.let_in()
        self._refusals.check()
        if self._failure is not None:
            raise self._failure
        return polled

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Stop fetching; what librdkafka has fetched ahead is thrown away."""
        self._lanes.pause(self._member, partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Fetch again."""
        self._lanes.resume(self._member, partitions)

    def commit(self, commits: Mapping[TopicPartition, Commit]) -> None:
        """Send unless a commit is under way."""
        self._commits.send(self._member, self._of_held(commits))

    def commit_now(self, commits: Mapping[TopicPartition, Commit], timeout_s: float) -> bool:
        """Commit and have the broker say what it has; false for partitions that are not held."""
        held = self._of_held(commits)
        if not held:
            return not commits
        is_confirmed = self._commits.send_and_wait(self._member, held, timeout_s)
        return is_confirmed and len(held) == len(commits)

    def committed(self) -> Mapping[TopicPartition, Commit]:
        """What the broker said when the partitions came, or confirmed since."""
        return self._commits.confirmed

    def ends(self, timeout_s: float) -> Mapping[TopicPartition, tuple[int, int]]:
        """Ask coordinator and leaders. Topics that do not exist yet have no partitions."""
        return self._ends.ask(self._member, timeout_s)

    @property
    def partitions_in_all(self) -> int | None:
        """As the brokers said in the last half minute."""
        return self._size.partitions

    def close(self) -> None:
        """Have the listener finish, then leave the group within ``close_timeout_s``.

        The listener is called before librdkafka's own close, in which no commit can be confirmed.
        """
        consumer = self._consumer
        if consumer is None:
            return
        held = self._lanes.partitions
        try:
            if held:
                self._listener.on_revoked(held)
        finally:
            self._consumer = None
            self._forget(consumer, held)
            self._ids.close()
            self._size.close()
            self._missing.close()
            self._leave(consumer)

    @property
    def _member(self) -> Consumer:
        if self._consumer is None:
            raise RuntimeError("the source is not started, or closed")
        return self._consumer

    def _leave(self, consumer: Consumer) -> None:
        """Close in a thread, as librdkafka waits for brokers that may be away."""
        self._is_leaving = True
        if "group.instance.id" in self._settings.consumer and self._settings.stays():
            stay(consumer)
            return
        leaving = threading.Thread(target=depart, args=(consumer,), name="leave-group", daemon=True)
        leaving.start()
        leaving.join(self._settings.close_timeout_s)
        if leaving.is_alive():
            _log.warning("Kafka does not answer; the group will notice by itself that we left.")

    def _of_held(self, commits: Mapping[TopicPartition, Commit]) -> dict[TopicPartition, Commit]:
        held = self._lanes.by_place
        return {place: commit for place, commit in commits.items() if place in held}

    def _forget(self, consumer: Consumer, places: Collection[TopicPartition]) -> None:
        self._lanes.end(consumer, places)
        self._commits.forget(places)

    def _on_assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        consumer.incremental_assign(partitions)
        if self._is_leaving:
            return  # a rebalance that was under way; closing gives them up again
        self._refusals.let_in()
        places = _named(partitions)
        self._lanes.begin(places)
        self._commits.look_up(consumer, places)
        self._listener.on_assigned(places)

    def _on_revoke(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        if not self._is_leaving:
            self._listener.on_revoked(_named(partitions))
            self._forget(consumer, _named(partitions))
        consumer.incremental_unassign(partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        if not self._is_leaving:
            self._forget(consumer, _named(partitions))
            self._listener.on_lost(_named(partitions))
        consumer.incremental_unassign(partitions)

    def _on_commit(self, error: KafkaError | None, partitions: list[KafkaPartition]) -> None:
        if error is not None:
            self._failure = self._failure or verdict(error)
        self._commits.on_answer(error, partitions, self._lanes.by_place)

    def _on_error(self, error: KafkaError, topic: str | None = None) -> None:
        """From any callback: remember what is fatal, log the rest once in a while."""
        self._refusals.note(error)
        self._failure = self._failure or verdict(error)
        if error.code() in _MISSING and topic is not None:
            self._missing.warn(topic)
        else:
            self._quiet.warn(error.code(), "%s.", self._said(error))

    def _said(self, error: KafkaError) -> str:
        """Of a single broker, what has happened to it."""
        consumer = self._settings.consumer
        if error.code() == ALL_DOWN:
            return no_answer(consumer)
        return f"Kafka (bootstrap.servers={consumer.get('bootstrap.servers')}): {error.str()}"


def _named(partitions: Iterable[KafkaPartition]) -> list[TopicPartition]:
    return [TopicPartition(one.topic, one.partition) for one in partitions]
