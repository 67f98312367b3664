"""Records as they come: into the ledger, decoded, and into the backlog."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from worker.decode.port import NotARow, SchemaNeeded
from worker.errors import RecordError
from worker.flow.entry import Entry
from worker.model import Outcome, TopicPartition
from worker.pipeline.patience import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from worker.clock import Clock
    from worker.decode.port import Decoder
    from worker.flow.backlog import Backlog
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.model import Record
    from worker.pipeline.rejects import Rejects
    from worker.pipeline.schemas import Fetched
    from worker.pipeline.succession import Succession
    from worker.pipeline.truncates import Truncates
    from worker.pipeline.watch import Watch
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)

_TRUNCATE = "truncate"


class _Stall:
    """A partition whose next record needs a schema that is being fetched, or has to wait."""

    def __init__(self, needed: SchemaNeeded | None = None) -> None:
        self.needed = needed
        self.records: deque[tuple[Record, PartitionLedger]] = deque()
        self.bytes = 0

    def add(self, record: Record, ledger: PartitionLedger) -> None:
        self.records.append((record, ledger))
        self.bytes += record.size


class Intake:
    """Turns records into waiting changes; belongs to the task's thread and never blocks."""

    def __init__(  # noqa: PLR0913 - it is where seven parts of the task meet
        self,
        *,
        decoder: Decoder,
        ledger: Ledger,
        backlog: Backlog,
        rejects: Rejects,
        truncates: Truncates,
        succession: Succession,
        watch: Watch,
        counters: Counters,
        clock: Clock,
        request_schema: Callable[[SchemaNeeded], None],
    ) -> None:
        self._decoder = decoder
        self._ledger = ledger
        self._backlog = backlog
        self._rejects = rejects
        self._truncates = truncates
        self._succession = succession
        self._watch = watch
        self._counters = counters
        self._clock = clock
        self._request_schema = request_schema
        self._stalls: dict[TopicPartition, _Stall] = {}

    @property
    def stalled(self) -> Collection[TopicPartition]:
        """Partitions that wait for a schema, or for other partitions."""
        return self._stalls.keys()

    @property
    def rows(self) -> int:
        """Records held by them."""
        return sum(len(stall.records) for stall in self._stalls.values())

    @property
    def bytes(self) -> int:
        """Bytes of those records."""
        return sum(stall.bytes for stall in self._stalls.values())

    def accept(self, records: Iterable[Record]) -> None:
        """Take in what a poll brought; records of partitions that are not held are ignored.

        Raises:
            FatalError: every record would fail.
        """
        now_s = self._clock.now_s()
        ledger: PartitionLedger | None = None
        for record in records:
            if ledger is None or not ledger.is_of(record):
                ledger = self._ledger.get(TopicPartition(record.topic, record.partition))
            if ledger is None:
                continue
            if ledger.goes_back(record.offset):
                ledger = self._begin_again(ledger.partition, record, now_s)
            self._counters.records += 1
            ledger.receive(record.offset)
            stall = self._stalls.get(ledger.partition) if self._stalls else None
            if stall is None:
                self._decode(record, ledger, now_s)
            else:
                stall.add(record, ledger)

    def receive_schemas(self, ended: Iterable[Fetched]) -> None:
        """Go on with the partitions that waited for these.

        Raises:
            WorkerError: one cannot be had.
        """
        for fetched in ended:
            if fetched.error is None:
                self._schema_arrived(fetched.needed)
            elif not isinstance(fetched.error, Interrupted):
                raise fetched.error

    def go_on(self, partitions: Iterable[TopicPartition]) -> None:
        """These need not wait for others any more."""
        for partition in partitions:
            stall = self._stalls.pop(partition, None)
            if stall is not None:
                self._go_on(partition, stall, self._clock.now_s())

    def _schema_arrived(self, needed: SchemaNeeded) -> None:
        now_s = self._clock.now_s()
        served = {
            partition: stall
            for partition, stall in self._stalls.items()
            if _waits_for(stall, needed)
        }
        for partition in served:
            del self._stalls[partition]
        for partition, stall in served.items():
            self._go_on(partition, stall, now_s)

    def drop_lost(self) -> None:
        """Forget what is held for partitions that are gone."""
        for partition in list(self._stalls):
            if self._ledger.get(partition) is None:
                del self._stalls[partition]

    def _go_on(self, partition: TopicPartition, stall: _Stall, now_s: float) -> None:
        while stall.records:
            record, ledger = stall.records.popleft()
            if not ledger.is_open:
                continue
            self._decode(record, ledger, now_s)
            again = self._stalls.get(partition)
            if again is not None:
                for waiting in stall.records:
                    again.add(*waiting)
                return

    def _begin_again(
        self, partition: TopicPartition, record: Record, now_s: float
    ) -> PartitionLedger:
        _log.warning(
            "%s[%d] comes again from offset %d on, as when a topic is made anew; going on there.",
            partition.topic,
            partition.partition,
            record.offset,
        )
        ledger = self._ledger.open(partition)
        ledger.inherited_s = now_s  # from ourselves: what was known of its rows went with the other
        self._stalls.pop(partition, None)
        self._backlog.drop_lost()
        return ledger

    def _decode(self, record: Record, ledger: PartitionLedger, now_s: float) -> None:
        if not self._succession.admits(record, ledger):
            self._stalls[ledger.partition] = stall = _Stall()
            stall.add(record, ledger)
            return
        try:
            decoded = self._decoder.decode(record)
        except SchemaNeeded as needed:
            self._stall(record, ledger, needed)
        except RecordError as error:
            key = self._decoder.key(record)
            ledger.leave_out(record.offset, key)
            self._watch.note_unread(record, key)
            self._rejects.reject(record, ledger, error, key)
        else:
            if isinstance(decoded, NotARow):
                self._skip(record, ledger, decoded)
                return
            if self._watch.rows:
                self._watch.note(decoded)
            if self._truncates.covers(decoded):
                ledger.finish(record.offset)
                self._counters.outcomes[Outcome.STALE] += 1
            else:
                self._backlog.add(Entry(decoded, ledger, now_s))

    def _skip(self, record: Record, ledger: PartitionLedger, decoded: NotARow) -> None:
        self._counters.not_rows[decoded.kind] += 1
        if decoded.kind == _TRUNCATE:
            self._truncates.accept(record, ledger, decoded.origin)
            return
        ledger.finish(record.offset)
        self._counters.outcomes[Outcome.FILTERED] += 1

    def _stall(self, record: Record, ledger: PartitionLedger, needed: SchemaNeeded) -> None:
        asked = any(_waits_for(stall, needed) for stall in self._stalls.values())
        stall = self._stalls[ledger.partition] = _Stall(needed)
        stall.add(record, ledger)
        if not asked:
            self._request_schema(needed)


def _waits_for(stall: _Stall, needed: SchemaNeeded) -> bool:
    return stall.needed is not None and stall.needed.schema_id == needed.schema_id
