"""The task numbers that are a connector's here, and those slots that it is about to leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.runtime.slots import Slots
    from worker.runtime.wanted import Blueprint

_LEAVE_S = 5.0
"""To tell the group; brokers that are away notice by themselves."""


class Lease:
    """Belongs to one thread; nothing here waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: Slots | None = None
        self._terms: object = None
        self._leaving: list[tuple[Slots, float]] = []
        """Slots that were closed, and until when they are waited for."""

    def numbers(self, blueprint: Blueprint) -> frozenset[int]:
        """Of the tasks that may run here, on the blueprint's terms. Raises what opening raises."""
        if self._slots is not None and self._terms != blueprint.lease:
            self.close()
        if self._slots is None:
            self._slots, self._terms = blueprint.open_slots(), blueprint.lease
        return self._slots.held()

    def close(self) -> None:
        """Let others have them."""
        if self._slots is not None:
            self._slots.close()
            self._leaving.append((self._slots, self._clock.now_s() + _LEAVE_S))
            self._slots = None

    def reap(self) -> None:
        """Forget slots that are left."""
        now_s = self._clock.now_s()
        self._leaving = [
            (slots, until_s)
            for slots, until_s in self._leaving
            if now_s < until_s and not slots.has_left
        ]

    @property
    def is_gone(self) -> bool:
        """Whether none are held, nor about to be left."""
        return self._slots is None and not self._leaving
