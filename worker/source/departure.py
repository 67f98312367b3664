"""Leaving a consumer group without standing still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_POLLS = 20
_POLL_S = 0.05
"""Together a second: brokers that are away are not waited for."""


class Leaver(Protocol):
    """What is needed of a consumer to leave with it."""

    def unsubscribe(self) -> None:
        """Begin to give everything back."""
        ...

    def poll(self, timeout: float, /) -> object:
        """Call the rebalance callbacks that are due."""
        ...

    def assignment(self) -> Sequence[object]:
        """What is still held."""
        ...

    def close(self) -> None:
        """Leave."""
        ...


_staying: list[Leaver] = []


def stay(consumer: Leaver) -> None:
    """Keep a static member's place in its group for the process that follows this one.

    ``unsubscribe`` would give it up, static or not, and ``close`` may stand still (see ``depart``).
    So nothing is done, and the member is kept from being freed, which closes it, until the process
    ends; its session then goes on for as long as the group's time-out says.
    """
    _staying.append(consumer)


def for_good() -> bool:
    """Who leaves does not come back: the usual case."""
    return False


def depart(consumer: Leaver) -> None:
    """Give all partitions back, then close.

    A consumer that is closed in the middle of a rebalance calls back from within ``close``, where
    librdkafka (2.16) may lose the answer to ``incremental_unassign``. confluent-kafka waits for it
    without end and with the interpreter's lock held, so the whole process would stand still.
    """
    consumer.unsubscribe()
    for _ in range(_POLLS):
        consumer.poll(_POLL_S)
        if not consumer.assignment():
            break
    consumer.close()
