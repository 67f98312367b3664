"""The lag of rows and the number of open letters are looked at for ever, each for itself."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.config.tiny_plugins import read
from worker.build import Assembly
from worker.clock import FakeClock
from worker.config.worker import WorkerConfig
from worker.errors import RetriableError
from worker.lagging import Lag
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription
from worker.throttle.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from worker.config.connector import ConnectorConfig
    from worker.model import TopicPartition
    from worker.source.port import Reach, Span

LETTERS = "docs-dlq"
PATIENCE_S = 30.0


class Shop:
    """The topics of a connector, of which that of its letters says nothing."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.error: Exception | None = None
        self.is_waited_for = threading.Event()
        """Somebody wants to know of the dead-letter topic, which is silent."""
        self.is_closed = threading.Event()

    def reader(
        self, _worker: WorkerConfig, config: ConnectorConfig, topics: tuple[str, ...]
    ) -> MemorySpanReader:
        return Reader(self, config.group_id, topics)


class Reader(MemorySpanReader):
    def __init__(self, shop: Shop, group: str, topics: tuple[str, ...]) -> None:
        super().__init__(shop.broker, group, Subscription(topics))
        self._shop = shop

    def ahead(self, timeout_s: float) -> Mapping[TopicPartition, Span]:
        if self._shop.error is not None:
            raise self._shop.error
        return super().ahead(timeout_s)

    def standings(self, timeout_s: float) -> Mapping[TopicPartition, Reach]:
        self._shop.is_waited_for.set()
        self._shop.is_closed.wait()
        raise RetriableError("the dead-letter topic is silent")


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.is_closed.set()


@pytest.fixture
def lag(shop: Shop) -> Iterator[Lag]:
    keys = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": LETTERS}
    config = read(dict(keys)).config
    assert config is not None
    assert config.dlq_topic == LETTERS
    (topic,) = config.subscription
    shop.broker.create_topic(topic)
    shop.broker.create_topic(LETTERS)
    shop.broker.produce(topic, b"k", b"v")
    made = Lag(
        Assembly.of(WorkerConfig(), config, Accounts(FakeClock())), shop.reader, every_s=0.01
    )
    yield made
    made.close()


def eventually(holds: Callable[[], object]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def rows(lag: Lag) -> int:
    return sum(lag.by_topic.values())


def test_a_dead_letter_topic_that_is_silent_does_not_stop_the_lag_of_rows(
    shop: Shop, lag: Lag
) -> None:
    lag.watch()
    assert shop.is_waited_for.wait(PATIENCE_S)
    eventually(lambda: rows(lag) == 1)
    (topic,) = lag.by_topic
    shop.broker.produce(topic, b"k", b"v")
    eventually(lambda: rows(lag) == 2)
    assert lag.open_letters is None


def test_an_error_that_nobody_expected_is_said_once_and_the_looks_go_on(
    shop: Shop, lag: Lag, caplog: pytest.LogCaptureFixture
) -> None:
    lag.watch()
    eventually(lambda: rows(lag) == 1)
    with caplog.at_level(logging.ERROR):
        shop.error = KeyError("what is that")
        eventually(lambda: not lag.by_topic)
        time.sleep(0.1)
        shop.error = None
        eventually(lambda: rows(lag) == 1)
    assert [one.message for one in caplog.records] == ["What products has before it is not known."]
