"""Commits what is finished, once a second while something moves, and with what standing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from worker.source.port import UNKNOWN, Commit, Letters, Standing

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.clock import Clock
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.model import TopicPartition
    from worker.source.port import Source

_OPENING_S = 0.1
"""How soon to try again while work waits for a commit."""


class Committer:
    """Sends the ledger's next offsets to the group, and again until the broker confirmed them.

    A partition is open in the group's eyes before the first of its records may be written, and
    clean again by the last commit: the next owner knows by it whether anything may come late.
    """

    def __init__(
        self, source: Source, ledger: Ledger, clock: Clock, *, interval_s: float = 1.0
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._clock = clock
        self._interval_s = interval_s
        self._sent_s = clock.now_s()

    @property
    def outstanding(self) -> dict[TopicPartition, Commit]:
        """What the broker has not confirmed."""
        return self._unconfirmed({ledger.partition: _standing(ledger) for ledger in self._held})

    @property
    def is_opening(self) -> bool:
        """Whether a partition has records but is not known to be open: nothing may be written."""
        committed = self._source.committed()
        return any(
            _standing(ledger) is Standing.OPEN and not _is_open(committed.get(ledger.partition))
            for ledger in self._held
        )

    def commit_soon(self) -> None:
        """At the next tick."""
        self._sent_s = -math.inf

    def tick(self) -> None:
        """Commit if it is time to. Never blocks."""
        now_s = self._clock.now_s()
        since_s = now_s - self._sent_s
        if since_s < self._interval_s and not (since_s >= _OPENING_S and self.is_opening):
            return
        self._sent_s = now_s
        outstanding = self.outstanding
        if outstanding:
            self._source.commit(outstanding)

    def commit_last(self, standings: dict[TopicPartition, Standing], timeout_s: float) -> bool:
        """Commit these partitions and wait for the broker's word; true if it came in time."""
        wanted = self._unconfirmed(standings)
        return not wanted or self._source.commit_now(wanted, timeout_s)

    @property
    def _held(self) -> Collection[PartitionLedger]:
        return self._ledger.all

    def _unconfirmed(
        self, standings: dict[TopicPartition, Standing]
    ) -> dict[TopicPartition, Commit]:
        committed = self._source.committed()
        commits = {
            ledger.partition: _commit(ledger, offset, standings[ledger.partition])
            for ledger in self._held
            if (offset := ledger.next_offset) is not None and ledger.partition in standings
        }
        return {
            partition: commit
            for partition, commit in commits.items()
            if committed.get(partition) != commit
        }


def _commit(ledger: PartitionLedger, offset: int, standing: Standing) -> Commit:
    written_ms = None if standing is Standing.OPEN else ledger.written_ms
    return Commit(offset, standing, written_ms, ledger.key_schema, _letters(ledger, offset))


def _letters(ledger: PartitionLedger, offset: int) -> Letters | None:
    """None as well where the brokers have no topic ids (before Kafka 2.8)."""
    offsets, topic_id = ledger.lettered.above(offset), ledger.lettered.topic_id
    return Letters(topic_id, offsets) if offsets and topic_id else None


def _standing(ledger: PartitionLedger) -> Standing:
    """While it is held: clean until there is something that could be written."""
    is_untouched = ledger.first is None and not ledger.is_used
    return Standing.CLEAN if is_untouched else Standing.OPEN


def _is_open(commit: Commit | None) -> bool:
    return commit not in (None, UNKNOWN) and commit.standing is Standing.OPEN
