"""Where the other chunks of rows are in the index: their own places, and where they were before.

The first chunk of each was looked at before, and counts the others.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from worker.document.identity import sibling
from worker.immutable import immutable
from worker.pipeline.parking import Departure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.model import Point
    from worker.pipeline.item import Item
    from worker.pipeline.known import Address
    from worker.pipeline.lookup import Lookup


@immutable
class ChunkLookup:
    """Fetches them, as far as they are needed."""

    lookup: Lookup

    def look(self, rows: Sequence[Item]) -> None:
        """Fetch the other chunks of these rows, all of whose texts are cut.

        Raises:
            Interrupted, FatalError: as ``Lookup.fetch``.
        """
        self._look_here(rows)
        self._look_for_moved([item for item in rows if _moved(item)])
        self._look_for_aside(rows)
        self._look_ahead([item for item in rows if item.ahead])

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


def count_of(first: Point | None) -> int:
    """How many chunks the row has that this one stands for."""
    return 0 if first is None or first.stamp is None else first.stamp.chunks


def _own(item: Item) -> list[Address]:
    """Where the row's other chunks are; of what was truncated the vectors are good as well."""
    if item.document is None and not (item.leaves_vector or item.displaced):
        return []
    count = count_of(item.stored or item.truncated)
    return _siblings(item.address, max(count, item.chunks_held) if item.is_doubted else count)


def _moved(item: Item) -> list[Address]:
    """The same of its old key."""
    if item.document is None or item.former is None:
        return []
    return _siblings(item.former, count_of(item.moved))


def _aside(item: Item, first: Point) -> Sequence[Departure]:
    """Where the same are that were put aside."""
    if item.document is None:
        return []
    own = _siblings(item.address, count_of(first))
    return [Departure.put_aside(address, first) for address in own]


def _ahead(item: Item) -> list[Address]:
    """Where those are that the row had when it was read before."""
    return [
        address
        for first, point in item.ahead.items()
        for address in _siblings(first, count_of(point))
    ]


def _siblings(first: Address, count: int) -> list[Address]:
    namespace, point_id = first
    return [(namespace, sibling(point_id, number)) for number in range(1, count)]


def _present(found: Mapping[Address, Point], wanted: Iterable[Address]) -> Sequence[Point]:
    return [found[address] for address in wanted if address in found]
