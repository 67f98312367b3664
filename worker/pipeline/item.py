"""The rows of a batch on their way, and how the batch ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.model import Point
from worker.telemetry.bill import Bill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.errors import RecordError
    from worker.flow.entry import Work
    from worker.flow.ledger import PartitionLedger
    from worker.model import Change, Chunk, Document, Outcome, Vector
    from worker.pipeline.held import Held
    from worker.pipeline.known import Address


@dataclass(slots=True, eq=False)
class Cut:
    """The chunks that a row gets."""

    chunks: Sequence[Chunk]
    vectors: list[Vector | None]
    """As far as they are there."""

    def lacking(self) -> Sequence[tuple[int, str]]:
        """Numbers and texts of those without a vector."""
        return [
            (number, chunk.text)
            for number, (chunk, vector) in enumerate(zip(self.chunks, self.vectors, strict=True))
            if vector is None
        ]

    @property
    def first_if_whole(self) -> Vector | None:
        """The first one's vector; None as long as one has none."""
        return None if any(vector is None for vector in self.vectors) else self.vectors[0]

    @property
    def first(self) -> Point:
        """The point that stands for the row, once all have their vectors."""
        return self._point(0)

    @property
    def others(self) -> Sequence[Point]:
        """The other points, in order."""
        return [self._point(number) for number in range(1, len(self.chunks))]

    def _point(self, number: int) -> Point:
        chunk, vector = self.chunks[number], self.vectors[number]
        if vector is None:
            raise AssertionError("a row whose chunks lack vectors is not written")
        return Point(chunk.id, vector, chunk.metadata, chunk.stamp)


@dataclass(slots=True, eq=False)
class Item:
    """One row on its way through the batch."""

    work: Work
    change: Change
    """The work's; completed with columns that the source database was asked for."""
    ledger: PartitionLedger
    """Of the partition that it came from."""
    address: Address = ("", "")
    is_cut: bool = False
    """Whether its points are chunks."""
    former: Address | None = None
    """Where its point was before its key changed."""
    document: Document | None = None
    is_partial: bool = False
    """Whether the document has to wait for what the index holds."""
    known: Held | None = None
    settles_at_s: float = 0.0
    """From when on a fetch shows what was written there before."""
    shows_inherited: bool = False
    """Whether a fetch shows what others wrote there before the partition came."""
    is_fetched: bool = False
    """Whether what is known was not enough, so that the store was asked."""
    stored: Point | None = None
    """As fetched; of a row in chunks the first of them."""
    chunks_held: int = 0
    """At most so many chunks of it are in the index."""
    is_doubted: bool = False
    """Whether its first chunk is as it should be, but a late write may have changed the others."""
    pieces: Sequence[Point] = ()
    """The other chunks of ``stored``, as far as they are needed."""
    moved: Point | None = None
    """The point under its old key, or where that was parked."""
    truncated: Point | None = None
    """What stood under its id before the table was truncated; good for its vector alone."""
    moved_truncated: Point | None = None
    """The same of its old key."""
    moved_pieces: Sequence[Point] = ()
    """The other chunks of ``moved``."""
    onward: Sequence[Address] = ()
    """Where the row goes later on, as far as that is known."""
    ahead: Mapping[Address, Point] = field(default_factory=dict)
    """What stands there: after a rewind the row itself, whose vectors are good for its text."""
    pieces_ahead: Sequence[Point] = ()
    """The other chunks of ``ahead``."""
    doubtful: Point | None = None
    """What left its old key, though the source made it later: so it may be another row's. It
    completes what nothing overtakes."""
    displaced: Point | None = None
    """What stands under its id and was made later in the source: that will be sent again."""
    aside: Point | None = None
    """What was put aside when that happened to its row before."""
    lacks_aside: bool = False
    """Whether this worker has put something aside there that the store does not show."""
    aside_pieces: Sequence[Point] = ()
    """The other chunks of ``aside``."""
    is_parked: bool = False
    is_overtaken: bool = False
    """Whether a newer row stands under its old key: nobody will park its point any more."""
    leaves_vector: bool = False
    """Whether its point has to be parked before it is deleted, as the row's key has changed."""
    cut: Cut | None = None
    """What its text is cut into; None for a text that stays whole."""
    vector: Vector | None = None
    """Of its point; of a row in chunks that of the first, as soon as all have theirs."""
    is_reused: bool = False
    unfinished: Point | None = None
    """What stands in the place of its first chunk while the others are written."""
    outcome: Outcome | RecordError | None = None
    gives_way_s: float | None = None
    """Since when nobody can complete it, while what says the whole row is still to be read."""
    look_again_s: float | None = None
    """When to come again, as the store does not show yet what is needed."""
    unpaid_tokens: int = 0
    """What its text may cost, if the day's budget does not cover it."""

    def lacking(self) -> Sequence[tuple[int, str]]:
        """The texts that have to be embedded now, each with the number of its chunk."""
        if self.document is None or self.vector is not None or self.look_again_s is not None:
            return ()
        return ((0, self.document.text),) if self.cut is None else self.cut.lacking()

    def take(self, number: int, vector: Vector) -> None:
        """The vector of a chunk, or with number 0 of the text that stays whole."""
        if self.cut is None:
            self.vector = vector
            return
        self.cut.vectors[number] = vector
        self.vector = self.cut.first_if_whole

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
