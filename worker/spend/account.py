"""What every purse keeps in the state topic beside its reservations: totals, and order."""

from __future__ import annotations

import contextlib
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from worker.errors import FatalError, WorkerError
from worker.spend import records, totals
from worker.spend.day import day_of
from worker.spend.sweeper import Sweeper
from worker.spend.totals import Totals

if TYPE_CHECKING:
    from datetime import date

    from worker.clock import Clock
    from worker.spend.day import Now
    from worker.spend.port import Spent
    from worker.spend.reservation import Bill
    from worker.state.port import StateTopic

_log = logging.getLogger(__name__)

_EVERY_S = 60.0
_KEPT = timedelta(days=62)
"""Totals of older days are deleted."""


class Account:
    """Adds up what was billed, and writes it down once a minute. Thread-safe, never blocks."""

    def __init__(
        self, topic: StateTopic, pod: str, price: int | None, clock: Clock, now: Now
    ) -> None:
        self._topic = topic
        self._clock = clock
        self._now = now
        self._totals = Totals(pod, price)
        self._sweeper = Sweeper()
        self._lock = threading.Lock()
        self._written_s = clock.now_s()
        self._has_warned = False
        topic.attach(totals.PREFIX, self._totals.read)
        topic.attach(records.PREFIX, self._sweeper.read)

    def book(self, day: date, bill: Bill) -> None:
        """What came of a call; cancelled ones came to nothing."""
        if bill.requests:
            self._totals.book(day, bill)
        self.tick()

    def tick(self) -> None:
        """Write if it is time to."""
        if self._is_due():
            self.write()

    def spent(self, day: date) -> Spent:
        """By all pods, as far as they wrote it down."""
        return self._totals.spent(day)

    def write(self) -> None:
        """Hand totals and tombstones to the state topic.

        What it does not take now is written with the next totals, or deleted by another pod.
        """
        today = day_of(self._now())
        pages = self._totals.changed()
        try:
            for key, value in pages.items():
                self._topic.post(key, value)
        except WorkerError as error:
            self._totals.again(pages)
            self._warn(error)
            return
        with contextlib.suppress(WorkerError):
            for key in self._totals.older_than(today - _KEPT):
                self._topic.post(key, None)
            for key in self._sweeper.keys(today):
                self._topic.post(key, None)

    def _warn(self, error: WorkerError) -> None:
        """Once, and only of what does not end by itself; the work goes on."""
        if isinstance(error, FatalError) and not self._has_warned:
            self._has_warned = True
            _log.warning("What is spent is not kept: %s.", error)

    def _is_due(self) -> bool:
        with self._lock:
            now_s = self._clock.now_s()
            if now_s - self._written_s < _EVERY_S:
                return False
            self._written_s = now_s
            return True
