"""What the pipeline would do with a row's changes now: its own backlog and judge, and no write."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.errors import FatalError, RecordError, RetriableError
from worker.flow.backlog import Backlog
from worker.flow.entry import Entry
from worker.flow.ledger import PartitionLedger
from worker.immutable import immutable
from worker.model import Outcome, TopicPartition
from worker.pipeline.item import still_open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.clock import FakeClock
    from worker.explain.step import Step
    from worker.flow.entry import Work
    from worker.model import Change
    from worker.pipeline.batch import BatchRunner
    from worker.pipeline.item import Item

_EVERYTHING = 1 << 40
_LONG_AGO = -math.inf


class Course(StrEnum):
    """What would become of a change."""

    EMBED = "embed"
    REUSE = "reuse"
    """Written again with the vector that is there."""
    UNCHANGED = "unchanged"
    STALE = "stale"
    DELETE = "delete"
    """The row is gone, and with it its point, if there is one."""
    FILTER = "filter"
    """The row has no place in the index; its point goes, if there is one."""
    FAIL = "fail"
    """To the dead-letter topic, or the end of the task where there is none."""
    STOP = "stop"
    """Every record would fail: the task stops."""


@immutable
class Rehearsed:
    """How it went."""

    course: Course
    change: Change
    """With what it takes from the changes that wait before it, or from the source database."""
    item: Item | None = None
    """None where the task would stop."""
    error: RecordError | FatalError | None = None
    is_marked: bool = False
    """Whether a change of the row is a dead letter and none was written after it, so that the index
    cannot complete a partial change."""
    is_truncated: bool = False
    """Whether its table was truncated after it."""


@immutable
class Rehearsal:
    """A worker that has held the partition for so long that the store shows everything."""

    runner: BatchRunner
    """Its clock is ``clock``; only its decision is asked for."""
    clock: FakeClock

    def of(self, steps: Sequence[Step]) -> Rehearsed | None:
        """The end of these records of a row, as if they had just been read; None for no change.

        Raises:
            RetriableError: the store is away.
        """
        return self.of_rows([steps])[0]

    def of_rows(self, rows: Sequence[Sequence[Step]]) -> Sequence[Rehearsed | None]:
        """The same of several rows, of which the store is asked at once.

        Raises:
            RetriableError: the store is away.
        """
        works = [self._work(steps) for steps in rows]
        decided = iter(self._decided([work for work in works if work is not None]))
        return [None if work is None else next(decided) for work in works]

    def _work(self, steps: Sequence[Step]) -> Work | None:
        ledger, backlog = self._ledger(steps[-1]), Backlog()
        for step in steps:
            if step.change is None:
                ledger.leave_out(step.record.offset, None)
            else:
                backlog.add(Entry(step.change, ledger, _LONG_AGO))
        work = None
        while backlog.rows:
            (work,) = backlog.take(_EVERYTHING, _EVERYTHING)
            backlog.finish(work)
        return work

    def _decided(self, works: Sequence[Work]) -> Sequence[Rehearsed]:
        if not works:
            return ()
        try:
            items = self.runner.decided(works)
            for part in self.runner.pieces.rounds(still_open(items)):
                self.runner.pieces.look(part, self.clock.now_s())
        except FatalError as error:
            if isinstance(error.__cause__, RetriableError):
                raise error.__cause__ from None
            return [Rehearsed(Course.STOP, work.change, error=error) for work in works]
        return [self._rehearsed(item) for item in items]

    def _rehearsed(self, item: Item) -> Rehearsed:
        refused = item.outcome if isinstance(item.outcome, RecordError) else None
        judge, change = self.runner.judge, item.change
        return Rehearsed(
            _course(item),
            change,
            item,
            refused,
            is_marked=judge.marks.is_marked(change.key, change.position),
            is_truncated=judge.watermarks.covers(change),
        )

    def _ledger(self, step: Step) -> PartitionLedger:
        """Of a partition that was assigned a settling time ago."""
        ledger = PartitionLedger(TopicPartition(step.record.topic, step.record.partition))
        _, settled_s = self.runner.lookup.known.find(ledger, ("", ""))
        self.clock.advance(max(0.0, settled_s - self.clock.now_s()))
        return ledger


_SETTLED = {
    Outcome.STALE: Course.STALE,
    Outcome.UNCHANGED: Course.UNCHANGED,
    Outcome.DELETED: Course.DELETE,
}


def _course(item: Item) -> Course:
    if isinstance(item.outcome, RecordError):
        return Course.FAIL
    if item.outcome is not None:
        return _SETTLED[item.outcome]
    if item.document is not None:
        return Course.EMBED if item.lacking() else Course.REUSE
    return Course.DELETE if item.change.op.removes else Course.FILTER
