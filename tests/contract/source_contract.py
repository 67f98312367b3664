"""What every source promises, whatever it reads from; a source's own test file brings the cluster.

Real groups take seconds to form, so each scenario looks at several things.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from worker.model import Record, TopicPartition
from worker.source.port import Commit, Standing
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from worker.model import Headers
    from worker.source.port import Source

DEADLINE_S = 60.0
POLL_S = 0.05
PARTITIONS = 4


def clean(next_offset: int) -> Commit:
    return Commit(next_offset, Standing.CLEAN)


def opened(next_offset: int) -> Commit:
    return Commit(next_offset, Standing.OPEN)


class Cluster(Protocol):
    """What a test file brings."""

    def create(self, topic: str) -> None:
        """Make a topic of four partitions."""
        ...

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
        """Append a record and wait until it is there."""
        ...

    def source(self, group: str, subscription: Subscription) -> Source:
        """A member, not started."""
        ...


class Member:
    """A source with its listener, and everything that it brought."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.held: set[TopicPartition] = set()
        self.calls: list[tuple[str, tuple[TopicPartition, ...]]] = []
        self.records: list[Record] = []
        self.ends: dict[TopicPartition, int] = {}
        self.found: dict[TopicPartition, Commit] = {}
        """What had been committed when the partitions came."""
        self.confirmed_at_revoke: list[bool] = []
        self.commits_at_revoke = False
        source.start(self)

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        assert not self.held & set(partitions), "assigned twice"
        self.calls.append(("assigned", tuple(partitions)))
        found = self.source.committed()
        self.found |= {place: found[place] for place in partitions if place in found}
        self.held.update(partitions)

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        assert self.held >= set(partitions), "revoked what was not held"
        self.calls.append(("revoked", tuple(partitions)))
        commits = {tp: clean(at) for tp, at in self.next_offsets.items() if tp in partitions}
        if self.commits_at_revoke and commits:
            self.confirmed_at_revoke.append(self.source.commit_now(commits, 10.0))
        self.held.difference_update(partitions)

    def on_lost(self, partitions: Collection[TopicPartition]) -> None:
        self.calls.append(("lost", tuple(partitions)))
        self.held.difference_update(partitions)

    @property
    def next_offsets(self) -> dict[TopicPartition, int]:
        return {TopicPartition(one.topic, one.partition): one.offset + 1 for one in self.records}

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    def poll(self, max_records: int = 100) -> None:
        polled = self.source.poll(max_records, POLL_S)
        assert len(polled.records) <= max_records
        for record in polled.records:
            assert TopicPartition(record.topic, record.partition) in self.held
        self.records += polled.records
        self.ends.update(polled.ends)


def turn(members: Sequence[Member], until: Callable[[], bool]) -> None:
    """Poll all members in turn until something holds."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not until():
        assert time.monotonic() < deadline_s, [(m.held, m.calls[-3:]) for m in members]
        for member in members:
            member.poll()


def turns(members: Sequence[Member], count: int) -> None:
    """Poll all members a few times."""
    for _ in range(count):
        for member in members:
            member.poll()


def fresh(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:8]}"


def places(topic: str) -> set[TopicPartition]:
    return {TopicPartition(topic, number) for number in range(PARTITIONS)}


def holds(member: Member, wanted: set[TopicPartition]) -> bool:
    return member.held == wanted


def has_committed(member: Member, commits: Mapping[TopicPartition, Commit]) -> bool:
    """Send again until it got through."""
    member.source.commit(commits)
    return member.source.committed() == commits


class SourceContract:
    """Fixture ``cluster``."""

    def test_records_come_whole_in_order_and_then_the_end(self, cluster: Cluster) -> None:
        topic = fresh("whole")
        cluster.create(topic)
        headers: Headers = (("a", b"1"), ("a", b""), ("b", None))
        cluster.write(topic, b"k", b"v", 1, headers=headers, timestamp_ms=1_700_000_000_123)
        cluster.write(topic, None, b"no key", 1)
        cluster.write(topic, b"gone", None, 1)
        cluster.write(topic, b"", b"", 1)
        member = Member(cluster.source(fresh("group"), Subscription((topic,))))
        turn([member], lambda: len(member.records) == 4 and member.ends.keys() == places(topic))
        member.source.close()

        first = member.records[0]
        assert (first.topic, first.partition, first.offset) == (topic, 1, 0)
        assert (first.key, first.value, first.headers) == (b"k", b"v", headers)
        assert first.timestamp_ms == 1_700_000_000_123
        assert [(one.key, one.value, one.headers) for one in member.records[1:]] == [
            (None, b"no key", ()),
            (b"gone", None, ()),
            (b"", b"", ()),
        ]
        assert [one.offset for one in member.records] == [0, 1, 2, 3]
        assert member.ends[TopicPartition(topic, 1)] == 4
        assert member.ends[TopicPartition(topic, 0)] == 0

    def test_the_next_member_goes_on_at_the_commit(self, cluster: Cluster) -> None:
        topic, group = fresh("commit"), fresh("group")
        place = TopicPartition(topic, 0)
        cluster.create(topic)
        for number in range(10):
            cluster.write(topic, b"k", str(number).encode(), 0)
        first = Member(cluster.source(group, Subscription((topic,))))
        turn([first], lambda: len(first.records) == 10)
        assert first.source.committed() == {}
        first.source.commit({place: opened(4)})
        turn([first], lambda: first.source.committed() == {place: opened(4)})
        assert first.source.commit_now({place: clean(7)}, 10.0)
        assert first.source.committed() == {place: clean(7)}
        assert not first.source.commit_now({TopicPartition("other", 0): clean(1)}, 10.0)
        assert first.source.ends(10.0) == {
            one: (7, 10) if one == place else (0, 0) for one in places(topic)
        }
        first.source.close()

        second = Member(cluster.source(group, Subscription((topic,))))
        turn([second], lambda: len(second.records) == 3)
        assert second.values == [b"7", b"8", b"9"]
        assert second.found == second.source.committed() == {place: clean(7)}
        second.source.close()

    def test_the_next_member_hears_how_it_was_left_also_at_the_same_offset(
        self, cluster: Cluster
    ) -> None:
        topic, group = fresh("standing"), fresh("group")
        place = TopicPartition(topic, 0)
        cluster.create(topic)
        expected: dict[TopicPartition, Commit] = {}
        for left in (clean(0), opened(0), clean(0)):
            member = Member(cluster.source(group, Subscription((topic,))))
            turn([member], partial(holds, member, places(topic)))
            assert member.found == expected
            expected = {place: left}
            turn([member], partial(has_committed, member, expected))
            member.source.close()

    def test_a_paused_partition_is_silent_until_it_is_resumed(self, cluster: Cluster) -> None:
        topic = fresh("pause")
        quiet, loud = TopicPartition(topic, 0), TopicPartition(topic, 1)
        cluster.create(topic)
        cluster.write(topic, b"k", b"before", 0)
        member = Member(cluster.source(fresh("group"), Subscription((topic,))))
        turn([member], lambda: len(member.records) == 1)
        member.source.pause([quiet, TopicPartition("unknown", 3)])
        for number in range(3):
            cluster.write(topic, b"k", b"quiet %d" % number, quiet.partition)
            cluster.write(topic, b"k", b"loud %d" % number, loud.partition)
        turn([member], lambda: len(member.records) == 4)
        turns([member], 10)
        assert member.values == [b"before", b"loud 0", b"loud 1", b"loud 2"]
        member.source.resume([quiet, TopicPartition("unknown", 3)])
        turn([member], lambda: len(member.records) == 7)
        member.source.close()
        assert member.values[4:] == [b"quiet 0", b"quiet 1", b"quiet 2"]

    def test_a_partition_that_was_given_up_paused_flows_when_it_comes_again(
        self, cluster: Cluster
    ) -> None:
        topic, group = fresh("again"), fresh("group")
        cluster.create(topic)
        first = Member(cluster.source(group, Subscription((topic,))))
        turn([first], lambda: first.held == places(topic))
        first.source.pause(list(first.held))
        second = Member(cluster.source(group, Subscription((topic,))))
        turn([first, second], lambda: bool(second.held) and not first.held & second.held)
        moved = {place.partition for place in second.held}
        second.source.close()
        turn([first], lambda: first.held == places(topic))
        for number in moved:
            cluster.write(topic, b"k", b"%d" % number, number)
        turn([first], lambda: len(first.records) == len(moved))
        first.source.close()

    def test_members_share_and_inherit_what_was_committed(self, cluster: Cluster) -> None:
        topic, group = fresh("share"), fresh("group")
        cluster.create(topic)
        first = Member(cluster.source(group, Subscription((topic,))))
        first.commits_at_revoke = True
        turn([first], lambda: first.held == places(topic))
        for number in range(PARTITIONS):
            cluster.write(topic, b"k", b"early %d" % number, number)
        turn([first], lambda: len(first.records) == PARTITIONS)

        second = Member(cluster.source(group, Subscription((topic,))))
        second.commits_at_revoke = True  # a group may rebalance more often than there is need
        both = [first, second]

        def is_shared() -> bool:
            assert not first.held & second.held, "two owners at once"
            return len(first.held) == len(second.held) == PARTITIONS // 2

        turn(both, is_shared)
        for number in range(PARTITIONS):
            cluster.write(topic, b"k", b"late %d" % number, number)
        late = Counter(b"late %d" % number for number in range(PARTITIONS))
        turn(both, lambda: Counter(first.values[PARTITIONS:] + second.values) >= late)
        assert Counter(first.values[PARTITIONS:] + second.values) == late
        assert first.confirmed_at_revoke == [True] * len(first.confirmed_at_revoke) != []

        second.source.close()
        assert second.confirmed_at_revoke == [True] * len(second.confirmed_at_revoke) != []
        turn([first], lambda: first.held == places(topic))
        assert set(second.found.values()) <= {clean(1)}
        assert set(first.found.values()) == {clean(2)}
        turns([first], 10)
        assert len(first.values) == PARTITIONS + len(first.values[PARTITIONS:])
        assert Counter(first.values[PARTITIONS:] + second.values) == late
        assert [call for call, _ in first.calls if call == "lost"] == []
        first.source.close()

    def test_closing_gives_everything_up_once(self, cluster: Cluster) -> None:
        topic = fresh("close")
        cluster.create(topic)
        cluster.write(topic, b"k", b"v", 2)
        member = Member(cluster.source(fresh("group"), Subscription((topic,))))
        member.commits_at_revoke = True
        turn([member], lambda: len(member.records) == 1)
        member.source.close()
        member.source.close()
        revoked = [set(partitions) for call, partitions in member.calls if call == "revoked"]
        assert revoked == [places(topic)]
        assert member.confirmed_at_revoke == [True]

    def test_a_pattern_matches_whole_names(self, cluster: Cluster) -> None:
        stem = fresh("shop")
        for name in (f"{stem}.a", f"{stem}.b", f"{stem}.a2", f"x{stem}.a"):
            cluster.create(name)
            cluster.write(name, b"k", name.encode(), 0)
        pattern = Subscription.matching(f"{stem}\\.a|{stem}\\.b")
        member = Member(cluster.source(fresh("group"), pattern))
        turn([member], lambda: len(member.records) >= 2)
        turns([member], 10)
        assert {tp.topic for tp in member.source.ends(10.0)} == {f"{stem}.a", f"{stem}.b"}
        member.source.close()
        assert Counter(member.values) == Counter([f"{stem}.a".encode(), f"{stem}.b".encode()])
