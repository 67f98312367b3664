"""The thread that has all connectors of this worker be as somebody wants them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.runtime.connector import Connector
from worker.runtime.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.clock import Clock
    from worker.homes.port import Home, Stored
    from worker.runtime.board import Board
    from worker.runtime.reporter import Reporter
    from worker.runtime.shifts import Shift
    from worker.runtime.supervisor import RunningTask
    from worker.runtime.wanted import Draw

_log = logging.getLogger(__name__)

_TURN_S = 0.2
_STUCK_S = 60.0
"""Turns take milliseconds; a thread that is this late does not come back."""


class Keeper:
    """Looks at the homes and the board a few times a second, and gives each connector a turn."""

    def __init__(  # noqa: PLR0913 - what it keeps, and where it looks
        self,
        *,
        homes: Sequence[Home],
        board: Board,
        reporter: Reporter,
        draw: Draw,
        shift_of: Callable[[str], Shift],
        clock: Clock,
        end_within_s: float,
    ) -> None:
        """A name counts in the first of the ``homes`` that has it."""
        self.failure: WorkerError | None = None
        """Why nothing can be kept any more, such as a topic that may not be read."""
        self._homes = homes
        self._board = board
        self._reporter = reporter
        self._draw = draw
        self._shift_of = shift_of
        self._clock = clock
        self._end_within_s = end_within_s
        self._connectors: dict[str, Connector] = {}
        self._complaints: dict[str, str] = {}
        self._is_current = threading.Event()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._turned_s = clock.now_s()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something has changed: do not wait for the next turn."""
        self._wake.set()

    def stop(self, timeout_s: float) -> bool:
        """End all connectors in order; whether all tasks ended in time."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not any(
            one.has_lost for one in self.connectors.values()
        )

    @property
    def is_current(self) -> bool:
        """Whether it knows what was wanted before it started."""
        return self._is_current.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether its thread still does what it should."""
        is_late = self._clock.now_s() - self._turned_s > _STUCK_S
        return self._thread.is_alive() and not is_late

    @property
    def stopping(self) -> threading.Event:
        """Set once it ends."""
        return self._stop

    @property
    def is_stopping(self) -> bool:
        """Whether it ends."""
        return self._stop.is_set()

    @property
    def tasks(self) -> list[RunningTask]:
        """Of all connectors here."""
        return [task for one in self.connectors.values() for task in one.tasks]

    def refused(self) -> list[str]:
        """The connectors whose configs cannot be used, so that they have no tasks here."""
        return [name for name, one in self.connectors.items() if one.failure and not one.tasks]

    def all_failed(self) -> list[RunningTask]:
        """All tasks, if nothing works any more; a connector that is stopped or restarts may yet."""
        connectors = self.connectors
        wanted = [connectors.get(name) for name in self.stored()]
        if not all(one is not None and one.has_failed for one in wanted):
            return []
        return [task for one in wanted if one is not None for task in one.tasks]

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """All that are here, also those that are about to end."""
        return dict(self._connectors)

    def stored(self) -> Mapping[str, Stored]:
        """The configs of all homes."""
        merged: dict[str, Stored] = {}
        for home in reversed(self._homes):
            merged.update(home.stored())
        return merged

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._turn()
                self._pause()
            self._end()
        except WorkerError as error:
            self.failure = error
            _log.error("%s", error)
            self._end()

    def _pause(self) -> None:
        self._wake.wait(_TURN_S)
        self._wake.clear()

    def _turn(self) -> None:
        """One turn of everything.

        Raises:
            FatalError: the board cannot be read.
        """
        self._turned_s = self._clock.now_s()
        for home in self._homes:
            self._look_at(home)
        if not self._board.caught_up(0.0):
            return
        stored = self.stored()
        for name in sorted(stored.keys() | self._connectors.keys()):
            self._turn_one(name, stored.get(name))
        self._is_current.set()

    def _look_at(self, home: Home) -> None:
        """A home that cannot be looked at says what it said before."""
        try:
            home.look()
        except WorkerError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this home's alone
            self._complain(f"The {type(home).__name__}", error)

    def _turn_one(self, name: str, stored: Stored | None) -> None:
        """Whatever goes wrong with one is no matter of the others."""
        try:
            connector = self._connectors.get(name) or self._new(name)
            is_wanted = stored is not None and not stored.is_outdated
            connector.turn(self._wanted(name, stored) if stored and is_wanted else None)
            if stored is not None:
                self._report(connector)
            elif connector.is_gone:
                del self._connectors[name]
        except Exception as error:  # noqa: BLE001 - see above
            self._complain(f"Connector {name}", error)

    def _complain(self, what: str, error: Exception) -> None:
        """Once, as the next turn will most likely fail alike."""
        if self._complaints.get(what) != repr(error):
            self._complaints[what] = repr(error)
            _log.error("%s could not be looked after.", what, exc_info=error)

    def _new(self, name: str) -> Connector:
        made = Connector(
            name, self._draw, self._shift_of(name), self._clock, end_within_s=self._end_within_s
        )
        self._connectors[name] = made
        return made

    def _wanted(self, name: str, stored: Stored) -> Wanted:
        wishes = self._board.wishes(name)
        target = self._board.target(name)
        return Wanted(stored.values, stored.origin, target, wishes.restarts, wishes.reread)

    def _report(self, connector: Connector) -> None:
        self._reporter.report(connector.name, connector.statuses())
        for task in connector.tasks:
            if task.assembled is not None:
                self._reporter.read(connector.name, task.assembled.task.progress)

    def _end(self) -> None:
        """Until nothing runs; whoever waits for it knows for how long."""
        while any(not one.is_gone for one in self._connectors.values()):
            for connector in self._connectors.values():
                connector.turn(None)
            self._wake.clear()
            self._wake.wait(_TURN_S / 10)
        for name in self._connectors:
            self._reporter.report(name, {})
