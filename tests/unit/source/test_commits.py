from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from worker.clock import FakeClock
from worker.model import TopicPartition
from worker.source.commits import Commits

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACE = TopicPartition("t", 0)


class Coordinator:
    """A consumer's commits; ``takes`` says which attempts get through."""

    def __init__(self, *, takes: Sequence[bool] = (True,), answers: bool = True) -> None:
        self._takes = list(takes)
        self._answers = answers
        self._offset = -1001
        self.sent: list[int] = []

    def commit(self, offsets: list[KafkaPartition], asynchronous: bool) -> None:  # noqa: FBT001 - its signature
        assert asynchronous
        self.sent.append(offsets[0].offset)
        if self._takes and self._takes.pop(0):
            self._offset = offsets[0].offset

    def committed(self, partitions: list[KafkaPartition], timeout: float) -> list[KafkaPartition]:
        if not self._answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [KafkaPartition(one.topic, one.partition, self._offset) for one in partitions]


def wait(coordinator: Any, commits: Commits) -> bool:
    return commits.send_and_wait(coordinator, {PLACE: 5}, 10.0)


def test_a_commit_that_the_broker_has_is_confirmed() -> None:
    commits = Commits(FakeClock())
    assert wait(Coordinator(), commits)
    assert commits.confirmed == {PLACE: 5}


def test_a_commit_that_was_refused_is_tried_again_a_few_times() -> None:
    commits, stubborn = Commits(FakeClock()), Coordinator(takes=[False] * 9)
    assert not wait(stubborn, commits)
    assert stubborn.sent == [5, 5, 5]
    assert commits.confirmed == {}
    assert wait(Coordinator(takes=[False, True]), commits)


def test_a_coordinator_that_does_not_answer_confirms_nothing() -> None:
    commits, silent = Commits(FakeClock()), Coordinator(answers=False)
    assert not wait(silent, commits)
    assert silent.sent == [5]


def test_while_one_commit_is_unanswered_no_other_is_sent() -> None:
    clock = FakeClock()
    commits, coordinator = Commits(clock), Coordinator()
    anything: Any = coordinator
    commits.send(anything, {PLACE: 1})
    commits.send(anything, {PLACE: 2})
    assert coordinator.sent == [1]
    commits.on_answer(None, [KafkaPartition("t", 0, 1)], {PLACE})
    commits.send(anything, {PLACE: 3})
    clock.advance(31.0)
    commits.send(anything, {PLACE: 4})
    assert coordinator.sent == [1, 3, 4]


def test_an_answer_counts_only_without_error_and_for_what_is_held() -> None:
    commits = Commits(FakeClock())
    commits.on_answer(
        KafkaError(KafkaError.ILLEGAL_GENERATION), [KafkaPartition("t", 0, 1)], {PLACE}
    )
    commits.on_answer(None, [KafkaPartition("t", 1, 1)], {PLACE})
    assert commits.confirmed == {}
    commits.on_answer(None, [KafkaPartition("t", 0, 7)], {PLACE})
    assert commits.confirmed == {PLACE: 7}
    commits.forget([PLACE])
    assert commits.confirmed == {}
