"""Marks of dead-lettered rows, written beside the polling thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Outcome
from worker.pipeline.background import Background
from worker.pipeline.patience import Interrupted

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Executor

    from worker.marks.port import Marks
    from worker.model import Change, Key, Position, Record
    from worker.pipeline.patience import Patience

_AS_THE_INDEX = frozenset(
    {
        Outcome.WRITTEN,
        Outcome.REUSED,
        Outcome.UNCHANGED,
        Outcome.DELETED,
        Outcome.FILTERED,
    }
)


class Marking:
    """Makes marks and lets go of them; belongs to the task's thread and never blocks."""

    def __init__(self, marks: Marks, patience: Patience, pool: Executor | None = None) -> None:
        self._marks = marks
        self._patience = patience
        self._waiting: list[Record] = []
        self._keeping: Background[list[Record]] = Background("marks", pool=pool)

    def begin(self, record: Record, key: Key) -> None:
        """Mark the row; ``kept`` tells when that is written for good."""
        self._marks.mark(key, record.position)
        self._waiting.append(record)

    def forgive(self, change: Change, outcome: Outcome, began_at: Position) -> None:
        """The index is as this change says: its whole row is known again, or gone."""
        if self._marks.has_any and outcome in _AS_THE_INDEX:
            lacks_its_past = change.unavailable and change.moved_from is None
            self._marks.clear(change.key, change.position, began_at if lacks_its_past else None)

    def kept(self) -> Collection[Record]:
        """Records whose marks are written since the last call.

        Raises:
            FatalError: they cannot be written.
        """
        done: list[Record] = []
        for ended in self._keeping.ended():
            if ended.error is None:
                done += ended.subject
            elif not isinstance(ended.error, Interrupted):
                raise ended.error
        if self._waiting and not self._keeping.under_way:
            waiting, self._waiting = self._waiting, []
            self._keeping.begin(waiting, self._keep)
        return done

    def close(self) -> None:
        """Let the thread end."""
        self._keeping.close()

    def _keep(self, _records: list[Record]) -> None:
        self._patience("marking rows with dead letters", self._marks.keep)
