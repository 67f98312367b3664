"""The rows of a batch on their way, and how the batch ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.telemetry.bill import Bill

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.errors import RecordError
    from worker.flow.backlog import Work
    from worker.flow.ledger import PartitionLedger
    from worker.model import Change, Document, Outcome, Point, Vector
    from worker.pipeline.known import Address, Entry


@dataclass(slots=True, eq=False)
class Item:
    """One row on its way through the batch."""

    work: Work
    change: Change
    """The work's; completed with columns that the source database was asked for."""
    address: Address = ("", "")
    former: Address | None = None
    """Where its point was before its key changed."""
    document: Document | None = None
    is_partial: bool = False
    """Whether the document has to wait for what the index holds."""
    known: Entry | None = None
    stored: Point | None = None
    """As fetched."""
    moved: Point | None = None
    """The point under its old key, or where that was parked."""
    truncated: Point | None = None
    """What stood under one of its ids before the table was truncated; good for its vector alone."""
    is_parked: bool = False
    is_overtaken: bool = False
    """Whether a newer row stands under its old key: nobody will park its point any more."""
    leaves_vector: bool = False
    """Whether its point has to be parked before it is deleted, as the row's key has changed."""
    vector: Vector | None = None
    is_reused: bool = False
    outcome: Outcome | RecordError | None = None
    look_again_s: float | None = None
    """When to come again, as the store does not show yet what is needed."""
    unpaid_tokens: int = 0
    """What its text may cost, if the day's budget does not cover it."""

    @property
    def ledger(self) -> PartitionLedger:
        """Of the partition that it came from."""
        return self.work.newest.ledger

    @property
    def lacks_vector(self) -> bool:
        """Whether its text has to be embedded now."""
        return self.document is not None and self.vector is None and self.look_again_s is None

    @property
    def is_ready(self) -> bool:
        """Whether there is something to write: a point with its vector, or a point that goes."""
        return self.look_again_s is None and (self.document is None or self.vector is not None)


@dataclass(slots=True, eq=False)
class Report:
    """How a batch ended. Items without an outcome have to come again."""

    items: Sequence[Item]
    bill: Bill = field(default_factory=Bill)
    tokens_by_table: Counter[str] = field(default_factory=Counter)
    """The bill's tokens, divided by size of the texts."""
    texts_by_table: Counter[str] = field(default_factory=Counter)
    """The bill's texts."""
    failure: BaseException | None = None
    """What has to end the task, after the items that have an outcome are settled."""


def table_of(change: Change) -> str:
    """Where a row came from, as people call it."""
    return change.origin.table or change.record.topic


def still_open(items: Iterable[Item]) -> list[Item]:
    """Those without an outcome."""
    return [item for item in items if item.outcome is None]


def by_namespace(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Items by the namespace of their points."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.address[0]].append(item)
    return groups
