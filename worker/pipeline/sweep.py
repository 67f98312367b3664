"""Carries out a truncate in the index: deletes the points of a table that are older than it.

Each task does so for the partitions that it owns, as it alone writes their rows. A point's stamp
says which partition it is of; what came from an earlier topic of that name belongs to partition 0.

Nothing is looked at before every reader of the store sees all that was under way when the truncate
became known. From then on nothing older than it is written any more, so one pass finds all.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable
from worker.store.port import Deletion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from worker.document.place import Place
    from worker.flow.ledger import PartitionLedger
    from worker.marks.truncation import Truncation
    from worker.marks.watermarks import Due, TableWatermarks
    from worker.model import Point
    from worker.pipeline.fence import Fence
    from worker.pipeline.lease import Lease
    from worker.pipeline.patience import Patience

_log = logging.getLogger(__name__)

_PAGE = 500


class Tables(Protocol):
    """What a sweep needs of the document step."""

    def namespace_of(self, place: Place) -> str:
        """Where the points of a table are."""
        ...

    def may_own(self, place: Place, point_id: str) -> bool:
        """Whether the id of a point can be one of the table's."""
        ...


@dataclass(slots=True)
class _Tally:
    """What a sweep found."""

    deleted: int = 0
    undecided: int = 0
    """Points of which nobody can say whether they are older."""
    refused: int = 0


@immutable(eq=False)
class Sweeper:
    """Runs sweeps; its ``run`` is called from several threads at once."""

    tables: Tables
    store: Fence
    watermarks: TableWatermarks
    lease: Lease
    patience: Patience

    def run(self, due: Due, ledgers: Mapping[int, PartitionLedger]) -> None:
        """Sweep these partitions and write down that it was done.

        Raises:
            Interrupted, LeaseExpired: to be done again.
            FatalError: the store refuses everything.
        """
        mark = due.truncation
        sweep = _Sweep(self, mark, ledgers)
        table = mark.key.rpartition("/")[0]
        with self.store.sweeping(sweep.namespace, table, sweep.is_gone) as sweep.number:
            self.patience.pause(self.store.quiet_s)
            if not sweep.owned:
                return
            self.patience("carrying out a truncate", sweep.pass_by)
        sweep.report()
        self.patience("noting a truncate", lambda: self.watermarks.swept(due, sweep.owned))


@dataclass(slots=True, eq=False)
class _Sweep:
    sweeper: Sweeper
    mark: Truncation
    ledgers: Mapping[int, PartitionLedger]
    tally: _Tally = field(default_factory=_Tally)
    number: int = 0

    @property
    def namespace(self) -> str:
        return self.sweeper.tables.namespace_of(self.mark.place)

    @property
    def owned(self) -> list[int]:
        """What is still ours, and is not being given up."""
        return [
            partition
            for partition, ledger in self.ledgers.items()
            if ledger.is_open and not ledger.is_going
        ]

    def is_gone(self, point: Point) -> bool:
        return self._is_of_table(point) and self.mark.is_after(point) is True

    def pass_by(self) -> None:
        self.tally.undecided = 0
        page: list[Point] = []
        for point in self._older():
            page.append(point)
            if len(page) == _PAGE:
                self._delete(page)
                page = []
        if page:
            self._delete(page)

    def report(self) -> None:
        tally, place = self.tally, self.mark.place
        _log.info("TRUNCATE of %s: %d points deleted.", place.table, tally.deleted)
        if tally.undecided or tally.refused:
            _log.warning(
                "TRUNCATE of %s: %d points stay, as neither position nor time tells whether they "
                "are older, and %d as the store refused to delete them.",
                place.table,
                tally.undecided,
                tally.refused,
            )

    def _older(self) -> Iterator[Point]:
        for point in self.sweeper.store.scan(self.namespace):
            if not self._is_of_table(point) or self._partition(point) not in self.ledgers:
                continue
            is_older = self.mark.is_after(point)
            if is_older is None:
                self.tally.undecided += 1
            elif is_older:
                yield point

    def _is_of_table(self, point: Point) -> bool:
        return (
            point.stamp is not None
            and self.mark.holds(point)
            and self.sweeper.tables.may_own(self.mark.place, point.id)
        )

    def _partition(self, point: Point) -> int | None:
        if point.stamp is None:
            return None
        position = point.stamp.position
        return position.partition if position.topic_id == self.mark.topic_id else 0

    def _delete(self, page: Collection[Point]) -> None:
        by_id = {point.id: point for point in page}
        with self.sweeper.store.deleting(self.namespace, self.number, list(by_id)) as free:
            points = [by_id[one] for one in free]
            self.sweeper.patience("deleting from the store", lambda: self._try_to_delete(points))

    def _try_to_delete(self, points: Collection[Point]) -> None:
        """Only what is still ours at that moment; the store keeps what is newer, if it can.

        Who gives a partition up waits for what is on its way, so that is said before it is asked
        whether the partition is being given up.
        """
        self.sweeper.lease.check()
        ledgers = list(self.ledgers.values())
        for ledger in ledgers:
            ledger.sweeps.add(self)
        try:
            owned = self.owned
            gone = [
                Deletion(point.id, point.stamp.position)
                for point in points
                if point.stamp is not None and self._partition(point) in owned
            ]
            refused = self.sweeper.store.delete(self.namespace, gone) if gone else {}
        except BaseException:  # without an answer it may still be carried out
            for ledger in ledgers:
                ledger.is_in_doubt = True
            raise
        finally:
            for ledger in ledgers:
                ledger.sweeps.discard(self)
        self.tally.deleted += len(gone) - len(refused)
        self.tally.refused += len(refused)
