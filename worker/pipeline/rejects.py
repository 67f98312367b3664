"""Records that failed for good: to the dead-letter topic, or the end of the task."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.dlq.port import DeadLetter
from worker.errors import FatalError
from worker.model import Origin, Outcome
from worker.quiet_log import QuietLog

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.clock import Clock
    from worker.dlq.port import DeadLetterQueue
    from worker.errors import RecordError
    from worker.flow.ledger import PartitionLedger
    from worker.model import Change, Key, Position, Record, TopicPartition
    from worker.pipeline.marking import Marking
    from worker.pipeline.net import Net
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)

_UNREAD = Origin()


@dataclass(slots=True, eq=False)
class _Pending:
    """A record that failed, and what of it is written."""

    record: Record
    ledger: PartitionLedger
    kind: str
    """Of the error."""
    then: Callable[[], None]
    """What may be done when all is written."""
    is_marked: bool
    is_confirmed: bool = False


class Rejects:
    """Holds a failed record's offset open until its dead letter and its row's mark are written.

    The queue returns the very letters that it was given: positions may repeat after a rewind.
    """

    def __init__(
        self,
        queue: DeadLetterQueue | None,
        counters: Counters,
        marking: Marking,
        net: Net,
        clock: Clock | None = None,
    ) -> None:
        self._queue = queue
        self._counters = counters
        self._marking = marking
        self._net = net
        self._clock = clock or SystemClock()
        self._quiet = QuietLog(_log, self._clock)
        self._pending: dict[int, _Pending] = {}
        self._bytes = 0

    @property
    def rows(self) -> int:
        """Letters that are on their way."""
        return len(self._pending)

    @property
    def bytes(self) -> int:
        """Bytes of their records."""
        return self._bytes

    def reject(
        self,
        record: Record,
        ledger: PartitionLedger,
        error: RecordError,
        key: Key | None,
        origin: Origin = _UNREAD,
    ) -> None:
        """Send a record to the dead-letter topic, and mark its row; no key: nobody knows which.

        Raises:
            FatalError: there is none (``errors.tolerance`` is ``none``), or too many have failed.
        """
        if self._queue is None:
            raise FatalError(
                f"record {record.topic}[{record.partition}]@{record.offset}: {error} "
                f"({error.kind}). The task stops at the first bad record; with "
                "errors.tolerance=all it sends such records to a dead-letter topic and goes on"
            ) from error
        self._net.take(error, self._counters.finished + self.rows)
        if record in ledger.lettered:
            self._repeat(record, ledger, error, key)
            return
        self._announce(record, error)
        self.put_back(record, ledger, error, key, origin, then=lambda: self._end(record, ledger))

    def _repeat(
        self, record: Record, ledger: PartitionLedger, error: RecordError, key: Key | None
    ) -> None:
        """Its last owner has sent the letter; the mark is made again, as his may be forgiven."""
        pending = _Pending(
            record,
            ledger,
            error.kind,
            then=lambda: self._end(record, ledger),
            is_marked=key is None,
            is_confirmed=True,
        )
        self._await(pending, key)
        self._finish(pending)

    def _announce(self, record: Record, error: RecordError) -> None:
        """The dead-letter topic has all of them; the log is where people look first."""
        self._quiet.warn(
            (record.topic, error.kind),
            "Record %s[%d]@%d goes to the dead-letter topic: %s (%s). More like it are in "
            "`vecsink dlq list`, and named here every %d s at most.",
            record.topic, record.partition, record.offset, error, error.kind, QuietLog.EVERY_S,
        )  # fmt: skip

    def put_back(  # noqa: PLR0913 - a failure has that many parts
        self,
        record: Record,
        ledger: PartitionLedger,
        error: RecordError,
        key: Key | None,
        origin: Origin,
        *,
        then: Callable[[], None],
    ) -> None:
        """The same for a dead letter that failed again; its offset was finished long ago.

        ``then`` is called when the new letter and the mark are written.
        """
        if self._queue is None:
            raise AssertionError("without a dead-letter topic nothing is replayed")
        letter = DeadLetter(record, error, error.attempts, origin, self._clock.unix_ms())
        self._await(_Pending(record, ledger, error.kind, then, key is None), key)
        self._queue.send(letter)

    def _await(self, pending: _Pending, key: Key | None) -> None:
        self._pending[id(pending.record)] = pending
        self._bytes += pending.record.size
        if key is not None:
            self._marking.begin(pending.record, key)

    def forgive(self, change: Change, outcome: Outcome, began_at: Position) -> None:
        """A change had this outcome: if the index is as it says, its row is not marked any more."""
        if self._queue is not None:
            self._marking.forgive(change, outcome, began_at)

    def settle(self) -> None:
        """Finish the offsets of what was written since the last call.

        Raises:
            WorkerError: it cannot be written.
        """
        if self._queue is None or not self._pending:
            return
        for record in self._marking.kept():
            pending = self._pending[id(record)]
            pending.is_marked = True
            self._finish(pending)
        for letter in self._queue.confirmed():
            pending = self._pending[id(letter.record)]
            pending.is_confirmed = True
            self._counters.dead_letters[pending.kind] += 1
            self._finish(pending)

    def _finish(self, pending: _Pending) -> None:
        if not (pending.is_marked and pending.is_confirmed):
            return
        record = pending.record
        del self._pending[id(record)]
        self._bytes -= record.size
        pending.then()

    def _end(self, record: Record, ledger: PartitionLedger) -> None:
        ledger.lettered.add(record)
        ledger.finish(record.offset)
        self._counters.outcomes[Outcome.DEAD_LETTERED] += 1

    def holds(self, partitions: Collection[TopicPartition]) -> bool:
        """Whether a letter of one of these partitions is unconfirmed."""
        return any(one.ledger.partition in partitions for one in self._pending.values())

    def close(self, timeout_s: float) -> None:
        """Let go of the queue, and let threads end."""
        self._marking.close()
        if self._queue is not None:
            self._queue.close(timeout_s)
