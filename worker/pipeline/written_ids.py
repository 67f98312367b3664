"""Ids that were written lately, as a truncate that is carried out has to know them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

_EARLIEST_PRUNE = 1000


class Memory(NamedTuple):
    """What is known of a write."""

    until_s: float
    """From then on every reader sees it."""
    knew: int
    """Of how many sweeps the write knew: what those take out it is not."""


_FORGOTTEN = Memory(-math.inf, 0)


class WrittenIds:
    """Of one namespace. Not thread-safe; the fence has the lock."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}
        self._prune_at = _EARLIEST_PRUNE

    def remember(self, ids: Collection[str], memory: Memory) -> None:
        """Note that these are being written, or were."""
        self._memories.update(dict.fromkeys(ids, memory))

    def prune(self, now_s: float) -> None:
        """Forget what every reader sees, once there is much of it."""
        if len(self._memories) < self._prune_at:
            return
        self._memories = {
            one: memory for one, memory in self._memories.items() if memory.until_s > now_s
        }
        self._prune_at = max(_EARLIEST_PRUNE, 2 * len(self._memories))

    def has(self, point_id: str, now_s: float, sweep: int) -> bool:
        """Whether it was written by somebody who knew of the sweep, so that it is newer."""
        memory = self._memories.get(point_id, _FORGOTTEN)
        return memory.until_s > now_s and memory.knew >= sweep
