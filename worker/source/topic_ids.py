"""The UUID that Kafka gave a topic, asked for in a thread of its own so that polling goes on."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from worker.errors import RetriableError
from worker.source.failures import verdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka.admin import AdminClient

    from worker.clock import Clock
    from worker.errors import FatalError

_REQUEST_S = 5.0
_PAUSE_S = 0.25
_LOOKS_FOR_CONTROLLER = 3
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""The UUID of zeros, which Kafka's protocol says where a topic has none."""


class TopicIds:
    """Asks a cluster for topic ids; answers come to whoever collects them.

    A cluster without a controller (librdkafka's mock cluster) has no ids, and one that speaks an
    old protocol has none for a topic: the answer is the empty text. Topics that do not exist, and
    an outage, are no answer: ask again.
    """

    def __init__(self, admin: AdminClient, clock: Clock) -> None:
        self._admin = admin
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="topic-ids")
        self._answers: queue.SimpleQueue[tuple[str, str] | FatalError] = queue.SimpleQueue()
        self._is_asking = False
        self._not_before_s = clock.now_s()
        self._looks = 0
        self._cluster_has_ids = False

    def ask(self, topics: Collection[str]) -> None:
        """Ask, unless a question is under way or was answered a moment ago. Never blocks."""
        if self._is_asking or self._clock.now_s() < self._not_before_s:
            return
        self._is_asking = True
        self._thread.submit(self._answer, sorted(topics))

    def answers(self) -> dict[str, str]:
        """Topic ids that came since the last call. Never blocks.

        Raises:
            FatalError: the cluster refuses to say.
        """
        found: dict[str, str] = {}
        while not self._answers.empty():
            answer = self._answers.get_nowait()
            if not isinstance(answer, tuple):
                raise answer
            found[answer[0]] = answer[1]
        return found

    def close(self) -> None:
        """Ask no more; a question under way is left alone."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _answer(self, topics: list[str]) -> None:
        try:
            self._look_up(topics)
        except KafkaException:
            pass  # an outage; the question comes again
        finally:
            self._admin.poll(0)  # serves the client's log lines
            self._not_before_s = self._clock.now_s() + _PAUSE_S
            self._is_asking = False

    def _look_up(self, topics: list[str]) -> None:
        if not self._cluster_has_ids and self._has_no_controller():
            for topic in topics:
                self._answers.put((topic, ""))
            return
        described = self._admin.describe_topics(TopicCollection(topics), request_timeout=_REQUEST_S)
        for topic, future in described.items():
            try:
                topic_id = future.result().topic_id
            except KafkaException as error:
                self._judge(error.args[0])
            else:
                self._cluster_has_ids = True
                self._answers.put((topic, _as_java_writes(str(topic_id))))

    def _has_no_controller(self) -> bool:
        found = self._admin.list_topics(timeout=_REQUEST_S)
        if found.controller_id in found.brokers:
            return False
        self._looks += 1
        if self._looks < _LOOKS_FOR_CONTROLLER:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - so spelt in the public API
        return True

    def _judge(self, error: KafkaError) -> None:
        fatal = verdict(error)
        if fatal is not None:
            self._answers.put(fatal)


def existing_ids(admin: AdminClient) -> frozenset[str]:
    """Of all topics that we may see; none if the cluster has no ids, or says not all of them.

    Kafka leaves topics that we may not DESCRIBE out of its list instead of refusing.

    Raises:
        RetriableError: the brokers do not answer.
    """
    try:
        topics = sorted(admin.list_topics(timeout=_REQUEST_S).topics)
        described = admin.describe_topics(TopicCollection(topics), request_timeout=_REQUEST_S)
        ids = {_as_java_writes(str(one.result().topic_id)) for one in described.values()}
    except KafkaException as error:
        if verdict(error.args[0]) is not None:
            return frozenset()
        raise RetriableError(f"Kafka does not describe its topics: {error.args[0]}") from error
    return frozenset() if "" in ids else frozenset(ids)


def _as_java_writes(topic_id: str) -> str:
    """As Kafka's own tools show it: base64 for URLs, while librdkafka writes plain base64."""
    if topic_id == _NO_ID:
        return ""
    return topic_id.replace("+", "-").replace("/", "_")
