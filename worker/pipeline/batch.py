"""One batch, from changes to outcomes: document, fetch, decide, embed, write.

Runs in a pool thread and shares nothing with other batches but its ports.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from worker.errors import RecordError
from worker.model import Outcome, Point
from worker.pipeline.caller import Errand
from worker.pipeline.decide import Decision, decide, is_stale
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.patience import Interrupted
from worker.store.port import Deletion
from worker.telemetry.bill import Bill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from worker.flow.backlog import Work
    from worker.model import Change, Document, Vector
    from worker.pipeline.embedding import Embedding
    from worker.pipeline.lease import Lease
    from worker.pipeline.model_guard import ModelGuard
    from worker.pipeline.patience import Patience
    from worker.pipeline.texts import Embedded
    from worker.store.port import Store


_NOTHING_TO_WRITE = {
    Decision.STALE: Outcome.STALE,
    Decision.UNCHANGED: Outcome.UNCHANGED,
}

StoreCall: TypeAlias = "Callable[[Sequence[Item]], Mapping[str, RecordError]]"
"""Writes items in one call of the store; the answer says which ids it refused."""


class Documents(Protocol):
    """What a batch needs of the document step."""

    def build(self, change: Change) -> Document | None:
        """The document of a row; None if the row has no place in the index.

        Raises:
            RecordError: the row cannot become one.
        """
        ...

    def target(self, change: Change) -> tuple[str, str]:
        """Namespace and id of a row's point, also for a row that is gone."""
        ...


@dataclass(slots=True, eq=False)
class Item:
    """One row on its way through the batch."""

    work: Work
    namespace: str = ""
    id: str = ""
    document: Document | None = None
    stored: Point | None = None
    vector: Vector | None = None
    outcome: Outcome | RecordError | None = None
    unpaid_tokens: int = 0
    """What its text may cost, if the day's budget does not cover it."""


@dataclass(slots=True, eq=False)
class Report:
    """How a batch ended. Items without an outcome have to come again."""

    items: Sequence[Item]
    bill: Bill = field(default_factory=Bill)
    tokens_by_table: Counter[str] = field(default_factory=Counter)
    """The bill's tokens, divided by size of the texts."""
    failure: BaseException | None = None
    """What has to end the task, after the items that have an outcome are settled."""


@dataclass(frozen=True, slots=True)
class BatchRunner:
    """Runs batches; its ``run`` is called from several threads at once."""

    documents: Documents
    embedding: Embedding
    store: Store
    guard: ModelGuard
    lease: Lease
    patience: Patience

    def run(self, batch: Sequence[Work]) -> Report:
        """Bring the index to the state of these changes.

        Raises:
            Interrupted, LeaseExpired: nothing is decided, the work has to come again.
            FatalError: every record would fail.
        """
        report = Report([Item(work) for work in batch])
        self._each(report.items, self._address)
        self._fetch(_open(report.items))
        self._each(_open(report.items), self._judge)
        self._embed(report)
        self._write([item for item in _open(report.items) if _is_ready(item)])
        return report

    def _each(self, items: Iterable[Item], step: Callable[[Item], None]) -> None:
        for item in items:
            try:
                step(item)
            except RecordError as error:
                item.outcome = error

    def _address(self, item: Item) -> None:
        change = item.work.change
        item.document = None if change.op.removes else self.documents.build(change)
        if item.document is None:
            item.namespace, item.id = self.documents.target(change)
        else:
            item.namespace, item.id = item.document.namespace, item.document.id

    def _fetch(self, items: Sequence[Item]) -> None:
        for namespace, group in _by_namespace(items).items():
            self.patience("looking at the namespace", lambda ns=namespace: self.guard.check(ns))  # type: ignore[misc]
            ids = [item.id for item in group]
            stored = self.patience(
                "fetching from the store",
                lambda ns=namespace, ids=ids: self.store.fetch(ns, ids),  # type: ignore[misc]
            )
            for item in group:
                item.stored = stored.get(item.id)

    def _judge(self, item: Item) -> None:
        if item.stored is None:
            return
        self.guard.compare(item.namespace, item.stored)
        if item.document is None:
            if is_stale(item.work.change, item.stored):
                item.outcome = Outcome.STALE
            return
        decision = decide(item.document, item.work.change, item.stored)
        item.outcome = _NOTHING_TO_WRITE.get(decision)
        if decision is Decision.REUSE:
            item.vector = item.stored.vector

    def _embed(self, report: Report) -> None:
        wanted: dict[str, list[Item]] = defaultdict(list)
        for item in _open(report.items):
            if item.document is not None and item.vector is None and item.work.is_ours:
                wanted[item.document.text].append(item)
        if not wanted:
            return
        errand = Errand(self.patience, lambda: self._expect_ours(wanted))
        tables = [_table(items[0]) for items in wanted.values()]
        embedded = self.embedding(list(wanted), tables, errand)
        report.bill, report.tokens_by_table = embedded.bill, embedded.tokens_by_table
        if not isinstance(embedded.failure, LeaseExpired | Interrupted):
            report.failure = embedded.failure
        for index, items in enumerate(wanted.values()):
            for item in items:
                _receive(item, embedded, index)

    def _expect_ours(self, wanted: Mapping[str, Sequence[Item]]) -> None:
        self.lease.check()
        if not any(item.work.is_ours for items in wanted.values() for item in items):
            raise LeaseExpired

    def _write(self, items: Sequence[Item]) -> None:
        for namespace, group in _by_namespace(items).items():
            upserts = [item for item in group if item.document is not None]
            removals = [item for item in group if item.document is None]
            try:
                self._send(upserts, "writing to the store", self._upsert(namespace))
                self._send(removals, "deleting from the store", self._delete(namespace))
            except (LeaseExpired, Interrupted):
                continue  # these items come again; what was written keeps its outcome

    def _send(self, items: Sequence[Item], what: str, call: StoreCall) -> None:
        """Write what is still ours at that moment, asked anew at each try."""
        sent: list[Item] = []

        def attempt() -> Mapping[str, RecordError]:
            self.lease.check()
            sent[:] = [item for item in items if item.work.is_ours]
            return call(sent) if sent else {}

        refused = self.patience(what, attempt) if items else {}
        for item in sent:
            item.outcome = refused.get(item.id) or _done(item)

    def _upsert(self, namespace: str) -> StoreCall:
        def call(items: Sequence[Item]) -> Mapping[str, RecordError]:
            points = {item.id: _point(item) for item in items}
            return self.store.upsert(namespace, list(points.values()))

        return call

    def _delete(self, namespace: str) -> StoreCall:
        def call(items: Sequence[Item]) -> Mapping[str, RecordError]:
            gone = {item.id: Deletion(item.id, item.work.change.position) for item in items}
            return self.store.delete(namespace, list(gone.values()))

        return call


def _done(item: Item) -> Outcome:
    """How an item ended whose write the store took."""
    if item.document is None:
        return Outcome.DELETED if item.work.change.op.removes else Outcome.FILTERED
    reused = item.stored is not None and item.vector is item.stored.vector
    return Outcome.REUSED if reused else Outcome.WRITTEN


def _receive(item: Item, embedded: Embedded, index: int) -> None:
    item.vector = embedded.vectors[index]
    item.outcome = embedded.refused.get(index)
    item.unpaid_tokens = embedded.unpaid.get(index, 0)


def _is_ready(item: Item) -> bool:
    """Whether there is something to write: a point with its vector, or a point that goes."""
    return item.document is None or item.vector is not None


def _table(item: Item) -> str:
    change = item.work.change
    return change.origin.table or change.record.topic


def _open(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.outcome is None]


def _by_namespace(items: Sequence[Item]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.namespace].append(item)
    return groups


def _point(item: Item) -> Point:
    document, vector = item.document, item.vector
    if document is None or vector is None:
        raise AssertionError("a row without document or vector is not upserted")
    return Point(document.id, vector, document.metadata, document.stamp)
