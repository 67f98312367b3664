"""One connector on this worker: its tasks come, pause, restart and go as somebody wants it.

``turn`` is told what is wanted and takes the next step towards it, again and again; it never
waits. So a wish that changes in the middle of a restart needs no case of its own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.homes.port import digest_of
from worker.runtime.crew import Crew
from worker.runtime.lease import Lease
from worker.runtime.port import TargetState
from worker.runtime.staff import Staff
from worker.runtime.supervisor import TaskState
from worker.runtime.trace import trace_of
from worker.runtime.wanted import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock
    from worker.runtime.crew import Parts
    from worker.runtime.port import State
    from worker.runtime.shifts import Shift
    from worker.runtime.supervisor import RunningTask
    from worker.runtime.wanted import Blueprint, Draw, Wanted

_log = logging.getLogger(__name__)


class Connector:
    """Belongs to one thread; ``failure``, ``parts`` and ``tasks`` may be read from any."""

    def __init__(
        self, name: str, draw: Draw, shift: Shift, clock: Clock, *, end_within_s: float
    ) -> None:
        self.name = name
        self.failure = ""
        """Why its newest config cannot be used; the last good one goes on."""
        self._draw = draw
        self._shift = shift
        self._asks_to_begin = False
        self._clock = clock
        self._end_within_s = end_within_s
        self._blueprint: Blueprint | None = None
        self._digest = ""
        """Of the config that the blueprint is of."""
        self._values: Mapping[str, str] | None = None
        self._reread = NEVER
        self._lease = Lease(clock)
        self._crew: Crew | None = None
        self._former: list[Crew] = []
        self._staff = Staff(self._hire, self._end)

    def turn(self, wanted: Wanted | None) -> None:
        """One step; None: it was deleted, or the worker ends."""
        self._reap()
        self._asks_to_begin = False
        if wanted is None or wanted.target is TargetState.STOPPED:
            self._stand_down()
        else:
            self._go_on(wanted)
        if self._crew is None and self._former_have_ended and not self._asks_to_begin:
            self._shift.end()

    def _go_on(self, wanted: Wanted) -> None:
        self._take_in(wanted)
        if self._shift.is_over(self._digest):
            self._give_way()
        if not self._former_have_ended:
            return
        if self._blueprint is None:
            self._lease.close()  # others can have the tasks
            return
        self._staff.keep(self._numbers(self._blueprint), wanted)

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it runs or waits to be closed, apart from tasks that were given up."""
        is_empty = self._crew is None and all(crew.is_done for crew in self._former)
        return is_empty and self._lease.is_gone

    @property
    def has_lost(self) -> bool:
        """Whether tasks that were given up still run."""
        return any(not crew.is_closed for crew in self._former)

    @property
    def parts(self) -> Parts | None:
        """What the tasks of now share."""
        return None if self._crew is None else self._crew.parts

    @property
    def tasks(self) -> list[RunningTask]:
        """Those of now, and those that failed."""
        return self._staff.tasks

    @property
    def has_failed(self) -> bool:
        """Whether all its tasks have failed, or none could be made."""
        tasks = self.tasks
        if not tasks:
            return bool(self.failure)
        return all(task.state is TaskState.FAILED for task in tasks)

    def statuses(self) -> dict[int, tuple[State, str]]:
        """Of the tasks here, by number: the state, and why it failed."""
        return self._staff.statuses()

    def _take_in(self, wanted: Wanted) -> None:
        """Read a config that is new, or that somebody wants read again."""
        asks_again = bool(self.failure) and wanted.reread > self._reread
        if wanted.values == self._values and not asks_again:
            return
        is_first = self._values is None
        self._values, self._reread = wanted.values, wanted.reread
        blueprint = self._drawn(wanted)
        if blueprint is None:
            return
        if not is_first:
            _log.info("Connector %s has a new config.", self.name)
        self._dismiss()
        self._blueprint, self._digest = blueprint, digest_of(wanted.values)

    def _give_way(self) -> None:
        """Others work with a newer config: with ours nobody does any more.

        One that is known here, but cannot be used, is not tried again.
        """
        _log.info("Connector %s has another config on other workers: it ends here.", self.name)
        self._dismiss()
        self._blueprint = None
        if not self.failure:
            self._values = None

    def _drawn(self, wanted: Wanted) -> Blueprint | None:
        try:
            blueprint = self._draw(wanted.values, wanted.origin)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this connector's alone
            self._fail(error)
            return None
        self.failure = ""
        return blueprint

    def _fail(self, error: Exception) -> None:
        self.failure = trace_of(error)
        unforeseen = None if isinstance(error, WorkerError) else error
        _log.error("Connector %s cannot be used: %s", self.name, error, exc_info=unforeseen)

    def _numbers(self, blueprint: Blueprint) -> frozenset[int]:
        try:
            return self._lease.numbers(blueprint)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            self._blueprint = None
            return frozenset()

    def _hire(self, number: int, wanted: Wanted) -> RunningTask | None:
        crew = self._ready_crew(wanted)
        if crew is None:
            return None
        return crew.start(number, paused=wanted.target is TargetState.PAUSED)

    def _ready_crew(self, wanted: Wanted) -> Crew | None:
        """Those that work; where nobody does any more, a new crew, with secrets read anew."""
        if self._crew is not None and self._crew.is_winding_down:
            return None  # wait for all of them, as a new crew may be due
        if self._crew is not None and not self._crew.is_spent:
            return self._crew
        if self._crew is not None:
            self._retire(self._crew)
            self._draw_anew(wanted)
        if self._blueprint is None or not self._may_begin():
            return None
        try:
            parts = self._blueprint.assemble()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            self._blueprint = None
            return None
        self._crew = Crew(parts, self._clock, self._end_within_s)
        return self._crew

    def _draw_anew(self, wanted: Wanted) -> None:
        """The newest config may be good by now."""
        blueprint = self._drawn(wanted)
        if blueprint is not None:
            self._blueprint, self._digest = blueprint, digest_of(wanted.values)

    def _may_begin(self) -> bool:
        self._asks_to_begin = True
        return self._shift.begin(self._digest)

    def _end(self, task: RunningTask) -> None:
        if self._crew is not None:
            self._crew.end(task)

    def _stand_down(self) -> None:
        """No tasks, and nobody else is kept from having them."""
        self._dismiss()
        self._blueprint, self._values = None, None
        self.failure = ""
        if self._former_have_ended:
            self._lease.close()

    def _dismiss(self) -> None:
        if self._crew is not None:
            self._crew.end_all()
            self._retire(self._crew)
        self._staff.clear()

    def _retire(self, crew: Crew) -> None:
        self._former.append(crew)
        self._crew = None

    @property
    def _former_have_ended(self) -> bool:
        return all(crew.has_ended for crew in self._former)

    def _reap(self) -> None:
        if self._crew is not None:
            self._crew.reap()
        for crew in self._former:
            crew.reap()
            if crew.has_ended:
                crew.close()
        self._former = [crew for crew in self._former if not crew.is_closed]
        self._lease.reap()
