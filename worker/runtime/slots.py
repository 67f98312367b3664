"""Which of a connector's tasks this worker may run: ``tasks.max`` is of all workers together."""

from __future__ import annotations

from typing import Protocol


class Slots(Protocol):
    """A lease on task numbers. Any thread may ask."""

    def held(self) -> frozenset[int]:
        """Numbers that are this worker's right now, and nobody else's. Never blocks."""
        ...

    def close(self) -> None:
        """Give them back. Does not wait."""
        ...

    @property
    def has_left(self) -> bool:
        """After ``close``: whether the others know of it."""
        ...


class AllSlots:
    """A worker that stands alone runs all tasks by itself."""

    def __init__(self, tasks_max: int) -> None:
        self._all = frozenset(range(tasks_max))

    def held(self) -> frozenset[int]:
        """Every number."""
        return self._all

    def close(self) -> None:
        """Nobody else wants them."""

    @property
    def has_left(self) -> bool:
        """There is nobody to know."""
        return True
