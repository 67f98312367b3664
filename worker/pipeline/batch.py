"""One batch, from changes to outcomes: document, look, judge, embed, write.

Runs in a pool thread and shares nothing with other batches but its ports.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from worker.errors import RecordError
from worker.pipeline.caller import Errand
from worker.pipeline.completion import Completion
from worker.pipeline.item import Item, Report, still_open, table_of
from worker.pipeline.judge import Judge
from worker.pipeline.known import Known
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.lookup import Lookup
from worker.pipeline.parking import Parking
from worker.pipeline.patience import Interrupted
from worker.pipeline.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from worker.clock import Clock
    from worker.flow.backlog import Work
    from worker.flow.ledger import PartitionLedger
    from worker.marks.port import Marks, Watermarks
    from worker.model import Change, Document, Point
    from worker.pipeline.embedding import Embedding
    from worker.pipeline.known import Address
    from worker.pipeline.lease import Lease
    from worker.pipeline.model_guard import ModelGuard
    from worker.pipeline.patience import Patience
    from worker.pipeline.texts import Embedded
    from worker.reselect.port import Reselector
    from worker.store.port import Store


class Documents(Protocol):
    """What a batch needs of the document step."""

    def is_partial(self, change: Change) -> bool:
        """Whether a column that the document is made of was not sent."""
        ...

    def lacking(self, change: Change) -> frozenset[str]:
        """Those columns."""
        ...

    def build(self, change: Change, stored: Point | None = None) -> Document | None:
        """The document of a row; None if the row has no place in the index.

        ``stored`` is what the index holds of it, from which a partial change is completed.

        Raises:
            RecordError: the row cannot become one.
        """
        ...

    def target(self, change: Change) -> tuple[str, str]:
        """Namespace and id of a row's point, also for a row that is gone."""
        ...

    def former(self, change: Change) -> tuple[str, str] | None:
        """The same of its old key; None if the change is not the create of a key change."""
        ...


@dataclass(frozen=True, slots=True)
class BatchRunner:
    """Runs batches; its ``run`` is called from several threads at once."""

    documents: Documents
    embedding: Embedding
    lookup: Lookup
    judge: Judge
    completion: Completion
    writing: Writing
    lease: Lease
    patience: Patience
    clock: Clock

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
    ) -> Self:
        """Put the steps together for one task."""
        settle_s = store.capabilities.settle_s
        known = Known(clock, settle_s=settle_s, most_rows=cached_rows)
        parking = Parking(store)
        lookup = Lookup(store, guard, known, parking, watermarks, patience)
        return cls(
            documents=documents,
            embedding=embedding,
            lookup=lookup,
            judge=Judge(documents, lookup, watermarks, marks, patience, settle_s),
            completion=Completion(documents, reselector, patience),
            writing=Writing(store, known, parking, lease, patience),
            lease=lease,
            patience=patience,
            clock=clock,
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
        report = Report(self.decided(batch))
        self._embed(report)
        self.writing.write([item for item in still_open(report.items) if item.is_ready])
        return report

    def decided(self, batch: Sequence[Work]) -> Sequence[Item]:
        """What becomes of these changes by what the index holds; nothing is embedded or written.

        Raises:
            Interrupted, FatalError: as ``run``.
        """
        items = [Item(work, work.change) for work in batch]
        _each(items, self._address)
        looked_s = self.clock.now_s()
        self.lookup.look(still_open(items))
        _each(still_open(items), lambda item: self.judge.judge(item, looked_s))
        completed = self.completion.complete(items)
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
            item.address = document.namespace, document.id

    def _embed(self, report: Report) -> None:
        wanted: dict[str, list[Item]] = defaultdict(list)
        for item in still_open(report.items):
            if item.document is not None and item.lacks_vector and item.work.is_ours:
                wanted[item.document.text].append(item)
        if not wanted:
            return
        errand = Errand(self.patience, lambda: self._expect_ours(wanted))
        tables = [table_of(items[0].change) for items in wanted.values()]
        embedded = self.embedding(list(wanted), tables, errand)
        report.bill, report.tokens_by_table = embedded.bill, embedded.tokens_by_table
        report.texts_by_table = embedded.texts_by_table
        if not isinstance(embedded.failure, LeaseExpired | Interrupted):
            report.failure = embedded.failure
        for index, sharing in enumerate(wanted.values()):
            for item in sharing:
                _receive(item, embedded, index)

    def _expect_ours(self, wanted: Mapping[str, Sequence[Item]]) -> None:
        self.lease.check()
        if not any(item.work.is_ours for items in wanted.values() for item in items):
            raise LeaseExpired


def _each(items: Iterable[Item], step: Callable[[Item], None]) -> None:
    for item in items:
        try:
            step(item)
        except RecordError as error:
            item.outcome = error


def _receive(item: Item, embedded: Embedded, index: int) -> None:
    item.vector = embedded.vectors[index]
    item.outcome = embedded.refused.get(index)
    item.unpaid_tokens = embedded.unpaid.get(index, 0)
