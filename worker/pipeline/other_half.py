"""How long the create half of a key change waits for the delete half, which parks its point."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.flow.second_look import Again
from worker.immutable import immutable
from worker.pipeline.bases import created_half
from worker.pipeline.heads import Behind

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.flow.entry import Entry
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
"""The same while only others of its kind are behind, that came together with it, and none of them
moves: two that have no other half see each other so."""
_LIVE_MS = 600_000
"""What was sent longer than this before it arrived is read late, or once more. Then there are many
that wait for nothing, and each moves when it is given up; so all are given up together."""


class Limit(NamedTuple):
    """How long it waits for partitions that are behind.

    Rows that change their keys again and again are done one change after the other, each of which
    takes as long as the store takes to show it. So what counts is whether anything moves.
    """

    still_s: float
    """While none of them moves."""
    most_s: float
    """In all."""


PAY = Limit(60.0, 600.0)
"""If it has its text, which can be paid for again."""
LACK = Limit(180.0, 3600.0)
"""If it lacks its text. Not for ever, as what waits takes room, also of the partition that is
behind, as in a chain of changes; and timestamps may be anything."""


@immutable
class OtherHalf:
    """Tells whether it is done, or may still come."""

    settle_s: float
    """Longest time until a write is visible."""
    clock: Clock
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
        behind, _ = self.heads.behind(created.change.record, created.arrived_s, by_s)
        most_s = {Behind.NOBODY: 0.0, Behind.LEVEL: _OVERTAKEN_S}.get(behind, _PARKED_S)
        return waited_s >= most_s

    def is_missed(self, item: Item, looked_s: float, limit: Limit) -> bool:
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
        is_second_look = isinstance(item.work.newest, Again)  # others may wait for its commit
        return is_second_look or self._is_waited_out(created, looked_s, limit)

    def _is_waited_out(self, created: Entry, looked_s: float, limit: Limit) -> bool:
        """Whether no partition is behind a create any more, or waiting for it is in vain."""
        if self.heads is None:
            return True
        record, since_s = created.change.record, created.arrived_s
        behind, moved_s = self.heads.behind(record, since_s, looked_s - self.settle_s)
        waited_s = looked_s - since_s
        most_s = _LEVEL_S if behind is Behind.LEVEL else limit.still_s
        if behind is Behind.NOBODY or waited_s >= limit.most_s:
            return True
        is_still = looked_s - moved_s >= most_s or not self._is_live(created)
        return is_still and waited_s >= most_s

    def _is_live(self, created: Entry) -> bool:
        sent_ms = created.change.record.timestamp_ms or 0
        waited_s = self.clock.now_s() - created.arrived_s
        return self.clock.unix_ms() - 1000 * waited_s - sent_ms < _LIVE_MS


def aside_may_show(item: Item, looked_s: float) -> bool:
    """Whether what this worker has put aside was written so lately that it may not show yet."""
    return item.lacks_aside and looked_s < item.settles_at_s
