"""What a task may embed: its part of the account's limits, and whether the budget grew again."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from worker.spend.day import Now, utc_now

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.flow.backlog import Backlog
    from worker.flow.ledger import Ledger
    from worker.pipeline.embedding import Embedding
    from worker.source.port import Source

_LOOK_EVERY_S = 1.0
_MINUTE = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class Allowance:
    """Belongs to the task's thread; looks once a second."""

    def __init__(  # noqa: PLR0913 - it tells the embedding what four parts know
        self,
        *,
        task: int,
        embedding: Embedding,
        source: Source,
        ledger: Ledger,
        backlog: Backlog,
        clock: Clock,
        now: Now = utc_now,
    ) -> None:
        self._task = task
        self._embedding = embedding
        self._source = source
        self._ledger = ledger
        self._backlog = backlog
        self._clock = clock
        self._due_s = clock.now_s()
        self._now = now
        self._least_left: int | None = None
        self._parked = 0
        self._has_said = False

    def tick(self) -> None:
        """Look if it is time to. Never blocks."""
        now_s = self._clock.now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _LOOK_EVERY_S
        self._tell_share()
        self._unpark_if_covered()

    def look_now(self) -> None:
        """Partitions came or went."""
        self._due_s = self._clock.now_s()

    def end(self) -> None:
        """The task holds nothing any more."""
        self._embedding.leave(self._task)

    def _tell_share(self) -> None:
        total = self._source.partitions_in_all
        if total is not None:
            self._embedding.hold(self._task, len(self._ledger.partitions), total)

    def _unpark_if_covered(self) -> None:
        """Try again once more is left than when nothing could be done with it."""
        parked = self._backlog.parked_rows
        if not parked:
            self._least_left, self._parked, self._has_said = None, 0, False
            return
        left = self._embedding.budget_left
        least, self._least_left = self._least_left, left
        if left is None or (least is not None and left > least):
            self._backlog.unpark()
            self._least_left = None
        elif parked == self._parked and not self._has_said:
            self._say_that_it_waits(parked)
        self._parked = parked

    def _say_that_it_waits(self, rows: int) -> None:
        """Once for a pause, and when the number of rows has come to rest."""
        self._has_said = True
        budget = self._embedding.budget
        _log.warning(
            "Paused by the budget: %s today, too little for %s rows that wait and those not read "
            "yet. Going on at %s UTC (in %s), or when the budget is raised.",
            budget.used,
            f"{rows:,}",
            budget.turns_at.strftime("%H:%M"),
            _in_words(budget.turns_at - self._now()),
        )


def _in_words(time: timedelta) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(max(0, time // _MINUTE), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
