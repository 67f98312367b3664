"""When a partition is open in the group's eyes, and when it is clean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tests.contract.source_contract import clean, opened
from worker.clock import FakeClock
from worker.flow.ledger import Ledger
from worker.model import TopicPartition
from worker.pipeline.commit import Committer
from worker.source.port import UNKNOWN, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.source.port import Commit, Source

PLACE = TopicPartition("t", 0)


class Commits:
    """A source that confirms when told to."""

    def __init__(self, found: Mapping[TopicPartition, Commit]) -> None:
        self.confirmed = dict(found)
        self.sent: list[Commit] = []

    def committed(self) -> Mapping[TopicPartition, Commit]:
        return self.confirmed

    def commit(self, commits: Mapping[TopicPartition, Commit]) -> None:
        self.sent += commits.values()

    def commit_now(self, commits: Mapping[TopicPartition, Commit], timeout_s: float) -> bool:
        assert timeout_s > 0
        self.commit(commits)
        return True


def made(found: Commit | None = None) -> tuple[Committer, Commits, Ledger, FakeClock]:
    commits, ledger, clock = Commits({PLACE: found} if found else {}), Ledger(), FakeClock()
    ledger.open(PLACE)
    anything: Any = commits
    return Committer(cast("Source", anything), ledger, clock), commits, ledger, clock


def test_a_partition_without_records_is_not_opened() -> None:
    committer, _, ledger, _ = made(clean(5))
    assert not committer.is_opening
    ledger.reach({PLACE: 5})
    assert not committer.is_opening
    assert committer.outstanding == {}


def test_its_first_record_opens_it_and_is_tried_often_until_the_broker_has_it() -> None:
    committer, commits, ledger, clock = made(clean(5))
    partition = ledger.get(PLACE)
    assert partition is not None
    partition.receive(5)
    assert committer.is_opening
    for _ in range(4):
        clock.advance(0.125)
        committer.tick()
        committer.tick()
    assert commits.sent == [opened(5)] * 4
    commits.confirmed[PLACE] = opened(5)
    assert not committer.is_opening
    clock.advance(0.5)
    committer.tick()
    assert len(commits.sent) == 4


def test_what_the_broker_did_not_tell_has_to_be_opened_anew() -> None:
    committer, _, ledger, _ = made(UNKNOWN)
    partition = ledger.get(PLACE)
    assert partition is not None
    partition.receive(0)
    assert committer.is_opening
    assert committer.outstanding == {PLACE: opened(0)}


def test_another_standing_at_the_same_offset_is_a_commit_of_its_own() -> None:
    committer, commits, ledger, _ = made(opened(5))
    partition = ledger.get(PLACE)
    assert partition is not None
    partition.receive(5)
    assert committer.commit_last({PLACE: Standing.OPEN}, 1.0)
    assert commits.sent == []
    assert committer.commit_last({PLACE: Standing.CLEAN}, 1.0)
    assert commits.sent == [clean(5)]
