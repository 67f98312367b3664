"""``truncate.mode=delete``: truncates are written down, swept out of the index, then finished."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.marks.truncation import Truncation
from worker.model import Outcome, TopicPartition
from worker.pipeline.background import Background
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.patience import Interrupted

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.marks.watermarks import Due, TableWatermarks
    from worker.model import Change, Origin, Record
    from worker.pipeline.patience import Patience
    from worker.pipeline.sweep import Sweeper
    from worker.telemetry.counters import Counters

_SWEEPS = 16
"""At a time: each waits for the store to settle first, so tables that are truncated together would
otherwise wait one after the other."""


@immutable(eq=False)
class _Arrived:
    """A truncate's record, and the offset that it holds open."""

    truncation: Truncation
    record: Record
    ledger: PartitionLedger


@immutable(eq=False)
class _Round:
    """A sweep of some partitions."""

    due: Due
    ledgers: dict[int, PartitionLedger]


class CarriedOutTruncates:
    """See ``Truncates``.

    A truncate's offset is finished when the partition that it stands in is swept. The owners of
    other partitions learn from the state topic what is due for theirs, also after a restart.
    """

    def __init__(
        self,
        watermarks: TableWatermarks,
        sweeper: Sweeper,
        patience: Patience,
        counters: Counters,
        pool: Executor | None = None,
    ) -> None:
        """``pool`` is where all that is slow is done; threads of its own by default."""
        self._watermarks = watermarks
        self._sweeper = sweeper
        self._patience = patience
        self._counters = counters
        self._writing: Background[_Arrived] = Background("truncates", pool=pool)
        self._sweeping: Background[_Round] = Background("sweeps", threads=_SWEEPS, pool=pool)
        self._written: list[_Arrived] = []
        self._running: dict[tuple[str, int], set[PartitionLedger]] = defaultdict(set)
        self._seen = -1

    @property
    def rows(self) -> int:
        """What is under way: records and sweeps."""
        return self._writing.under_way + len(self._written) + self._sweeping.under_way

    def covers(self, change: Change) -> bool:
        """By all truncates that anybody wrote down."""
        return self._watermarks.covers(change)

    def accept(self, record: Record, ledger: PartitionLedger, origin: Origin) -> None:
        """Write it down, in a thread of its own."""
        arrived = _Arrived(Truncation.of(record, origin), record, ledger)
        self._writing.begin(arrived, self._write)

    def look_now(self) -> None:
        """For what is due for partitions that came."""
        self._seen = -1

    def tick(self, ledger: Ledger) -> None:
        """Begin what is due, finish what is done.

        Raises:
            WorkerError: the task cannot go on.
        """
        for arrived in self._writing.ended():
            _raise(arrived.error)
            if arrived.error is None:
                self._written.append(arrived.subject)
            self.look_now()
        for swept in self._sweeping.ended():
            self._running[_name(swept.subject.due)].difference_update(
                swept.subject.ledgers.values()
            )
            self.look_now()
            _raise(swept.error)
        version = self._watermarks.version
        if version != self._seen:
            self._begin_due(ledger)
            self._written = [one for one in self._written if not self._is_over(one)]
            self._seen = version

    def close(self) -> None:
        """Let the threads end; what is due stays due."""
        self._writing.close()
        self._sweeping.close()

    def _write(self, arrived: _Arrived) -> None:
        self._patience(
            "writing a truncate down", lambda: self._watermarks.write(arrived.truncation)
        )

    def _sweep(self, one: _Round) -> None:
        self._sweeper.run(one.due, one.ledgers)

    def _begin_due(self, ledger: Ledger) -> None:
        by_topic: dict[str, list[int]] = defaultdict(list)
        for topic, partition in ledger.partitions:
            by_topic[topic].append(partition)
        for topic, partitions in by_topic.items():
            for due in self._watermarks.due(topic, partitions):
                running = self._running[_name(due)]
                ledgers = {
                    partition: found
                    for partition in due.partitions
                    if (found := ledger.get(TopicPartition(topic, partition))) is not None
                    and found not in running
                }
                if ledgers:
                    running.update(ledgers.values())
                    self._sweeping.begin(_Round(due, ledgers), self._sweep)

    def _is_over(self, arrived: _Arrived) -> bool:
        record, ledger = arrived.record, arrived.ledger
        if not ledger.is_open:
            return True
        if self._watermarks.due(record.topic, [record.partition]):
            return False
        ledger.finish(record.offset)
        self._counters.outcomes[Outcome.FILTERED] += 1
        return True


def _name(due: Due) -> tuple[str, int]:
    return due.truncation.key, due.offset


def _raise(error: BaseException | None) -> None:
    """What was only interrupted stays due, or comes again."""
    if error is not None and not isinstance(error, Interrupted | LeaseExpired):
        raise error
