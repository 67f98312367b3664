"""Records to the batches that a task would make of them while its backlog is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.decode.port import NotARow, SchemaNeeded
from worker.errors import RecordError
from worker.estimate.tally import Ending
from worker.flow.backlog import Backlog
from worker.flow.entry import Entry
from worker.flow.ledger import PartitionLedger
from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from worker.decode.port import Decoder
    from worker.estimate.stored import Waiting
    from worker.estimate.tally import Tally
    from worker.flow.batching import BatchPolicy, BufferLimits
    from worker.flow.entry import Work
    from worker.model import Change, Record


class Intake:
    """The task's own backlog decides which changes become one, and which rows share a batch."""

    def __init__(
        self,
        decoder: Decoder,
        waiting: Waiting,
        tally: Tally,
        batch: BatchPolicy,
        buffer: BufferLimits,
    ) -> None:
        self._decoder = decoder
        self._waiting = waiting
        self._tally = tally
        self._batch = batch
        self._buffer = buffer
        self._backlog = Backlog()
        self._ledgers: dict[TopicPartition, PartitionLedger] = {}

    def take(self, records: Iterable[Record]) -> Iterator[Sequence[Work]]:
        """Let records wait; the batches that have to go to make room for them."""
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            ledger = self._ledgers.setdefault(place, PartitionLedger(place))
            change = self._decoded(record, ledger)
            if change is None:
                continue
            self._backlog.add(Entry(change, ledger, 0.0))
            while self._buffer.are_reached(self._backlog.rows, self._backlog.bytes):
                yield self._next()

    def rest(self) -> Iterator[Sequence[Work]]:
        """What still waits, when there is nothing more to read."""
        while self._backlog.rows:
            yield self._next()
        self._ledgers.clear()

    def _next(self) -> Sequence[Work]:
        batch = self._backlog.take(self._batch.max_rows, self._batch.max_bytes)
        for work in batch:
            self._backlog.finish(work)
        return batch

    def _decoded(self, record: Record, ledger: PartitionLedger) -> Change | None:
        while True:
            try:
                decoded = self._decoder.decode(record)
            except SchemaNeeded as needed:
                self._load(needed)
            except RecordError as error:
                ledger.leave_out(record.offset, self._decoder.key(record))
                self._tally.failures[error.kind] += 1
                self._tally.end(Ending.FAILED)
                return None
            else:
                break
        if isinstance(decoded, NotARow):
            self._tally.end(Ending.NOT_A_ROW)
            return None
        return decoded

    def _load(self, needed: SchemaNeeded) -> None:
        what = f"loading schema {needed.schema_id}"
        self._waiting(what, lambda: self._decoder.load(needed))
