from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from worker.model import TopicPartition
from worker.source.memory_group import MemoryGroup

if TYPE_CHECKING:
    from collections.abc import Sequence


def settle(group: MemoryGroup, members: Sequence[str], places: list[TopicPartition]) -> None:
    for _ in range(3):
        for member in members:
            group.release(group.to_revoke(member, places))
            group.take_free(member, places)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), min_size=1, max_size=20),
    st.integers(0, 9),
)
def test_shares_are_even_and_complete_however_members_come_and_go(
    moves: list[tuple[str, bool]], count: int
) -> None:
    group, present = MemoryGroup(), list[str]()
    places = [TopicPartition("t", number) for number in range(count)]
    for member, joins in moves:
        if joins and member not in present:
            present.append(member)
            group.join(member)
        elif not joins and member in present:
            present.remove(member)
            group.leave(member)
        settle(group, present, places)
        shares = [group.owned(one) for one in present]
        if present:
            assert sorted(chain(*shares)) == places
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_partition_has_no_new_owner_before_the_old_one_gave_it_up() -> None:
    group, places = MemoryGroup(), [TopicPartition("t", number) for number in range(2)]
    group.join("a")
    assert group.take_free("a", places) == places
    group.join("b")
    assert group.take_free("b", places) == []
    given_up = group.to_revoke("a", places)
    assert len(given_up) == 1
    group.release(given_up)
    assert group.take_free("b", places) == given_up
