"""What connectors and tasks are, as configs say it and as the pods said on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.runtime.port import (
    ConnectorInfo,
    ConnectorStateInfo,
    State,
    Status,
    TargetState,
    TaskInfo,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.homes.port import Stored
    from worker.runtime.board import Board, Posted
    from worker.runtime.keeper import Keeper

_TASK_CLASS = "EmbeddingSinkTask"
"""What Connect tells of a task beside its connector's config."""
_STATES = {
    TargetState.RUNNING: State.RUNNING,
    TargetState.PAUSED: State.PAUSED,
    TargetState.STOPPED: State.STOPPED,
}


@immutable(eq=False)
class Register:
    """Describes connectors of the whole cluster, seen from one pod. Thread-safe."""

    worker_id: str
    """Of this pod: it stands in for whoever does not run something."""
    keeper: Keeper
    board: Board
    is_live: Callable[[str], bool]
    """Whether a pod was heard of lately."""

    def info(self, name: str, stored: Stored) -> ConnectorInfo:
        """As stored."""
        return ConnectorInfo(name, {**stored.values, "name": name}, self._numbers(name, stored))

    def status(self, name: str, stored: Stored) -> ConnectorStateInfo:
        """As the pods said."""
        posted = self.board.tasks(name)
        tasks = {
            number: self._credible(posted[number])
            if number in posted
            else Status(State.UNASSIGNED, self.worker_id)
            for number in self._numbers(name, stored)
        }
        runs_at = tasks[0].worker_id if tasks else self.worker_id
        return ConnectorStateInfo(name, self._connector_status(name, stored, runs_at), tasks)

    def tasks(self, name: str, stored: Stored) -> Sequence[TaskInfo]:
        """All have the connector's config."""
        config = {**stored.values, "name": name, "task.class": _TASK_CLASS}
        return [TaskInfo(number, config) for number in self._numbers(name, stored)]

    def _numbers(self, name: str, stored: Stored) -> Sequence[int]:
        """A connector that is stopped has no tasks."""
        if self.board.target(name) is TargetState.STOPPED:
            return range(0)
        wanted = stored.values.get("tasks.max", "1").strip()
        return range(int(wanted) if wanted.isdecimal() else 0)

    def _connector_status(self, name: str, stored: Stored, runs_at: str) -> Status:
        here = self.keeper.connectors.get(name)
        failure = stored.problem or (here.failure if here is not None else "")
        if failure:
            return Status(State.FAILED, self.worker_id, failure)
        return Status(_STATES[self.board.target(name)], runs_at)

    def _credible(self, posted: Posted) -> Status:
        """A pod that is gone runs nothing, whatever it said last."""
        if self.is_live(posted.pod):
            return posted.status
        return Status(State.UNASSIGNED, posted.status.worker_id)
