"""Second looks at partitions whose last owner did not leave in order; see ``flow.second_look``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from worker.flow.second_look import Again, SecondLook
from worker.model import Outcome, TopicPartition
from worker.pipeline.naming import names
from worker.source.port import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.clock import Clock
    from worker.flow.backlog import Backlog
    from worker.flow.batching import BufferLimits
    from worker.flow.entry import Entry
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.pipeline.flight import Flight
    from worker.pipeline.item import Item
    from worker.pipeline.known import Address
    from worker.pipeline.rejects import Rejects
    from worker.source.port import Commit, Polled
    from worker.store.port import Capabilities
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)

_TURN_S = 0.1
_WRITES = frozenset({Outcome.WRITTEN, Outcome.REUSED})
_REMOVALS = frozenset({Outcome.DELETED, Outcome.FILTERED})


class Looks:
    """Those of one task; belongs to its thread.

    While one is due, the partition's commit stays where the assignment began, so that a crash
    before the look leaves it to the next owner.
    """

    def __init__(  # noqa: PLR0913 - it is where four parts of the task meet
        self,
        *,
        ledger: Ledger,
        backlog: Backlog,
        rejects: Rejects,
        counters: Counters,
        clock: Clock,
        limits: BufferLimits,
        flight: Flight,
        forget: Callable[[PartitionLedger, Address], None],
        store: Capabilities,
    ) -> None:
        """``forget`` makes batches trust nothing that they remember of a point."""
        self._ledger = ledger
        self._backlog = backlog
        self._rejects = rejects
        self._counters = counters
        self._clock = clock
        self._limits = limits
        self._flight = flight
        self._forget = forget
        self._delay_s = store.second_look_s
        self._settle_s = store.settle_s
        self._late_ms = int(1000 * store.write_timeout_s)
        self._looks: dict[TopicPartition, SecondLook] = {}
        self._next_turn_s = clock.now_s()

    @property
    def rows(self) -> int:
        """Changes kept beyond a buffer's limit: those count as buffered."""
        kept = sum(look.rows for look in self._looks.values())
        return max(0, kept - self._limits.max_rows)

    @property
    def bytes(self) -> int:
        """The same in bytes of their records."""
        kept = sum(look.bytes for look in self._looks.values())
        return max(0, kept - self._limits.max_bytes)

    def begin(
        self, partitions: Collection[TopicPartition], left: Mapping[TopicPartition, Commit]
    ) -> None:
        """These were assigned, with what their last owners had committed."""
        for partition in partitions:
            ledger = self._ledger.get(partition)
            if ledger is not None and partition in left:
                self._inherit(ledger, left[partition])
        if self._delay_s is None:
            return
        opened = [one for one in partitions if one in left and left[one].standing is Standing.OPEN]
        due_s = self._clock.now_s() + self._delay_s
        for partition in opened:
            self._looks[partition] = SecondLook(partition, self._limits, due_s)
            ledger = self._ledger.get(partition)
            if ledger is not None:
                ledger.is_held = True
        if opened:
            _log.info(
                "Not left in order: %s. A second look at the rows that may still be written over "
                "is due in %.0f s; commits wait for it.",
                names(opened),
                self._delay_s,
            )

    def _inherit(self, ledger: PartitionLedger, left: Commit) -> None:
        """Until when its last owner may have written: until now, if nobody says more.

        And the dead letters that he sent.
        """
        if left.letters is not None:
            ledger.lettered.inherit(*left.letters)
        now_ms = self._clock.unix_ms()
        ledger.inherited_s = self._clock.now_s()
        if left.standing is Standing.OPEN:
            ledger.written_ms = now_ms + self._late_ms
            return
        ledger.written_ms = left.written_ms
        if left.written_ms is not None:
            ledger.inherited_s -= max(0, now_ms - left.written_ms) / 1000

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """These are not ours any more; the next owner finds the commit as it was."""
        for partition in partitions:
            self._looks.pop(partition, None)

    def take_in(self, polled: Polled) -> None:
        """What a poll brought."""
        if not self._looks:
            return
        for record in polled.records:
            look = self._looks.get(TopicPartition(record.topic, record.partition))
            if look is not None:
                look.receive(record)
        for partition, end in polled.ends.items():
            if partition in self._looks:
                self._looks[partition].reach(end)

    def landed(self, item: Item) -> None:
        """A row's change came to its end, and not in the dead-letter topic."""
        if not self._looks:
            return
        if isinstance(item.work.newest, Again):
            self._counters.compared_again += 1
            self._counters.repaired += _has_repaired(item)
        visible_s = self._clock.now_s() + self._settle_s
        for look in self._looks.values():
            look.note(item.work, item.address, visible_s)
            if look.has_begun and item.work.key in look:
                self._forget(item.ledger, item.address)

    def dead_lettered(self, newest: Entry) -> None:
        """A change is to go to the dead-letter topic."""
        for look in self._looks.values():
            look.note_dead_letter(newest)

    def tick(self) -> None:
        """Begin what is due, and end what is through."""
        now_s = self._clock.now_s()
        if not self._looks or now_s < self._next_turn_s:
            return
        self._next_turn_s = now_s + _TURN_S
        for look in self._looks.values():
            if now_s >= look.due_s:
                self._compare(look, now_s)
        self._end([look.partition for look in self._looks.values() if self._is_over(look)])

    def _compare(self, look: SecondLook, now_s: float) -> None:
        """Let rows that nothing waits for be compared; the others have their turn later.

        Half of a key change may wait for a partition that waits for this look, so what was before
        it is compared first.
        """
        ledger = self._ledger.get(look.partition)
        if not look.has_begun and ledger is not None:
            look.begin(now_s, ledger, self._flight.works_of(look.partition))
            for one in look.kept:
                self._forget(one.ledger, one.address)
        look.flying &= self._flight.works_of(look.partition)
        for key in look.keys:
            half = self._backlog.waiting_half(key)
            waits = half is not None and not isinstance(half, Again)
            if self._backlog.holds(key) and not waits:
                continue
            again = look.again(key, now_s)
            if again is not None and waits:
                self._backlog.put_before(again)
            elif again is not None:
                self._backlog.add(again)

    def _is_over(self, look: SecondLook) -> bool:
        ledger = self._ledger.get(look.partition)
        if ledger is None or not look.is_over(ledger):
            return False
        return not self._rejects.holds((look.partition,))

    def _end(self, partitions: Collection[TopicPartition]) -> None:
        for partition in partitions:
            del self._looks[partition]
            ledger = self._ledger.get(partition)
            if ledger is not None:
                ledger.is_held = False
        if partitions:
            self._counters.second_looks += len(partitions)
            _log.info(
                "Second look over: %s. So far %d rows compared, %d of them repaired.",
                names(partitions),
                self._counters.compared_again,
                self._counters.repaired,
            )


def _has_repaired(item: Item) -> bool:
    """Whether the index did not hold what had been written."""
    is_gone_now = item.outcome in _REMOVALS and item.stored is not None
    return item.outcome in _WRITES or is_gone_now
