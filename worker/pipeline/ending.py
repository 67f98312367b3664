"""The end of a ``--until-caught-up`` run, without the seconds that nobody needs to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.pipeline.commit import Committer
    from worker.pipeline.goal import Goal


class Ending:
    """Once nothing is left to do, commits and looks at the goal at once.

    By their own clocks either would come within a second, one after the other. Where the group has
    not reached the goal then, others still work, and looking once a second is enough again.
    """

    def __init__(self, goal: Goal, committer: Committer) -> None:
        self._goal = goal
        self._committer = committer
        self._is_through = False

    def is_reached(self, *, idle: bool) -> bool:
        """Whether to end; ``idle`` says that nothing waits here and nothing is under way.

        Raises:
            FatalError: there is no topic to read.
        """
        was_through, self._is_through = self._is_through, idle and self._is_committed()
        if self._is_through and not was_through:
            self._goal.look_now()
        return self._goal.is_reached()

    def _is_committed(self) -> bool:
        if not self._committer.outstanding:
            return True
        self._committer.commit_soon()
        return False
