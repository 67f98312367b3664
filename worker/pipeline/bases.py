"""Which points may have the columns that Debezium did not send with a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Op
from worker.pipeline.held import Held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.flow.entry import Entry
    from worker.model import Change, Point
    from worker.pipeline.item import Item


def created_half(entries: Sequence[Entry]) -> Entry:
    """The create half of a key change; updates that came since are one with it."""
    halves = (one for one in reversed(entries) if one.change.moved_from is not None)
    return next(halves, entries[0])


def bases_of(item: Item, held: Held | None) -> list[Point]:
    """What of its own id may have the columns that were not sent, the row's own point first.

    That one may be of a later change already, if this one was sent again.
    """
    return [
        *with_text(item.stored if _is_of_row(item) and _is_whole_since(item, held) else None),
        *with_text(item.aside if _is_of_work(item.aside, item) else None),
    ]


def with_text(point: Point | None) -> Sequence[Point]:
    """The point, if it is known which text it was made of."""
    return [] if point is None or point.stamp is None or not point.stamp.text else [point]


def is_doubtful(item: Item) -> bool:
    """Whether a point left the old key that may have been made later than the key change.

    That seems so after a snapshot, which tells the position of the reading, unless its time is
    earlier; it is so if the delete was sent again when another row was there.
    """
    point, changed_at = item.moved, item.change.key_changed_at
    held = Held.fetched(point)
    if not item.is_parked or point is None or held is None or changed_at is None:
        return False
    made_at, created = held.source_position, created_half(item.work.entries).change
    if made_at is None or made_at < changed_at or not (point.stamp and point.stamp.text):
        return False
    made_ms, changed_ms = held.latest_ms, created.origin.committed_ms
    is_of_change = created.origin.position == changed_at
    return made_ms is None or changed_ms is None or not is_of_change or made_ms >= changed_ms


def writer_of(item: Item) -> Change:
    """The change that may have written what was put aside, when it was sent before."""
    created = created_half(item.work.entries).change
    return item.change if created.moved_from is None else created


def _is_of_work(point: Point | None, item: Item) -> bool:
    """Whether it was written by one of these very changes, when they were sent before."""
    if point is None or point.stamp is None or point.stamp.source_position is None:
        return False
    positions = [one.change.origin.position for one in list(item.work.entries)]
    return point.stamp.source_position in (item.change.origin.position, *positions)


def _is_of_row(item: Item) -> bool:
    """Whether what stands under the id is this row, and not one that was there before it.

    Where no position tells, order does: a row that was there before it would have left first.
    """
    change, stored = item.change, item.stored
    if stored is None or stored.stamp is None:
        return False
    if change.op is Op.UPDATE and change.moved_from is None:
        return True
    began, stands = change.key_changed_at, stored.stamp.source_position
    if began is None or stands is None:
        return stored.stamp.position.comparable(change.position)
    return stands >= began


def _is_whole_since(item: Item, held: Held | None) -> bool:
    """Whether every change of the row since then was understood.

    A record that could not be decoded may have been about any row of its partition.
    """
    if held is None:
        return False
    gap = item.work.newest.last_gap
    return gap < 0 or (
        item.change.position.comparable(held.position) and held.position.offset >= gap
    )
