from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from tests.contract.source_contract import clean, opened
from worker.clock import FakeClock
from worker.model import TopicPartition
from worker.source.commits import Commits
from worker.source.port import UNKNOWN, Commit, Letters, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACE = TopicPartition("t", 0)
LETTERS = Letters("Zk3_9-a", (6, 9))


class Coordinator:
    """A consumer's commits; ``takes`` says which attempts get through."""

    def __init__(self, *, takes: Sequence[bool] = (True,), answers: bool = True) -> None:
        self._takes = list(takes)
        self._answers = answers
        self._has = (-1001, "")
        self.sent: list[int] = []

    def commit(self, offsets: list[KafkaPartition], asynchronous: bool) -> None:  # noqa: FBT001 - its signature
        assert asynchronous
        self.sent.append(offsets[0].offset)
        if self._takes and self._takes.pop(0):
            self._has = (offsets[0].offset, offsets[0].metadata or "")

    def committed(self, partitions: list[KafkaPartition], timeout: float) -> list[KafkaPartition]:
        if not self._answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [KafkaPartition(one.topic, one.partition, *self._has) for one in partitions]


def wait(coordinator: Any, commits: Commits) -> bool:
    return commits.send_and_wait(coordinator, {PLACE: clean(5)}, 10.0)


def test_a_commit_that_the_broker_has_is_confirmed() -> None:
    commits = Commits(FakeClock())
    assert wait(Coordinator(), commits)
    assert commits.confirmed == {PLACE: clean(5)}


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
    commits.send(anything, {PLACE: clean(1)})
    commits.send(anything, {PLACE: clean(2)})
    assert coordinator.sent == [1]
    commits.on_answer(None, [KafkaPartition("t", 0, 1)], {PLACE})
    commits.send(anything, {PLACE: clean(3)})
    clock.advance(31.0)
    commits.send(anything, {PLACE: clean(4)})
    assert coordinator.sent == [1, 3, 4]


def test_an_answer_counts_only_without_error_and_for_what_is_held() -> None:
    commits = Commits(FakeClock())
    commits.on_answer(
        KafkaError(KafkaError.ILLEGAL_GENERATION), [KafkaPartition("t", 0, 1)], {PLACE}
    )
    commits.on_answer(None, [KafkaPartition("t", 1, 1)], {PLACE})
    assert commits.confirmed == {}
    commits.on_answer(None, [KafkaPartition("t", 0, 7, "clean")], {PLACE})
    assert commits.confirmed == {PLACE: clean(7)}
    commits.forget([PLACE])
    assert commits.confirmed == {}


@pytest.mark.parametrize("schema", [None, "", "258", "9f3e"])
def test_the_schema_of_the_last_key_comes_back_with_the_commit(schema: str | None) -> None:
    commits = Commits(FakeClock())
    commit = clean(5)._replace(key_schema=schema)
    anything: Any = Coordinator()
    assert commits.send_and_wait(anything, {PLACE: commit}, 10.0)
    assert commits.confirmed == {PLACE: commit}


def test_letters_above_the_commit_come_back_with_it() -> None:
    commits = Commits(FakeClock())
    commit = opened(5)._replace(key_schema="7", letters=LETTERS)
    anything: Any = Coordinator()
    assert commits.send_and_wait(anything, {PLACE: commit}, 10.0)
    assert commits.confirmed == {PLACE: commit}
    assert commit.metadata == "open key=7 letters=Zk3_9-a:6,9"


@pytest.mark.parametrize(
    ("metadata", "meaning"),
    [
        ("clean", (Standing.CLEAN, None, None)),
        ("clean 1764175800123", (Standing.CLEAN, 1764175800123, None)),
        ("clean key=7", (Standing.CLEAN, None, "7")),
        ("clean 1764175800123 key=9f3e", (Standing.CLEAN, 1764175800123, "9f3e")),
        ("open key=258", (Standing.OPEN, None, "258")),
        ("open key=", (Standing.OPEN, None, "")),
        ("clean 12 of another program", (Standing.OPEN, None, None)),
        ("clean 12 key=7 letters=Zk3_9-a:6,9", (Standing.CLEAN, 12, "7", LETTERS)),
        ("open letters=Zk3_9-a:6,9", (Standing.OPEN, None, None, LETTERS)),
        ("clean letters=", (Standing.OPEN, None, None)),
        ("clean letters=Zk3_9-a:6,", (Standing.OPEN, None, None)),
        ("", (Standing.OPEN, None, None)),
        (None, (Standing.OPEN, None, None)),
        ("of another program", (Standing.OPEN, None, None)),
    ],
)
def test_metadata_tells_standing_time_schema_and_letters(
    metadata: str | None, meaning: tuple[Any, ...]
) -> None:
    assert Commit.of(5, metadata) == Commit(5, *meaning)


class Left:
    """What a consumer is told that its group has committed."""

    def __init__(self, *partitions: KafkaPartition, answers: bool = True) -> None:
        self._partitions = list(partitions)
        self._answers = answers

    def committed(self, partitions: list[KafkaPartition], timeout: float) -> list[KafkaPartition]:
        assert timeout < 10.0, "polling must go on"
        if not self._answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return self._partitions


def found(*partitions: KafkaPartition, answers: bool = True) -> Any:
    commits, left = Commits(FakeClock()), Left(*partitions, answers=answers)
    anything: Any = left
    commits.look_up(anything, [PLACE])
    return commits.confirmed


def test_what_the_last_owner_left_is_as_it_says() -> None:
    assert found(KafkaPartition("t", 0, 7, "clean")) == {PLACE: clean(7)}
    assert found(KafkaPartition("t", 0, 7, "open")) == {PLACE: opened(7)}


def test_it_says_when_it_was_written_last() -> None:
    left = Commit(7, Standing.CLEAN, 1_764_175_800_123)
    assert found(KafkaPartition("t", 0, 7, "clean 1764175800123")) == {PLACE: left}
    assert left.metadata == "clean 1764175800123"
    assert found(KafkaPartition("t", 0, 7, "clean soon")) == {PLACE: opened(7)}


def test_a_commit_without_our_metadata_is_somebody_elses_and_counts_as_open() -> None:
    assert found(KafkaPartition("t", 0, 7)) == {PLACE: opened(7)}
    assert found(KafkaPartition("t", 0, 7, "{}")) == {PLACE: opened(7)}


def test_a_group_that_committed_nothing_left_nothing() -> None:
    assert found(KafkaPartition("t", 0, -1001)) == {}


def test_what_the_coordinator_does_not_tell_is_not_known() -> None:
    assert found(answers=False) == {PLACE: UNKNOWN}


def test_a_commit_of_another_standing_at_the_same_offset_is_another_commit() -> None:
    commits, coordinator = Commits(FakeClock()), Coordinator(takes=[True, False, False, False])
    anything: Any = coordinator
    assert commits.send_and_wait(anything, {PLACE: opened(5)}, 10.0)
    assert not commits.send_and_wait(anything, {PLACE: clean(5)}, 10.0)
    assert commits.confirmed == {PLACE: opened(5)}
