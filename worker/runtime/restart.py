"""What a restart is about: which tasks, and what the status says as soon as it has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.runtime.port import ConnectorStateInfo, RestartRequest, State, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@immutable
class Restart:
    """Of these tasks."""

    before: ConnectorStateInfo
    tasks: Sequence[int]
    rereads: bool = False
    """Whether a config that could not be used is read again."""

    @property
    def changed(self) -> Mapping[int, Status]:
        """Tasks that show it at once; nobody's do not, as nobody would take it back."""
        return {
            number: _restarting(self.before.tasks[number])
            for number in self.tasks
            if self.before.tasks[number].state is not State.UNASSIGNED
        }

    @property
    def after(self) -> ConnectorStateInfo:
        """The status, with all that is about to restart."""
        before = self.before
        tasks = {number: _restarting(before.tasks[number]) for number in self.tasks}
        connector = _restarting(before.connector) if self.rereads else before.connector
        return ConnectorStateInfo(before.name, connector, {**before.tasks, **tasks})


def planned(request: RestartRequest, now: ConnectorStateInfo) -> Restart:
    """What a request means in the present state."""

    def is_meant(status: Status) -> bool:
        return not request.only_failed or status.state is State.FAILED

    tasks = [number for number, one in now.tasks.items() if is_meant(one)]
    return Restart(now, tasks if request.include_tasks else (), is_meant(now.connector))


def _restarting(status: Status) -> Status:
    return Status(State.RESTARTING, status.worker_id)
