"""The source in memory keeps the promises of a source, also in bad moments."""

from __future__ import annotations

import pytest

from tests.contract.source_contract import Member, SourceContract, clean, places, turn, turns
from worker.clock import FakeClock
from worker.errors import RetriableError
from worker.model import Headers, TopicPartition
from worker.source.memory import MemorySource
from worker.source.memory_broker import MemoryBroker
from worker.source.subscription import Subscription

TOPIC = "shop"
PLACE = TopicPartition(TOPIC, 0)


class MemoryCluster:
    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def create(self, topic: str) -> None:
        self.broker.create_topic(topic, partitions=4)

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        *,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> None:
        self.broker.produce(
            topic, key, value, partition=partition, headers=headers, timestamp_ms=timestamp_ms
        )

    def source(self, group: str, subscription: Subscription) -> MemorySource:
        return MemorySource(self.broker, group, subscription, FakeClock())


class TestMemorySource(SourceContract):
    @pytest.fixture
    def cluster(self) -> MemoryCluster:
        return MemoryCluster()


@pytest.fixture
def broker() -> MemoryBroker:
    broker = MemoryBroker()
    broker.create_topic(TOPIC)
    return broker


def joined(broker: MemoryBroker) -> tuple[Member, MemorySource]:
    source = MemorySource(broker, "group", Subscription((TOPIC,)), FakeClock())
    return Member(source), source


def test_an_expired_member_loses_everything_and_reads_again_from_the_commit(
    broker: MemoryBroker,
) -> None:
    member, source = joined(broker)
    for number in range(4):
        broker.produce(TOPIC, b"k", b"%d" % number)
    turn([member], lambda: len(member.records) == 4)
    assert source.commit_now({PLACE: clean(2)}, 1.0)
    source.expire()
    assert not source.commit_now({PLACE: clean(4)}, 1.0)
    turn([member], lambda: len(member.records) == 6)
    assert [call for call, _ in member.calls] == ["assigned", "lost", "assigned"]
    assert member.values[4:] == [b"2", b"3"]


def test_somebody_else_has_the_partition_before_the_expired_member_knows(
    broker: MemoryBroker,
) -> None:
    frozen, source = joined(broker)
    turn([frozen], lambda: frozen.held == {PLACE})
    source.expire()
    other, _ = joined(broker)
    turn([other], lambda: other.held == {PLACE})
    assert frozen.held == {PLACE}
    turns([frozen], 1)
    assert frozen.calls[-1] == ("lost", (PLACE,))
    assert frozen.held == set()


def test_an_outage_is_silence_and_confirms_nothing(broker: MemoryBroker) -> None:
    member, source = joined(broker)
    turn([member], lambda: member.held == {PLACE})
    broker.down()
    broker.produce(TOPIC, b"k", b"meanwhile")
    source.commit({PLACE: clean(0)})
    assert not source.commit_now({PLACE: clean(0)}, 1.0)
    turns([member], 3)
    assert member.records == []
    assert source.committed() == {}
    with pytest.raises(RetriableError):
        source.ends(1.0)
    broker.up()
    turn([member], lambda: member.values == [b"meanwhile"])
    assert [call for call, _ in member.calls] == ["assigned"]


def test_a_pause_ends_with_the_assignment(broker: MemoryBroker) -> None:
    member, source = joined(broker)
    turn([member], lambda: member.held == {PLACE})
    source.pause([PLACE])
    source.expire()
    broker.produce(TOPIC, b"k", b"v")
    turn([member], lambda: member.values == [b"v"])


def test_a_topic_made_anew_is_read_from_its_beginning_under_its_new_id(
    broker: MemoryBroker,
) -> None:
    member, source = joined(broker)
    for number in range(3):
        broker.produce(TOPIC, b"k", b"old %d" % number)
    turn([member], lambda: len(member.records) == 3)
    assert source.commit_now({PLACE: clean(3)}, 1.0)
    broker.delete_topic(TOPIC)
    new_id = broker.create_topic(TOPIC)
    for number in range(5):
        broker.produce(TOPIC, b"k", b"new %d" % number)
    turn([member], lambda: len(member.records) == 8)
    assert [record.offset for record in member.records[3:]] == [0, 1, 2, 3, 4]
    assert {record.topic_id for record in member.records[3:]} == {new_id}
    assert member.records[0].topic_id not in {"", new_id}


def test_a_deleted_topic_is_revoked(broker: MemoryBroker) -> None:
    member, source = joined(broker)
    turn([member], lambda: member.held == {PLACE})
    broker.delete_topic(TOPIC)
    assert not source.commit_now({PLACE: clean(0)}, 1.0)
    turns([member], 1)
    assert member.calls[-1] == ("revoked", (PLACE,))


def test_a_compacted_log_has_gaps_and_keeps_its_end(broker: MemoryBroker) -> None:
    for key in (b"a", b"b", b"a", b"b", b"a"):
        broker.produce(TOPIC, key, b"v")
    log = broker.log(PLACE)
    assert log is not None
    log.compact()
    log.skip()
    member, _ = joined(broker)
    turn([member], lambda: member.ends == {PLACE: 6})
    assert [record.offset for record in member.records] == [3, 4]


def test_an_offset_below_the_log_is_reset_to_its_start(broker: MemoryBroker) -> None:
    for number in range(5):
        broker.produce(TOPIC, b"k", b"%d" % number)
    log = broker.log(PLACE)
    assert log is not None
    log.truncate(before=3)
    member, source = joined(broker)
    assert source.ends(1.0) == {PLACE: (3, 5)}
    turn([member], lambda: member.values == [b"3", b"4"])


def test_no_member_starves_and_shares_stay_even_as_members_come_and_go() -> None:
    cluster = MemoryCluster()
    cluster.create("even")
    members = [Member(cluster.source("group", Subscription(("even",)))) for _ in range(3)]
    turn(members, lambda: sorted(len(one.held) for one in members) == [1, 1, 2])
    members.pop(0).source.close()
    turn(members, lambda: [len(one.held) for one in members] == [2, 2])
    assert set().union(*(one.held for one in members)) == places("even")


def test_one_poll_brings_no_more_than_was_asked_for(broker: MemoryBroker) -> None:
    for number in range(5):
        broker.produce(TOPIC, b"k", b"%d" % number)
    member, _ = joined(broker)
    member.poll(max_records=2)
    assert member.values == [b"0", b"1"]
    assert member.ends == {}
