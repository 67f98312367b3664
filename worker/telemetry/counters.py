"""What a task has done so far, as plain numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from worker.telemetry.bill import Bill
from worker.telemetry.freshness import Freshness
from worker.telemetry.spread import Spread

if TYPE_CHECKING:
    from worker.model import Outcome

FILL_BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(slots=True)
class Counters:
    """Written by the task's thread alone; others read it by ``merged``, a moment late at worst."""

    records: int = 0
    """Records received."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    """Records finished, by how they ended."""
    not_rows: Counter[str] = field(default_factory=Counter)
    """Filtered records that were no row changes, by kind."""
    batches: int = 0
    fill: Spread = field(default_factory=lambda: Spread(FILL_BOUNDS))
    """Of batches that went out: rows, as part of the rows that one may have."""
    bill: Bill = field(default_factory=Bill)
    """What the embedder's calls came to."""
    tokens_by_table: Counter[str] = field(default_factory=Counter)
    """Its tokens, by the tables that the texts came from."""
    texts_by_table: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    """Records that the dead-letter topic has, by kind of error."""
    replays: Counter[str] = field(default_factory=Counter)
    """Dead letters that were asked for, by what became of them."""
    dropped_metadata: Counter[str] = field(default_factory=Counter)
    """Rows written without a field that did not fit, by its name."""
    freshness: Freshness = field(default_factory=Freshness)
    rebalances: int = 0
    second_looks: int = 0
    """Partitions whose rows were compared with the index again, as their last worker had not left
    in order."""
    compared_again: int = 0
    """Those rows."""
    repaired: int = 0
    """Those of them that the index no longer held as they had been written."""

    @property
    def finished(self) -> int:
        """Records that had their outcome."""
        return self.outcomes.total()

    def merged(self, other: Counters) -> Counters:
        """The sum of both, as a new object; any thread may ask."""
        return Counters(
            records=self.records + other.records,
            outcomes=_snapshot(self.outcomes) + _snapshot(other.outcomes),
            not_rows=_snapshot(self.not_rows) + _snapshot(other.not_rows),
            batches=self.batches + other.batches,
            fill=self.fill.merged(other.fill),
            bill=self.bill + other.bill,
            tokens_by_table=_snapshot(self.tokens_by_table) + _snapshot(other.tokens_by_table),
            texts_by_table=_snapshot(self.texts_by_table) + _snapshot(other.texts_by_table),
            dead_letters=_snapshot(self.dead_letters) + _snapshot(other.dead_letters),
            replays=_snapshot(self.replays) + _snapshot(other.replays),
            dropped_metadata=_snapshot(self.dropped_metadata) + _snapshot(other.dropped_metadata),
            freshness=self.freshness.merged(other.freshness),
            rebalances=self.rebalances + other.rebalances,
            second_looks=self.second_looks + other.second_looks,
            compared_again=self.compared_again + other.compared_again,
            repaired=self.repaired + other.repaired,
        )


T = TypeVar("T")


def _snapshot(counted: Counter[T]) -> Counter[T]:
    # dict() copies in one step, while adding up would trip over a key that comes in between.
    return Counter(dict(counted))
