"""Whether the store shows what others wrote for a partition before it came here.

Before a text is paid for that a lost worker may have embedded, its point has to show. A store that
numbers its writes says when that is so; with any other the longest time has to pass. Nothing but
the bill relies on it: see ``docs/adr/0020-what-a-lost-worker-wrote.md``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.clock import Clock
    from worker.flow.ledger import PartitionLedger
    from worker.pipeline.patience import Patience
    from worker.store.port import WriteLog

    Part: TypeAlias = tuple[PartitionLedger, str]
    """What was written for a partition to a namespace."""

_EVERY_S = 0.2
"""Between two questions."""


@dataclass(slots=True)
class _Wait:
    """For what a part's earlier owners wrote."""

    until_s: float
    """Then time alone has told."""
    number: int | None = None
    """Of a mark that was written after all that; None: there is none yet."""
    is_shown: bool = False
    is_vain: bool = False
    """Whether the store does not say."""

    @property
    def is_over(self) -> bool:
        return self.is_shown or self.is_vain

    def learn(self, shown_to: int | None) -> None:
        """The store shows so much."""
        if self.number is None or shown_to is None:
            self.is_vain = True
        elif shown_to >= self.number:
            self.is_shown = True


class Inherited:
    """Thread-safe. Asked for by who judges a row, found out before the next rows are fetched."""

    def __init__(
        self, log: WriteLog | None, patience: Patience, clock: Clock, settle_s: float
    ) -> None:
        """``settle_s`` is the longest time until a write is visible."""
        self._log = log
        self._patience = patience
        self._clock = clock
        self._settle_s = settle_s
        self._waits: dict[Part, _Wait] = {}
        self._due_s = clock.now_s()
        self._lock = threading.Lock()

    def ask(self, part: Part) -> bool:
        """Have it found out; False if only time can tell."""
        if self._log is None or not part[0].is_open:
            return False
        with self._lock:
            until_s = self._clock.now_s() + self._settle_s
            return not self._waits.setdefault(part, _Wait(until_s)).is_vain

    def shows(self, part: Part) -> bool:
        """Whether a fetch from now on shows all that was written before the partition came."""
        if not self._waits:
            return False
        with self._lock:
            wait = self._waits.get(part)
            return wait is not None and wait.is_shown

    def look(self) -> None:
        """Find out what was asked for.

        Raises:
            Interrupted: the task stops.
            FatalError: the store refuses everything.
        """
        if self._log is None or not self._waits:
            return
        for namespace in self._due():
            self._look(self._log, namespace)

    def _due(self) -> Collection[str]:
        with self._lock:
            self._waits = {part: wait for part, wait in self._waits.items() if part[0].is_open}
            now_s = self._clock.now_s()
            if now_s < self._due_s:
                return ()
            self._due_s = now_s + _EVERY_S
            return {
                namespace
                for (_, namespace), wait in self._waits.items()
                if not wait.is_over and now_s < wait.until_s
            }

    def _look(self, log: WriteLog, namespace: str) -> None:
        """One mark is after all that is asked for by now."""
        with self._lock:
            waits = [wait for (_, one), wait in self._waits.items() if one == namespace]
        if any(wait.number is None for wait in waits):
            number = self._patience("writing to the store", lambda: log.mark(namespace))
            for wait in waits:
                wait.number = wait.number or number
        shown_to = self._patience("asking the store", lambda: log.shown_to(namespace))
        for wait in waits:
            wait.learn(shown_to)
