"""What becomes of a batch's results: offsets finished, records dead-lettered, work given back."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from worker.document.lacking import UNAVAILABLE
from worker.errors import FatalError, RecordError
from worker.flow.second_look import Again
from worker.model import Op, Outcome
from worker.pipeline.candidate import Replayed
from worker.pipeline.item import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.flow.backlog import Backlog
    from worker.flow.entry import Entry, Work
    from worker.pipeline.flight import Flight, Landed
    from worker.pipeline.item import Item, Report
    from worker.pipeline.looks import Looks
    from worker.pipeline.rejects import Rejects
    from worker.pipeline.replays import Replays
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)

_WRITES = (Outcome.WRITTEN, Outcome.REUSED)
_NO_WRITES = (Outcome.UNCHANGED, Outcome.STALE)
_SHOWN = (*_WRITES, Outcome.DELETED)
"""After these the index shows the change."""
_READ, _TOMBSTONE = Op.READ, Op.TOMBSTONE
"""Named here, as Python 3.11 takes 90 ns to read a member off its class."""


class Landing:
    """Takes batches back from the flight; belongs to the task's thread and never raises.

    It is called from rebalance callbacks as well, so what has to end the task is remembered in
    ``failure``.
    """

    def __init__(  # noqa: PLR0913 - it is where batches meet four parts of the task
        self,
        *,
        flight: Flight,
        backlog: Backlog,
        rejects: Rejects,
        looks: Looks,
        replays: Replays,
        counters: Counters,
        now_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """``now_ms`` is Unix time, which commit times are compared with."""
        self._flight = flight
        self._backlog = backlog
        self._rejects = rejects
        self._looks = looks
        self._replays = replays
        self._counters = counters
        self._now_ms = now_ms
        self.failure: BaseException | None = None
        self._said: set[str] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, nothing is in flight and no dead letter is on its way."""
        return not (self._backlog.rows or self._flight.in_flight or self._rejects.rows)

    def take_back(self, timeout_s: float) -> None:
        """Settle what has landed; waits up to ``timeout_s`` for the first batch."""
        for landed in self._flight.collect(timeout_s):
            if landed.report is None:
                self._undo(landed)
            else:
                self._count(landed.report)
                for item in landed.report.items:
                    self._settle(item)
                if landed.report.failure is not None:
                    self.fail(landed.report.failure)

    def fail(self, error: BaseException) -> None:
        """Remember what ends the task; the first failure counts, others are only logged.

        What ends several batches alike is said once.
        """
        said = str(error)
        if self.failure is None:
            self.failure = error
        elif said not in self._said:
            _log.warning("And: %s", error)
        self._said.add(said)

    def check(self) -> None:
        """End the task if it has to end.

        Raises:
            BaseException: what was remembered.
        """
        if self.failure is not None:
            raise self.failure

    def _undo(self, landed: Landed) -> None:
        for work in landed.batch:
            if landed.failure is not None:
                work.newest.ledger.is_in_doubt = True
            self._backlog.give_back(work, work.entries)
        if landed.failure is not None:
            self.fail(landed.failure)

    def _count(self, report: Report) -> None:
        self._counters.batches += 1
        self._counters.bill += report.bill
        self._counters.tokens_by_table.update(report.tokens_by_table)
        self._counters.texts_by_table.update(report.texts_by_table)
        for table, committed_ms in _shown(report).items():
            self._counters.freshness.record(table, committed_ms, self._now_ms())

    def _settle(self, item: Item) -> None:
        work, outcome = item.work, item.outcome
        if outcome not in _NO_WRITES:
            now_ms, before_ms = int(self._now_ms()) + 1, item.ledger.written_ms
            item.ledger.written_ms = now_ms if before_ms is None else max(before_ms, now_ms)
        if outcome is None and item.unpaid_tokens:
            self._backlog.park(work, item.unpaid_tokens)
        elif outcome is None and item.look_again_s is not None:
            work.newest.gives_way_s = item.gives_way_s
            self._backlog.delay(work, item.look_again_s)
        elif outcome is None:
            if _may_have_been_sent(item):
                work.newest.ledger.is_in_doubt = True
            self._backlog.give_back(work, work.entries)
        elif isinstance(outcome, RecordError):
            self._dead_letter(work, outcome)
        else:
            self._backlog.finish(work)
            self._rejects.forgive(item.change, outcome, work.began_at)
            self._finish(work.newest, outcome, work)
            self._finish_swallowed(work)
            self._looks.landed(item)
            if item.document is not None and item.document.dropped and outcome in _WRITES:
                self._counters.dropped_metadata.update(item.document.dropped)

    def _dead_letter(self, work: Work, error: RecordError) -> None:
        """The change before the failed one takes its place, as nothing newer reached the index.

        Not so for a delete: the row is known to be gone.
        """
        newest = work.newest
        removal = self._backlog.removal_after(work) if error.kind == UNAVAILABLE else None
        if removal is not None:
            # such as after a rewind: what it lacks is nowhere any more, and nobody needs it
            self._leave_to(removal, work)
            return
        self._looks.dead_lettered(newest)
        if newest.change.op.removes:
            self._backlog.finish(work)
            self._finish_swallowed(work)
        else:
            self._backlog.give_back(work, work.entries[:-1])
        if newest.ledger.is_open:
            self._reject(newest, error)

    def _leave_to(self, removal: Entry, work: Work) -> None:
        """It ends with what takes the row away: till then the index may have the row as it was."""
        if not removal.stands_apart:
            self._backlog.give_back(work, work.entries)
            return
        self._backlog.finish(work)
        self._finish(work.newest, Outcome.SUPERSEDED, work)
        self._finish_swallowed(work)

    def _reject(self, entry: Entry, error: RecordError) -> None:
        if isinstance(entry, Replayed):
            self._replays.failed(entry, error)
            return
        try:
            change = entry.change
            self._rejects.reject(change.record, entry.ledger, error, change.key, change.origin)
        except FatalError as fatal:
            self.fail(fatal)

    def _finish_swallowed(self, work: Work) -> None:
        for swallowed in work.entries[:-1]:
            self._finish(swallowed, Outcome.SUPERSEDED, work)

    def _finish(self, entry: Entry, outcome: Outcome, work: Work) -> None:
        if not entry.ledger.is_open or isinstance(entry, Again):
            return
        if isinstance(entry, Replayed):
            self._replays.ended(entry, outcome, work.newest)
        else:
            entry.ledger.finish(entry.change.record.offset)
            self._counters.outcomes[outcome] += 1


def _shown(report: Report) -> Mapping[str, Sequence[int]]:
    """Commit times of what the index shows now, by table; rows of a snapshot have none.

    Nor has what is replayed. Nor has a tombstone: the delete before it tells, if it waited with it.
    """
    found: defaultdict[str, list[int]] = defaultdict(list)
    for item in report.items:
        entries = item.work.entries
        change = entries[-1].change
        if isinstance(entries[-1], Replayed):
            continue
        if change.op is _READ or item.outcome not in _SHOWN:
            continue
        if change.op is _TOMBSTONE and len(entries) > 1:
            change = entries[-2].change
        if change.origin.committed_ms is not None:
            found[table_of(change)].append(change.origin.committed_ms)
    return found


def _may_have_been_sent(item: Item) -> bool:
    """Whether an item without an outcome had all that a write takes, so that one was tried."""
    return item.is_ready
