"""What a task does with the TRUNCATE of a table: nothing, or fail; ``emptying`` carries it out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from worker.errors import FatalError
from worker.model import Outcome

if TYPE_CHECKING:
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.model import Change, Origin, Record
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)


class Truncates(Protocol):
    """What a task does with truncates; belongs to its thread and never blocks."""

    @property
    def rows(self) -> int:
        """What is under way: records and sweeps."""
        ...

    def covers(self, change: Change) -> bool:
        """Whether a truncate came after this change."""
        ...

    def accept(self, record: Record, ledger: PartitionLedger, origin: Origin) -> None:
        """A truncate's record.

        Raises:
            FatalError: tables must not be truncated.
        """
        ...

    def look_now(self) -> None:
        """Partitions came."""
        ...

    def tick(self, ledger: Ledger) -> None:
        """Go on.

        Raises:
            WorkerError: the task cannot go on.
        """
        ...

    def close(self) -> None:
        """Let threads end."""
        ...


class IgnoredTruncates:
    """``truncate.mode=ignore``: the rows stay in the index, and the log says so once per table."""

    rows = 0

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._warned: set[tuple[str, str | None]] = set()

    def covers(self, change: Change) -> bool:  # noqa: ARG002 - the protocol's
        """No truncate counts."""
        return False

    def accept(self, record: Record, ledger: PartitionLedger, origin: Origin) -> None:
        """Finished at once."""
        ledger.finish(record.offset)
        self._counters.outcomes[Outcome.FILTERED] += 1
        table = (record.topic, origin.table)
        if table not in self._warned:
            self._warned.add(table)
            _log.warning(
                "TRUNCATE of %s (%s) is not carried out: its rows stay in the index. "
                "truncate.mode=delete deletes them (said once).",
                origin.table,
                record.topic,
            )

    def look_now(self) -> None:
        """Nothing is due."""

    def tick(self, ledger: Ledger) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """There are no threads."""


class RefusedTruncates(IgnoredTruncates):
    """``truncate.mode=fail``."""

    def accept(self, record: Record, ledger: PartitionLedger, origin: Origin) -> None:  # noqa: ARG002 - the protocol's
        """The end of the task.

        Raises:
            FatalError: always.
        """
        raise FatalError(
            f"record {record.topic}[{record.partition}]@{record.offset} is a TRUNCATE of "
            f"{origin.table}, and truncate.mode is 'fail'"
        )
