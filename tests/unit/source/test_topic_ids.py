"""What a cluster says about the ids of its topics."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING

from confluent_kafka import Uuid

from worker.clock import SystemClock
from worker.source.topic_ids import TopicIds

if TYPE_CHECKING:
    from confluent_kafka import TopicCollection


class Admin:
    """A cluster with a controller and these topics."""

    def __init__(self, ids: dict[str, Uuid]) -> None:
        self._ids = ids
        self.answered = threading.Event()

    def list_topics(self, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(controller_id=1, brokers={1: "a broker"})

    def describe_topics(
        self, topics: TopicCollection, request_timeout: float
    ) -> dict[str, Future[SimpleNamespace]]:
        return {topic: described(topic_id) for topic, topic_id in self._ids.items()}

    def poll(self, timeout: float) -> int:
        self.answered.set()  # it is called last
        return 0


def described(topic_id: Uuid) -> Future[SimpleNamespace]:
    future: Future[SimpleNamespace] = Future()
    future.set_result(SimpleNamespace(topic_id=topic_id))
    return future


def answers(**ids: Uuid) -> dict[str, str]:
    admin = Admin(ids)
    asked = TopicIds(admin, SystemClock())  # type: ignore[arg-type]  # it stands in for AdminClient
    asked.ask(ids)
    assert admin.answered.wait(10)
    asked.close()
    return asked.answers()


def test_an_id_is_written_as_kafkas_own_tools_do() -> None:
    assert answers(orders=Uuid(1, -5)) == {"orders": "AAAAAAAAAAH_________-w"}


def test_an_id_of_zeros_is_none() -> None:
    assert answers(old=Uuid(0, 0), new=Uuid(0, 1)) == {"old": "", "new": "AAAAAAAAAAAAAAAAAAAAAQ"}
