"""The offsets of a group are moved without losing any of them, whatever Kafka answers meanwhile."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from worker.errors import FatalError, RetriableError
from worker.model import TopicPartition
from worker.source.group_offsets import KafkaGroupOffsets

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

PLACES = [TopicPartition("t", number) for number in range(3)]
TROUBLE = KafkaError.COORDINATOR_NOT_AVAILABLE
REFUSAL = KafkaError.GROUP_AUTHORIZATION_FAILED


class FakeAdmin:
    """One group, which answers commits with ``errors`` first: the error's code, 0 for none."""

    def __init__(self) -> None:
        self.offsets = dict.fromkeys(PLACES, 10)
        self.said: dict[TopicPartition, str | None] = dict.fromkeys(PLACES)
        """The metadata of each commit."""
        self.errors: list[int] = []
        self.is_always_troubled = False
        self.is_silent = False
        """It does not answer any more once the group is gone."""

    def list_consumer_group_offsets(
        self, request: list[ConsumerGroupTopicPartitions], **_: object
    ) -> dict[str, Future[Any]]:
        if self.is_silent and not self.offsets:
            return {"g": _Silence()}
        found = [
            KafkaPartition(*place, offset, self.said[place] or "")
            for place, offset in self.offsets.items()
        ]
        return {"g": _done(ConsumerGroupTopicPartitions("g", found))}

    def alter_consumer_group_offsets(
        self, request: list[ConsumerGroupTopicPartitions], **_: object
    ) -> dict[str, Future[Any]]:
        if self.is_silent and not self.offsets:
            return {"g": _Silence()}
        code = self.errors.pop(0) if self.errors else 0
        if code or (self.is_always_troubled and not self.offsets):
            return {"g": _failed(code or TROUBLE)}
        wanted = request[0].topic_partitions or []
        self.offsets |= {TopicPartition(one.topic, one.partition): one.offset for one in wanted}
        self.said |= {TopicPartition(one.topic, one.partition): one.metadata for one in wanted}
        return {"g": _done(request[0])}

    def delete_consumer_groups(self, names: list[str], **_: object) -> dict[str, Future[Any]]:
        self.offsets.clear()
        return {"g": _done(None)}


class _Silence(Future[Any]):
    """An answer that never comes, to somebody who does not want to wait for that."""

    def result(self, timeout: float | None = None) -> Any:
        assert timeout is not None
        return super().result(0)


def _done(result: object) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


def _failed(code: int) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(KafkaException(KafkaError(code)))
    return future


@pytest.fixture
def admin() -> FakeAdmin:
    return FakeAdmin()


def group(admin: FakeAdmin, patience_s: float = 5.0) -> KafkaGroupOffsets:
    return KafkaGroupOffsets(
        "g", {}, patience_s=patience_s, connect=lambda _: cast("AdminClient", admin)
    )


def test_one_that_is_forgotten_leaves_the_others(admin: FakeAdmin) -> None:
    group(admin).alter({PLACES[0]: None, PLACES[1]: 5})
    assert admin.offsets == {PLACES[1]: 5, PLACES[2]: 10}
    group(admin).alter({PLACES[0]: None, PLACES[1]: 6})
    assert admin.offsets == {PLACES[1]: 6, PLACES[2]: 10}
    group(admin).alter({PLACES[1]: None, PLACES[2]: None})
    assert admin.offsets == {}


def test_after_the_group_was_deleted_no_error_ends_the_commit_of_the_others(
    admin: FakeAdmin,
) -> None:
    admin.errors = [0, TROUBLE, REFUSAL]
    group(admin).alter({PLACES[0]: None})
    assert admin.offsets == {PLACES[1]: 10, PLACES[2]: 10}


def test_who_may_not_commit_loses_nothing(admin: FakeAdmin) -> None:
    admin.errors = [REFUSAL]
    with pytest.raises(FatalError, match="READ"):
        group(admin).alter({PLACES[0]: None})
    assert admin.offsets == dict.fromkeys(PLACES, 10)


def test_offsets_that_could_not_be_committed_again_are_told(
    admin: FakeAdmin, caplog: pytest.LogCaptureFixture
) -> None:
    admin.is_always_troubled = True
    with pytest.raises(FatalError, match="alter the offsets to t-1: 5, t-2: 10"):
        group(admin, patience_s=0.0).alter({PLACES[0]: None, PLACES[1]: 5})
    assert "has lost its offsets: t-1: 5, t-2: 10" in caplog.text


def test_an_answer_that_never_comes_is_an_outage(admin: FakeAdmin) -> None:
    admin.is_silent = True
    admin.offsets.clear()
    with pytest.raises(RetriableError, match=r"does not answer: check bootstrap\.servers"):
        group(admin).committed()


def test_offsets_are_told_too_where_their_commit_is_not_answered(admin: FakeAdmin) -> None:
    admin.is_silent = True
    with pytest.raises(FatalError, match="alter the offsets to t-1: 10, t-2: 10"):
        group(admin).alter({PLACES[0]: None})


def test_who_moves_a_partition_wants_new_letters_of_what_fails_again(admin: FakeAdmin) -> None:
    admin.said[PLACES[0]] = "open key=7 letters=Zk3_9-a:6,9"
    admin.said[PLACES[1]] = "clean 1764175800123 letters=Zk3_9-a:6,9"
    group(admin).alter({PLACES[0]: 3, PLACES[1]: 3, PLACES[2]: 3})
    assert [admin.said[one] for one in PLACES] == ["open", "clean 1764175800123", "open"]
