"""What a task may embed: its part of the account's limits, and whether the budget grew again."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from worker.spend.day import Now, utc_now
from worker.spend.port import Outlook

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.flow.backlog import Backlog
    from worker.flow.ledger import Ledger
    from worker.pipeline.embedding import Embedding
    from worker.source.port import Source
    from worker.spend.port import Report

_LOOK_EVERY_S = 0.25
_MINUTE = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class Allowance:
    """Belongs to the task's thread; looks some times a second."""

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
        self._is_spent = False

    def tick(self) -> None:
        """Look if it is time to. Never blocks."""
        now_s = self._clock.now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _LOOK_EVERY_S
        self._embedding.tick()
        self._tell_share()
        self._unpark_if_covered()

    def look_now(self) -> None:
        """Partitions came or went."""
        self._due_s = self._clock.now_s()

    def end(self) -> None:
        """The task holds nothing any more."""
        self._embedding.leave(self._task)

    @property
    def delay(self) -> str:
        """Why what has to be embedded waits; empty while it need not."""
        if not self._is_spent:
            return ""
        turns_at = self._embedding.budget.turns_at.strftime("%H:%M")
        return (
            "the day's budget is spent: what has to be embedded goes on at "
            f"{turns_at} UTC, or when the budget is raised"
        )

    def _tell_share(self) -> None:
        total = self._source.partitions_in_all
        if total is not None:
            self._embedding.hold(self._task, len(self._ledger.partitions), total)

    def _unpark_if_covered(self) -> None:
        """Calls were billed less than was reserved, the day turned, or the budget was raised."""
        parked = self._backlog.parked
        if parked:
            left = self._embedding.budget_left
            room = self._embedding.room(parked.first_needed(left))
            self._backlog.unpark(left, room)
        self._tell_outlook()

    def _tell_outlook(self) -> None:
        """Say once that nothing more can be embedded today, and once that it can again."""
        parked = self._backlog.parked
        outlook = self._embedding.outlook(parked.least_needed) if parked else Outlook.FITS
        was_spent, self._is_spent = self._is_spent, outlook is Outlook.SPENT
        if self._is_spent and not was_spent:
            self._say_that_it_waits(len(parked))
        elif was_spent and not self._is_spent:
            _log.info("The budget covers calls again.")

    def _say_that_it_waits(self, rows: int) -> None:
        budget = self._embedding.budget
        _log.warning(
            "Paused by the budget: %s today, too little for %s rows that wait and those not read "
            "yet. Going on %s; deletes and changes of metadata go on.",
            budget.used,
            f"{rows:,}",
            self._goes_on(budget),
        )

    def _goes_on(self, budget: Report) -> str:
        """What is larger than a whole budget does not get its turn on another day either."""
        least = self._backlog.parked.least_needed
        if budget.limit_tokens is not None and least > budget.limit_tokens:
            return f"when the budget is {least:,} tokens, as the smallest of them may cost so much"
        turns_at = budget.turns_at
        time = f"{turns_at:%H:%M} UTC (in {_in_words(turns_at - self._now())})"
        return f"at {time}, or when the budget is raised"


def _in_words(time: timedelta) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(max(0, time // _MINUTE), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
