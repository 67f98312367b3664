"""Records that failed for good: to the dead-letter topic, or the end of the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.dlq.port import DeadLetter
from worker.errors import FatalError
from worker.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.dlq.port import DeadLetterQueue
    from worker.errors import RecordError
    from worker.flow.ledger import PartitionLedger
    from worker.model import Record, TopicPartition
    from worker.telemetry.counters import Counters


class Rejects:
    """Holds a failed record's offset open until the broker has confirmed its dead letter.

    The queue returns the very letters that it was given: positions may repeat after a rewind.
    """

    def __init__(self, queue: DeadLetterQueue | None, counters: Counters) -> None:
        self._queue = queue
        self._counters = counters
        self._pending: dict[int, tuple[Record, PartitionLedger]] = {}
        self._bytes = 0

    @property
    def rows(self) -> int:
        """Letters that the broker has not confirmed."""
        return len(self._pending)

    @property
    def bytes(self) -> int:
        """Bytes of their records."""
        return self._bytes

    def reject(self, record: Record, ledger: PartitionLedger, error: RecordError) -> None:
        """Send a record to the dead-letter topic.

        Raises:
            FatalError: there is none (``errors.tolerance`` is ``none``).
        """
        if self._queue is None:
            raise FatalError(
                f"record {record.topic}[{record.partition}]@{record.offset}: {error} "
                f"({error.kind}). The task stops at the first bad record; with "
                "errors.tolerance=all it sends such records to a dead-letter topic and goes on"
            ) from error
        letter = DeadLetter(record, error)
        self._pending[id(record)] = (record, ledger)
        self._bytes += record.size
        self._queue.send(letter)

    def settle(self) -> None:
        """Finish the offsets of what the broker confirmed since the last call."""
        if self._queue is None or not self._pending:
            return
        for letter in self._queue.confirmed():
            record, ledger = self._pending.pop(id(letter.record))
            self._bytes -= record.size
            ledger.finish(record.offset)
            self._counters.outcomes[Outcome.DEAD_LETTERED] += 1
            self._counters.dead_letters[letter.error.kind] += 1

    def holds(self, partitions: Collection[TopicPartition]) -> bool:
        """Whether a letter of one of these partitions is unconfirmed."""
        return any(ledger.partition in partitions for _, ledger in self._pending.values())

    def close(self, timeout_s: float) -> None:
        """Let go of the queue."""
        if self._queue is not None:
            self._queue.close(timeout_s)
