"""A run that has nothing left to do ends at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from worker.pipeline.ending import Ending

if TYPE_CHECKING:
    from worker.pipeline.commit import Committer
    from worker.pipeline.goal import Goal


class Commits:
    def __init__(self) -> None:
        self.outstanding = {"a": 1}
        self.hurried = 0

    def commit_soon(self) -> None:
        self.hurried += 1


class Looks:
    def __init__(self) -> None:
        self.looks = 0
        self.is_there = False

    def look_now(self) -> None:
        self.looks += 1

    def is_reached(self) -> bool:
        return self.is_there


def made() -> tuple[Ending, Looks, Commits]:
    goal, committer = Looks(), Commits()
    return Ending(cast("Goal", goal), cast("Committer", committer)), goal, committer


def test_while_there_is_work_neither_commit_nor_look_is_hurried() -> None:
    ending, goal, committer = made()
    assert not ending.is_reached(idle=False)
    assert (goal.looks, committer.hurried) == (0, 0)


def test_what_was_the_last_work_is_committed_at_once_and_then_looked_at_once() -> None:
    ending, goal, committer = made()
    ending.is_reached(idle=True)
    assert (goal.looks, committer.hurried) == (0, 1)
    committer.outstanding.clear()
    for _ in range(3):
        ending.is_reached(idle=True)
    assert (goal.looks, committer.hurried) == (1, 1)
    goal.is_there = True
    assert ending.is_reached(idle=True)


def test_work_that_comes_later_is_the_last_work_anew() -> None:
    ending, goal, committer = made()
    committer.outstanding.clear()
    for idle in (True, False, True):
        ending.is_reached(idle=idle)
    assert goal.looks == 2
