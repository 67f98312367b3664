"""Commits what is finished, once a second while something moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.clock import Clock
    from worker.flow.ledger import Ledger
    from worker.model import TopicPartition
    from worker.source.port import Source


class Committer:
    """Sends the ledger's next offsets to the group, and again until the broker confirmed them."""

    def __init__(
        self, source: Source, ledger: Ledger, clock: Clock, *, interval_s: float = 1.0
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._clock = clock
        self._interval_s = interval_s
        self._due_s = clock.now_s() + interval_s

    @property
    def outstanding(self) -> dict[TopicPartition, int]:
        """Next offsets that the broker has not confirmed."""
        committed = self._source.committed()
        return {
            partition: offset
            for partition, offset in self._ledger.next_offsets().items()
            if committed.get(partition) != offset
        }

    def commit_soon(self) -> None:
        """At the next tick."""
        self._due_s = self._clock.now_s()

    def tick(self) -> None:
        """Commit if it is time to. Never blocks."""
        now_s = self._clock.now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._interval_s
        outstanding = self.outstanding
        if outstanding:
            self._source.commit(outstanding)

    def commit_now(self, partitions: Collection[TopicPartition], timeout_s: float) -> bool:
        """Commit these partitions and wait for the broker's word; true if it came in time."""
        wanted = {tp: offset for tp, offset in self.outstanding.items() if tp in partitions}
        return not wanted or self._source.commit_now(wanted, timeout_s)
