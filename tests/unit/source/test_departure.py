"""How a consumer leaves its group."""

from __future__ import annotations

import gc
import weakref

from worker.source.departure import depart, stay


class Member:
    """Holds two partitions, and gives them back so many polls after it was told to."""

    def __init__(self, polls: int) -> None:
        self._polls_left = polls
        self._is_subscribed = True
        self.held_at_close: list[object] | None = None

    def unsubscribe(self) -> None:
        self._is_subscribed = False

    def poll(self, _timeout: float, /) -> None:
        if not self._is_subscribed:
            self._polls_left -= 1

    def assignment(self) -> list[object]:
        return ["products[0]", "products[1]"] if self._polls_left > 0 else []

    def close(self) -> None:
        self.held_at_close = self.assignment()


def test_partitions_are_given_back_before_the_consumer_is_closed() -> None:
    member = Member(polls=3)

    depart(member)

    assert member.held_at_close == []


def test_what_is_never_given_back_does_not_hold_up_closing() -> None:
    member = Member(polls=1_000_000)

    depart(member)

    assert member.held_at_close == ["products[0]", "products[1]"]


def test_who_stays_is_neither_unsubscribed_nor_closed_nor_freed() -> None:
    member = Member(polls=0)
    freed: list[bool] = []
    weakref.finalize(member, freed.append, True)  # noqa: FBT003 - what the list is told

    stay(member)

    assert (member._is_subscribed, member.held_at_close) == (True, None)
    del member
    gc.collect()
    assert freed == []
