"""What a connector's tasks share about rows: truncates of their tables, and dead letters."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.errors import RetriableError
from worker.letters.book import LetterBook
from worker.marks.dead_rows import DeadRows
from worker.marks.port import NoMarks, NoWatermarks
from worker.marks.watermarks import TableWatermarks
from worker.pipeline.emptying import CarriedOutTruncates
from worker.pipeline.fence import Fence
from worker.pipeline.sweep import Sweeper
from worker.pipeline.truncates import IgnoredTruncates, RefusedTruncates

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.config.connector import ConnectorConfig
    from worker.index import Index
    from worker.letters.standing import LetterId
    from worker.marks.port import Marks, Watermarks
    from worker.pipeline.lease import Lease
    from worker.pipeline.patience import Patience
    from worker.pipeline.sweep import Tables
    from worker.pipeline.truncates import Truncates
    from worker.statehouse import Statehouse
    from worker.store.port import Store
    from worker.telemetry.counters import Counters

_READ_S = 10.0


class Notes:
    """Kept in the state topic where they are needed; made at first use."""

    def __init__(self, config: ConnectorConfig, state: Statehouse, index: Index) -> None:
        self._config = config
        self._state = state
        self._index = index
        self._lock = threading.Lock()

    def open(self, patience: Patience) -> None:
        """Read all that was written before, as a truncate counts from the first change on.

        Raises:
            FatalError: the state topic cannot be read.
        """
        with self._lock:
            _ = self.marks, self.watermarks, self.store, self.letters
        if self._empties or self._config.dlq_topic is not None:
            patience("reading the state topic", self._catch_up)

    @cached_property
    def marks(self) -> Marks:
        """Of rows with dead letters."""
        return NoMarks() if self._config.dlq_topic is None else DeadRows(self._state.topic)

    @cached_property
    def letters(self) -> LetterBook | None:
        """What became of dead letters; None if there are none."""
        return None if self._config.dlq_topic is None else LetterBook(self._state.topic)

    def touched_letters(self) -> Collection[tuple[LetterId, bool]]:
        """Dead letters that something was done about, and whether they are closed. Any thread."""
        with self._lock:
            book = self.letters
        standings = {} if book is None else book.standings()
        return [(letter, standing.state.is_closed) for letter, standing in standings.items()]

    @cached_property
    def watermarks(self) -> Watermarks:
        """Of truncated tables."""
        return self._tables if self._empties else NoWatermarks()

    @cached_property
    def store(self) -> Store:
        """The index's store, in which truncates can be carried out."""
        return self._fence if self._empties else self._index.store

    def truncates(
        self, tables: Tables, lease: Lease, patience: Patience, counters: Counters
    ) -> Truncates:
        """What a task does with them, as ``truncate.mode`` says."""
        mode = self._config.events.truncate_mode
        if mode == "ignore":
            return IgnoredTruncates(counters)
        if mode == "fail":
            return RefusedTruncates(counters)
        sweeper = Sweeper(tables, self._fence, self._tables, lease, patience)
        return CarriedOutTruncates(self._tables, sweeper, patience, counters)

    @property
    def _empties(self) -> bool:
        return self._config.events.truncate_mode == "delete"

    @cached_property
    def _tables(self) -> TableWatermarks:
        return TableWatermarks(self._state.topic)

    @cached_property
    def _fence(self) -> Fence:
        return Fence(self._index.store, SystemClock())

    def _catch_up(self) -> None:
        if not self._state.topic.caught_up(_READ_S):
            raise RetriableError("the state topic could not be read to its end in time")
