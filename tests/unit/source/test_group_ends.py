"""Where a group stands, asked of a coordinator that is not there yet."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # it is exported

from worker.clock import FakeClock
from worker.errors import RetriableError
from worker.source.group_ends import GroupEnds
from worker.source.port import Span
from worker.source.subscription import Subscription

LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # one object for all


class Admin:
    """A cluster with one topic of one partition, which holds ten records."""

    def list_topics(self, timeout: float) -> Any:
        assert timeout > 0
        topic = SimpleNamespace(partitions={0: None}, error=None)
        return SimpleNamespace(topics={"shop": topic})

    def list_offsets(self, asked: Any, **_given: object) -> dict[Any, Future[Any]]:
        answers: dict[Any, Future[Any]] = {}
        for place, spec in asked.items():
            answers[place] = Future()
            answers[place].set_result(SimpleNamespace(offset=10 if spec is LATEST else 0))
        return answers


class Consumer:
    """Whose group's coordinator refuses so often before it answers."""

    def __init__(self, code: int, times: int) -> None:
        self.code, self.times = code, times

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout > 0
        if self.times:
            self.times -= 1
            raise KafkaException(KafkaError(self.code))
        return [TopicPartition(place.topic, place.partition, 4) for place in places]


def ask(consumer: Consumer) -> Any:
    ends = GroupEnds(Admin(), FakeClock(), Subscription(("shop",)), {})  # type: ignore[arg-type]
    return list(ends.standings(consumer, 5.0).values())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    ],
)
def test_a_coordinator_that_will_be_there_in_a_moment_is_waited_for(code: int) -> None:
    (found,) = ask(Consumer(code, times=3))
    assert (found.log, found.next_offset) == (Span(0, 10), 4)


def test_a_coordinator_that_never_comes_is_waited_for_no_longer_than_asked() -> None:
    with pytest.raises(RetriableError, match="does not say where the topics end"):
        ask(Consumer(KafkaError.NOT_COORDINATOR, times=1000))


def test_any_other_refusal_is_told_at_once() -> None:
    consumer = Consumer(KafkaError.INVALID_GROUP_ID, times=1)
    with pytest.raises(RetriableError, match="does not say where the topics end"):
        ask(consumer)
    assert consumer.times == 0
