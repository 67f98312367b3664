"""How long the create half of a key change waits for the delete half, which parks its point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.flow.second_look import Again
from worker.pipeline.bases import created_half
from worker.pipeline.heads import Behind

if TYPE_CHECKING:
    from worker.pipeline.heads import Heads
    from worker.pipeline.item import Item

_OVERTAKEN_S = 3.0
"""How long it waits where a newer row stands under its old key and no partition is behind, so that
nobody will park its point: time to read on, as its row may be gone. If one is, the other half may
still come: sent again, or of a row that a snapshot read ahead of it."""
_PARKED_S = 20.0
"""How long it waits for that point otherwise, though no partition is behind: until somebody else
has the partitions of a worker that was killed, and commits what that one did."""
_LEVEL_S = 60.0
"""The same while only others of its kind are behind, that came together with it: two that have no
other half see each other so."""
PAY_S = 60.0
"""At most, if it has its text, which can be paid for again."""
LACK_S = 180.0
"""At most, if it lacks its text. Not for ever, as what waits takes room, also of the partition that
is behind, as in a chain of changes."""


@dataclass(frozen=True, slots=True)
class OtherHalf:
    """Tells whether it is done, or may still come."""

    settle_s: float
    """Longest time until a write is visible."""
    heads: Heads | None = None
    """Where other partitions stand; None: nobody asks."""

    def has_surely_left(self, item: Item, looked_s: float) -> bool:
        """Whether what is parked is the row itself.

        Where no position tells departures apart, it may be of who left for the same key before,
        until all is done that was sent before this half. Not for ever, as what is behind may
        wait itself.
        """
        if not item.is_parked or item.change.departed_at is not None or self.heads is None:
            return item.is_parked
        created = created_half(item.work.entries)
        waited_s, by_s = looked_s - created.arrived_s, looked_s - self.settle_s
        behind = self.heads.behind(created.change.record, created.arrived_s, by_s)
        most_s = {Behind.NOBODY: 0.0, Behind.LEVEL: _OVERTAKEN_S}.get(behind, _PARKED_S)
        return waited_s >= most_s

    def is_missed(self, item: Item, looked_s: float, most_s: float) -> bool:
        """Whether nobody will park a vector for a row: its other half is done, or long overdue."""
        if aside_may_show(item, looked_s):
            return False
        if item.former is None:
            return True
        created = created_half(item.work.entries)
        waited_s = looked_s - created.arrived_s
        is_short = item.is_overtaken or item.doubtful is not None
        if waited_s < max(self.settle_s, _OVERTAKEN_S if is_short else _PARKED_S):
            return False
        if item.doubtful is not None:
            return True
        if self.heads is None or isinstance(item.work.newest, Again):
            return True  # others may wait for the commit that a second look holds
        record, since_s = created.change.record, created.arrived_s
        behind = self.heads.behind(record, since_s, looked_s - self.settle_s)
        return waited_s >= {Behind.NOBODY: 0.0, Behind.LEVEL: _LEVEL_S}.get(behind, most_s)


def aside_may_show(item: Item, looked_s: float) -> bool:
    """Whether what this worker has put aside was written so lately that it may not show yet."""
    return item.lacks_aside and looked_s < item.settles_at_s
