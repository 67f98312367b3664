"""Tasks that share one assembly: begun and ended one by one; what they shared is closed at last."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from worker.runtime.supervisor import RunningTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.clock import Clock
    from worker.runtime.supervisor import TaskSpec

_log = logging.getLogger(__name__)


class Parts(Protocol):
    """What the tasks of a connector share, such as an ``Assembly``."""

    def specs(self, *, until_caught_up: bool) -> Sequence[TaskSpec]:
        """All tasks that can be made of it."""
        ...

    def close(self) -> None:
        """Release everything; after the tasks' end. May take seconds."""
        ...


class Crew:
    """Belongs to one thread; nothing here waits.

    A task that does not end within ``end_within_s`` is given up: its thread is left to itself and
    what it shares stays open, so that it cannot hold up whoever comes next.
    """

    def __init__(self, parts: Parts, clock: Clock, end_within_s: float) -> None:
        self.parts = parts
        self._clock = clock
        self._end_within_s = end_within_s
        self._specs = {spec.number: spec for spec in parts.specs(until_caught_up=False)}
        self._members: list[RunningTask] = []
        self._deadlines_s: dict[RunningTask, float] = {}
        """Of those that were asked to end."""
        self._closing: threading.Thread | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nobody works any more, apart from those that were given up."""
        return not any(task.is_alive and not task.is_lost for task in self._members)

    @property
    def is_spent(self) -> bool:
        """Whether tasks have run, and none of them does any more."""
        return bool(self._members) and self.has_ended

    @property
    def is_winding_down(self) -> bool:
        """Whether all that still work are about to end, so that it will be spent."""
        working = [task for task in self._members if task.is_alive and not task.is_lost]
        return bool(working) and all(task.is_over for task in working)

    @property
    def is_closed(self) -> bool:
        """Whether everything is released."""
        return self._closing is not None and not self._closing.is_alive()

    @property
    def is_done(self) -> bool:
        """The same, or nothing but tasks that were given up keeps it from being released."""
        return self.is_closed or (self.has_ended and self._has_living)

    def start(self, number: int, *, paused: bool) -> RunningTask:
        """Begin a task."""
        task = RunningTask(self._specs[number], threading.Event())
        if paused:
            task.pause()
        self._members = [*(one for one in self._members if one.is_alive), task]
        task.start()
        return task

    def end(self, task: RunningTask) -> None:
        """Have a task end; ``reap`` sees to it."""
        task.end()
        if task.is_alive and not task.is_lost:
            self._deadlines_s.setdefault(task, self._clock.now_s() + self._end_within_s)

    def end_all(self) -> None:
        """Have all of them end."""
        for task in self._members:
            self.end(task)

    def reap(self) -> None:
        """Give up who is late."""
        now_s = self._clock.now_s()
        for task in [task for task, by_s in self._deadlines_s.items() if now_s >= by_s]:
            del self._deadlines_s[task]
            if task.is_alive:
                task.abandon()
                _log.error(
                    "Task %s did not end within %g s; what it had not committed comes again.",
                    task.spec.name,
                    self._end_within_s,
                )

    def close(self) -> None:
        """Release what was shared, in a thread of its own, unless somebody still uses it."""
        if self._closing is None and not self._has_living:
            self._closing = threading.Thread(target=self._close, name="closing", daemon=True)
            self._closing.start()

    @property
    def _has_living(self) -> bool:
        return any(task.is_alive for task in self._members)

    def _close(self) -> None:
        try:
            self.parts.close()
        except Exception:  # noqa: BLE001 - nobody waits for it
            _log.exception("A connector could not be closed in order.")
