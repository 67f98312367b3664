"""Rows whose texts are cut: what the index holds of their chunks, and which vectors can stay.

The first chunk stands for its row in all that was decided before; the others are looked at only
for rows that are written.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.document.identity import sibling
from worker.document.lacking import UNAVAILABLE
from worker.errors import RecordError, Stage
from worker.model import Outcome
from worker.pipeline.item import Cut
from worker.pipeline.parking import Departure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from worker.model import Document, Point, Vector
    from worker.pipeline.documents import Documents
    from worker.pipeline.item import Item
    from worker.pipeline.known import Address
    from worker.pipeline.lookup import Lookup

_MOST_AT_ONCE = 4096
"""Chunks whose vectors are held together; 16 MiB of them with 1,024 dimensions."""
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Pieces:
    """Cuts texts, and finds vectors of equal chunks."""

    documents: Documents
    lookup: Lookup

    def rounds(self, items: Iterable[Item]) -> Iterator[Sequence[Item]]:
        """The same items in parts whose chunks fit into memory together; a row is never divided.

        Texts that stay whole are bounded by the batch already.
        """
        part: list[Item] = []
        size = 0
        for item in items:
            more = self._cut(item) if item.is_cut else 0
            if part and size + more > _MOST_AT_ONCE:
                yield part
                part, size = [], 0
            part.append(item)
            size += more
        if part:
            yield part

    def look(self, items: Iterable[Item], looked_s: float) -> None:
        """Fetch the chunks of these rows, and give them the vectors that can stay.

        Raises:
            Interrupted, FatalError: as ``Lookup.fetch``.
        """
        rows = [item for item in items if item.is_cut and _is_to_do(item)]
        if not rows:
            return
        self._look_here(rows)
        self._look_for_moved([item for item in rows if _moved(item)])
        self._look_for_aside(rows)
        self._look_ahead([item for item in rows if item.ahead])
        for item in rows:
            self._fill(item, looked_s)

    def _cut(self, item: Item) -> int:
        """How many chunks the row has, before or after."""
        document = item.document
        if document is not None and document.text and _is_to_do(item):
            chunks = self.documents.chunks(document)
            item.cut = Cut(chunks, [None] * len(chunks))
        after = len(item.cut.chunks) if item.cut is not None else 1
        others = (item.moved, item.aside, *item.ahead.values())
        return max(after, item.chunks_held) + sum(map(_count, others))

    def _look_here(self, rows: Sequence[Item]) -> None:
        found = self._fetch(address for item in rows for address in _own(item))
        for item in rows:
            item.pieces = _present(found, _own(item))

    def _look_for_moved(self, rows: Sequence[Item]) -> None:
        """As for the first chunks: at the old place, and where they are parked.

        Several rows may have left one key, so what is parked is told apart by its departure.
        """
        found = self._fetch(
            address for item in rows if not item.is_parked for address in _moved(item)
        )
        parked = self._parked(
            Departure.of(address, item.change)
            for item in rows
            for address in _moved(item)
            if item.is_parked or address not in found
        )
        for item in rows:
            at_old_place = {} if item.is_parked else found
            places = (
                at_old_place.get(address) or parked.get(Departure.of(address, item.change))
                for address in _moved(item)
            )
            item.moved_pieces = [point for point in places if point is not None]

    def _look_for_aside(self, rows: Sequence[Item]) -> None:
        places = {item: _aside(item, item.aside) for item in rows if item.aside is not None}
        found = self._parked(one for wanted in places.values() for one in wanted)
        for item, wanted in places.items():
            item.aside_pieces = [found[one] for one in wanted if one in found]

    def _look_ahead(self, rows: Sequence[Item]) -> None:
        found = self._fetch(address for item in rows for address in _ahead(item))
        for item in rows:
            item.pieces_ahead = _present(found, _ahead(item))

    def _parked(self, departures: Iterable[Departure]) -> Mapping[Departure, Point]:
        wanted = list(departures)
        if not wanted:
            return {}
        parking = self.lookup.parking
        return self.lookup.patience("looking for moved points", lambda: parking.find(wanted))

    def _fetch(self, addresses: Iterable[Address]) -> dict[Address, Point]:
        by_namespace: dict[str, list[str]] = defaultdict(list)
        for namespace, point_id in dict.fromkeys(addresses):
            by_namespace[namespace].append(point_id)
        found: dict[Address, Point] = {}
        for namespace, ids in by_namespace.items():
            points = self.lookup.fetch(namespace, ids)
            found.update(((namespace, point_id), point) for point_id, point in points.items())
        return found

    def _fill(self, item: Item, looked_s: float) -> None:
        until_s = self._visible_s(item)
        if until_s is not None and looked_s < until_s:
            item.look_again_s = min(looked_s + _LOOK_EVERY_S, until_s)
        elif item.is_doubted and _is_as_written(item):
            item.outcome = Outcome.UNCHANGED
        elif item.document is not None:
            self._reuse(item, item.document)

    def _reuse(self, item: Item, document: Document) -> None:
        if item.cut is None:
            item.cut = self._rewritten(item, document)
        if item.cut is None:
            item.outcome = _lost(item)
            return
        vectors = _vectors(item)
        cut = item.cut
        cut.vectors = [vectors.get(chunk.stamp.fingerprint) for chunk in cut.chunks]
        item.vector = cut.first_if_whole
        item.is_reused = item.vector is not None

    def _rewritten(self, item: Item, document: Document) -> Cut | None:
        """Of a text that was not sent: the chunks that are there; None if some are not."""
        for first, found in (
            (item.stored, item.pieces),
            (item.aside, item.aside_pieces),
            (item.moved, item.moved_pieces),
        ):
            others = _counted(first, found)
            if first is None or first.stamp is None or len(others) + 1 < first.stamp.chunks:
                continue
            if item.is_doubted and not _is_together(first, others):
                continue
            if first.stamp.text == document.stamp.fingerprint:
                chunks = self.documents.rewritten(document, [first, *others])
                return Cut(chunks, [None] * len(chunks))
        return None

    def _visible_s(self, item: Item) -> float | None:
        """Until when a chunk that is missing may still come to light; None if none is."""
        known, lookup = item.known, self.lookup
        is_whole = _is_together(item.stored, item.pieces) and not _is_unfinished(item.stored)
        if known is not None and not is_whole:
            return item.settles_at_s
        elsewhere = (item.moved, item.moved_pieces), (item.aside, item.aside_pieces)
        is_there = all(_is_together(first, others) for first, others in elsewhere)
        if item.document is not None and not is_there:
            return item.work.newest.arrived_s + lookup.known.settle_s
        return None


def _is_to_do(item: Item) -> bool:
    return item.outcome is None and item.look_again_s is None


def _own(item: Item) -> list[Address]:
    """Where the row's other chunks are; of what was truncated the vectors are good as well."""
    if item.document is None and not (item.leaves_vector or item.displaced):
        return []
    count = _count(item.stored or item.truncated)
    return _siblings(item.address, max(count, item.chunks_held) if item.is_doubted else count)


def _moved(item: Item) -> list[Address]:
    """The same of its old key."""
    if item.document is None or item.former is None:
        return []
    return _siblings(item.former, _count(item.moved))


def _aside(item: Item, first: Point) -> Sequence[Departure]:
    """Where the same are that were put aside."""
    if item.document is None:
        return []
    own = _siblings(item.address, _count(first))
    return [Departure.put_aside(address, first) for address in own]


def _ahead(item: Item) -> list[Address]:
    """Where those are that the row had when it was read before."""
    return [
        address
        for first, point in item.ahead.items()
        for address in _siblings(first, _count(point))
    ]


def _siblings(first: Address, count: int) -> list[Address]:
    namespace, point_id = first
    return [(namespace, sibling(point_id, number)) for number in range(1, count)]


def _count(first: Point | None) -> int:
    return 0 if first is None or first.stamp is None else first.stamp.chunks


def _present(found: Mapping[Address, Point], wanted: Iterable[Address]) -> Sequence[Point]:
    return [found[address] for address in wanted if address in found]


def _counted(first: Point | None, others: Sequence[Point]) -> Sequence[Point]:
    """Those that the first one counts."""
    ids = set() if first is None else {sibling(first.id, number) for number in range(_count(first))}
    return [other for other in others if other.id in ids]


def _is_as_written(item: Item) -> bool:
    """Whether there are the chunks that one change has written, and no others."""
    return len(item.pieces) + 1 == _count(item.stored) and _is_together(item.stored, item.pieces)


def _is_together(first: Point | None, others: Sequence[Point]) -> bool:
    """Whether these are all chunks of a row, as one change has written them."""
    if first is None or first.stamp is None or _is_unfinished(first):
        return True
    position = first.stamp.position
    return len(others) + 1 >= first.stamp.chunks and all(
        other.stamp is not None and other.stamp.position == position for other in others
    )


def _is_unfinished(first: Point | None) -> bool:
    return first is not None and first.stamp is not None and first.stamp.is_unfinished


def _vectors(item: Item) -> dict[str, Vector]:
    """By the fingerprint of the chunk that each is of, whatever its number was."""
    before = (item.truncated, item.moved_truncated)
    return {
        point.stamp.fingerprint: point.vector
        for point in (*before, *_points(item))
        if point is not None and point.stamp is not None
    }


def _points(item: Item) -> Iterator[Point | None]:
    """All that is there of a row."""
    yield from (*item.ahead.values(), *item.pieces_ahead)
    yield from (item.aside, *item.aside_pieces)
    yield from (item.stored, *item.pieces)
    yield from (item.moved, *item.moved_pieces)


def _lost(item: Item) -> RecordError:
    return RecordError(
        f"{item.change.record.topic}: Debezium left out columns of the text, as they are large and "
        "did not change, and the index has lost some of the chunks that it was cut into",
        stage=Stage.DOCUMENT,
        kind=UNAVAILABLE,
    )
