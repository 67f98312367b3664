"""The dead-letter queue in memory keeps the promises of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.dlq_contract import (
    LIMIT_BYTES,
    SENDER,
    DeadLetterContract,
    LimitedTopicContract,
    letter,
)
from worker.dlq.memory import MemoryDeadLetterQueue
from worker.errors import FatalError

if TYPE_CHECKING:
    from worker.model import Record


class MemoryTopic:
    def __init__(self) -> None:
        self._queue: MemoryDeadLetterQueue | None = None

    def queue(self) -> MemoryDeadLetterQueue:
        self._queue = MemoryDeadLetterQueue(sender=SENDER)
        return self._queue

    def limited(self) -> MemoryDeadLetterQueue:
        self._queue = MemoryDeadLetterQueue(sender=SENDER, max_bytes=LIMIT_BYTES)
        return self._queue

    def read(self, count: int) -> list[Record]:
        assert self._queue is not None
        assert len(self._queue.records) == count
        return self._queue.records


class TestMemoryDeadLetterQueue(DeadLetterContract, LimitedTopicContract):
    @pytest.fixture
    def topic(self) -> MemoryTopic:
        return MemoryTopic()


def test_nothing_is_confirmed_while_the_brokers_are_away() -> None:
    queue = MemoryDeadLetterQueue()
    queue.down()
    sent = letter()
    queue.send(sent)
    assert list(queue.confirmed()) == []
    assert queue.records == []
    queue.up()
    assert list(queue.confirmed()) == [sent]


def test_what_was_not_delivered_at_the_close_is_dropped() -> None:
    queue = MemoryDeadLetterQueue()
    queue.down()
    queue.send(letter())
    queue.close(1.0)
    queue.up()
    assert list(queue.confirmed()) == []
    assert queue.records == []


def test_a_refusal_is_fatal() -> None:
    queue = MemoryDeadLetterQueue()
    queue.refuse("no permission")
    queue.send(letter())
    with pytest.raises(FatalError, match="no permission"):
        queue.confirmed()
