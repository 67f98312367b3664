"""One batch, from changes to outcomes: document, look, judge, embed, write.

Runs in a pool thread and shares nothing with other batches but its ports.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from worker.document.identity import is_chunk
from worker.errors import RecordError
from worker.immutable import immutable
from worker.pipeline.chunk_lookup import ChunkLookup
from worker.pipeline.chunk_writing import ChunkWriting
from worker.pipeline.completion import Completion
from worker.pipeline.cutting import Size
from worker.pipeline.errand import Errand
from worker.pipeline.inherited import Inherited
from worker.pipeline.item import Item, Report, still_open, table_of
from worker.pipeline.judge import Judge
from worker.pipeline.known import Known
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.lookup import Lookup
from worker.pipeline.other_half import OtherHalf
from worker.pipeline.parking import Parking
from worker.pipeline.patience import Interrupted
from worker.pipeline.pieces import Pieces
from worker.pipeline.writing import Writing
from worker.telemetry.spans import NO_SPANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from worker.clock import Clock
    from worker.flow.entry import Work
    from worker.flow.ledger import PartitionLedger
    from worker.marks.port import Marks, Watermarks
    from worker.model import Record
    from worker.pipeline.documents import Documents
    from worker.pipeline.embedding import Embedding
    from worker.pipeline.heads import Heads
    from worker.pipeline.known import Address
    from worker.pipeline.later import LaterRecords
    from worker.pipeline.lease import Lease
    from worker.pipeline.model_guard import ModelGuard
    from worker.pipeline.patience import Patience
    from worker.pipeline.texts import Embedded
    from worker.reselect.port import Reselector
    from worker.store.port import Store
    from worker.telemetry.spans import BatchSpans


@immutable
class BatchRunner:
    """Runs batches; its ``run`` is called from several threads at once."""

    documents: Documents
    embedding: Embedding
    lookup: Lookup
    judge: Judge
    completion: Completion
    pieces: Pieces
    writing: Writing
    lease: Lease
    patience: Patience
    clock: Clock
    spans: BatchSpans

    @classmethod
    def of(  # noqa: PLR0913 - the composition root passes everything in once
        cls,
        *,
        documents: Documents,
        embedding: Embedding,
        store: Store,
        guard: ModelGuard,
        lease: Lease,
        patience: Patience,
        clock: Clock,
        cached_rows: int,
        watermarks: Watermarks,
        marks: Marks,
        reselector: Reselector | None = None,
        later: LaterRecords | None = None,
        heads: Heads | None = None,
        spans: BatchSpans = NO_SPANS,
    ) -> Self:
        """Put the steps together for one task."""
        can = store.capabilities
        settle_s = can.settle_s
        known = Known(clock, settle_s=settle_s, most_rows=cached_rows)
        parking = Parking(store)
        inherited = Inherited(store.write_log, patience, clock, settle_s)
        lookup = Lookup(store, guard, known, parking, watermarks, patience, inherited, can.guarded)
        half = OtherHalf(settle_s, clock, heads)
        return cls(
            documents=documents,
            embedding=embedding,
            lookup=lookup,
            judge=Judge(documents, lookup, watermarks, marks, patience, settle_s, half),
            completion=Completion(documents, reselector, patience, later),
            pieces=Pieces(documents, ChunkLookup(lookup), settle_s),
            writing=Writing(
                store=store,
                known=known,
                parking=parking,
                chunks=ChunkWriting(store, known, lease, patience.to_the_end, can.guarded),
                lease=lease,
                patience=patience.to_the_end,
                is_guarded=can.guarded,
            ),
            lease=lease,
            patience=patience,
            clock=clock,
            spans=spans,
        )

    def forget(self, ledger: PartitionLedger, address: Address) -> None:
        """Trust nothing that is remembered of a point; any thread may say so."""
        self.lookup.known.forget(ledger, address)

    def run(self, batch: Sequence[Work]) -> Report:
        """Bring the index to the state of these changes.

        Raises:
            Interrupted, LeaseExpired: nothing is decided, the work has to come again.
            FatalError: every record would fail.
        """
        with self.spans(len(batch), lambda: _records(batch)):
            return self._run(batch)

    def _run(self, batch: Sequence[Work]) -> Report:
        report = Report(self.decided(batch))
        for part in self.pieces.rounds(still_open(report.items)):
            try:
                self.pieces.look(part, self.clock.now_s())
            except Interrupted:
                break  # what was done for other rows keeps its outcome
            has_ended = self._embed(still_open(part), report)
            self.writing.write([item for item in still_open(part) if item.is_ready])
            if not has_ended:
                break
        return report

    def decided(self, batch: Sequence[Work]) -> Sequence[Item]:
        """What becomes of these changes by what the index holds; nothing is embedded or written.

        Raises:
            Interrupted, FatalError: as ``run``.
        """
        items = [Item(work, work.change, work.newest.ledger) for work in batch]
        _each(items, self._address)
        looked_s = self.clock.now_s()
        self.lookup.look(still_open(items))
        _each(still_open(items), lambda item: self.judge.judge(item, looked_s))
        completed = self.completion.complete(items, looked_s)
        _each(completed, lambda item: self.judge.compare(item, looked_s))
        return items

    def _address(self, item: Item) -> None:
        change, documents = item.change, self.documents
        item.former = documents.former(change)
        item.is_partial = not change.op.removes and documents.is_partial(change)
        if not (change.op.removes or item.is_partial):
            item.document = documents.build(change)
        document = item.document
        if document is None:
            item.address = documents.target(change)
        else:
            item.address = document.namespace, documents.head(document.id)
            item.onward = [documents.target(replace(change, key=key)) for key in item.work.goes_to]
        item.is_cut = is_chunk(item.address[1])

    def _embed(self, items: Iterable[Item], report: Report) -> bool:
        """Whether the answers are complete, so that more may be asked."""
        wanted: dict[str, list[tuple[Item, int]]] = defaultdict(list)
        for item in self._affordable(items):
            for number, text in item.lacking():
                wanted[text].append((item, number))
        if not wanted:
            return True
        errand = Errand(
            self.patience, lambda: self._expect_ours(wanted), is_late=lambda: _is_late(wanted)
        )
        tables = [table_of(sharing[0][0].change) for sharing in wanted.values()]
        embedded = self.embedding(list(wanted), tables, errand)
        report.bill += embedded.bill
        report.tokens_by_table.update(embedded.tokens_by_table)
        report.texts_by_table.update(embedded.texts_by_table)
        if not isinstance(embedded.failure, LeaseExpired | Interrupted):
            report.failure = embedded.failure
        for index, sharing in enumerate(wanted.values()):
            for item, number in sharing:
                _receive(item, number, embedded, index)
        return embedded.failure is None

    def _affordable(self, items: Iterable[Item]) -> Iterator[Item]:
        """Ours, without those of whose chunks the day's budget covers a part only."""
        left = math.inf
        for item in items:
            if not item.work.is_ours:
                continue
            if item.cut is not None:
                left = min(left, self.embedding.budget_left)
                needs = sum(Size.of(text).most_tokens for _, text in item.lacking())
                if needs > left:
                    item.unpaid_tokens = needs
                    continue
                left -= needs
            yield item

    def _expect_ours(self, wanted: Mapping[str, Sequence[tuple[Item, int]]]) -> None:
        """Once a partition is being given up no call waits, so what was answered is written yet."""
        self.lease.check()
        items = [item for sharing in wanted.values() for item, _ in sharing]
        if any(item.ledger.is_going for item in items):
            raise LeaseExpired
        if not any(item.work.is_ours for item in items):
            raise LeaseExpired


def _records(batch: Sequence[Work]) -> Iterator[Record]:
    for work in batch:
        for entry in tuple(work.entries):  # older ones may join meanwhile
            yield entry.change.record


def _is_late(wanted: Mapping[str, Sequence[tuple[Item, int]]]) -> bool:
    return any(item.ledger.is_late for sharing in wanted.values() for item, _ in sharing)


def _each(items: Iterable[Item], step: Callable[[Item], None]) -> None:
    for item in items:
        try:
            step(item)
        except RecordError as error:
            item.outcome = error


def _receive(item: Item, number: int, embedded: Embedded, index: int) -> None:
    """What became of one text; of several chunks each has to pass."""
    vector = embedded.vectors[index]
    if vector is not None:
        item.take(number, vector)
    item.outcome = item.outcome or embedded.refused.get(index)
    item.unpaid_tokens += embedded.unpaid.get(index, 0)
