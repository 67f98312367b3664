"""What the index holds for the rows of a batch: by what this worker knows, else by a fetch."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from worker.document.place import place_of
from worker.immutable import immutable
from worker.pipeline.bases import writer_of
from worker.pipeline.decide import Decision, decide, is_sent_again
from worker.pipeline.held import Held
from worker.pipeline.parking import Departure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.marks.port import Watermarks
    from worker.model import Point
    from worker.pipeline.inherited import Inherited
    from worker.pipeline.item import Item
    from worker.pipeline.known import Address, Known
    from worker.pipeline.model_guard import ModelGuard
    from worker.pipeline.parking import Parking
    from worker.pipeline.patience import Patience
    from worker.store.port import Store


@immutable
class Belief:
    """What the index is taken to hold under an item's id."""

    held: Held | None
    is_proven: bool
    """Whether nothing else can be there."""
    settles_at_s: float | None = None
    """From when on a fetch shows it; None if the fetch has shown it, or none was needed."""


@immutable
class Lookup:
    """Asks the store for what is not known."""

    store: Store
    guard: ModelGuard
    known: Known
    parking: Parking
    watermarks: Watermarks
    patience: Patience
    inherited: Inherited
    is_guarded: bool
    """Whether the store refuses what is older by itself."""

    def look(self, items: Sequence[Item]) -> None:
        """Fetch what a decision about these items needs."""
        wanted: dict[str, list[Item]] = defaultdict(list)
        moved: list[Item] = []
        self.inherited.look()
        with self.known.at_once():
            found = [self.known.find(item.ledger, item.address) for item in items]
        for item, (held, settles_at_s) in zip(items, found, strict=True):
            item.settles_at_s = settles_at_s
            item.shows_inherited = self.inherited.shows((item.ledger, item.address[0]))
            item.known = self._known(item, held)
            item.is_fetched = _needs_point(item)
            if item.is_fetched:
                wanted[item.address[0]].append(item)
            if item.former is not None or self.parking.aside(item.address) is not None:
                moved.append(item)
        for namespace, group in wanted.items():
            stored = self.fetch(namespace, [item.address[1] for item in group])
            for item in group:
                self._take(item, stored.get(item.address[1]))
        if moved:
            self._look_for_moved(moved)
        self._look_ahead([item for item in items if item.onward and item.known is None])

    def fetch_one(self, item: Item) -> None:
        """Look for an item's point although it is known what it is."""
        namespace, point_id = item.address
        item.is_fetched = True
        self._take(item, self.fetch(namespace, [point_id]).get(point_id))

    def is_buried(self, item: Item) -> bool:
        """Whether the store knows of a deletion that came after the change: it is read again."""
        if not self.is_guarded:
            return False
        namespace, point_id = item.address
        found = self.patience(
            "looking for a deletion", lambda: self.store.deleted(namespace, [point_id])
        )
        buried = found.get(point_id)
        return buried is not None and item.change.position.is_before(buried)

    def believe(self, item: Item, now_s: float) -> Belief:
        """What to take for true; ``now_s`` is from before the look."""
        known = item.known
        settled_s = item.settles_at_s
        if known is None:
            is_settled = now_s >= settled_s
            # A store that guards itself refuses late writes of others by the Position alone, so
            # that has to be written; for other stores the second look finds them.
            is_proven = is_settled and not self.is_guarded
            return Belief(Held.fetched(item.stored), is_proven, None if is_settled else settled_s)
        if not item.is_fetched or known.shows(item.stored):
            return Belief(known, is_proven=True)
        if now_s < settled_s:
            return Belief(known, is_proven=True, settles_at_s=settled_s)
        self.known.forget(item.ledger, item.address)  # somebody else has changed the index
        return Belief(Held.fetched(item.stored), is_proven=True)

    def _known(self, item: Item, held: Held | None) -> Held | None:
        if held is None or (self.is_guarded and len(item.work.entries) > 1):
            # What is swallowed may still come, late and by another worker; the store refuses it
            # only by a newer Position, so that has to be written although nothing else changes.
            return None
        place = place_of(item.change.record.topic, item.change.origin)
        if not self.watermarks.covers_moment(place, held.source_position, held.latest_ms):
            return held
        self.known.forget(item.ledger, item.address)
        return None

    def _take(self, item: Item, point: Point | None) -> None:
        is_gone = self._is_gone(item, point)
        item.stored, item.truncated = (None, point) if is_gone else (point, None)

    def _standing(self, item: Item, moved: Point | None) -> Point | None:
        """What was found of its old key, unless the table was truncated since."""
        if not self._is_gone(item, moved):
            return moved
        item.moved_truncated = moved
        return None

    def _is_gone(self, item: Item, point: Point | None) -> bool:
        """Whether its table was truncated since."""
        if point is None:
            return False
        place = place_of(item.change.record.topic, item.change.origin)
        return self.watermarks.covers_point(point, place)

    def _look_for_moved(self, items: Sequence[Item]) -> None:
        """At the old place first: who takes a point from there has parked it before."""
        found = self._fetch_all(item.former for item in items if item.former is not None)
        missing: dict[Departure, list[Item]] = defaultdict(list)
        for item in items:
            if item.former is None:
                continue
            standing = self._standing(item, found.get(item.former))
            is_older = _is_older(standing, item)
            # Of unknown age it is good for its vector alone, if that is of the very text.
            item.moved, item.is_parked = (None if is_older is False else standing), False
            item.is_overtaken = standing is not None and is_older is False
            if not is_older:
                missing[Departure.of(item.former, item.change)].append(item)
        aside = {item: departure for item in items if (departure := self._put_aside(item))}
        wanted = [*missing, *aside.values()]
        if not wanted:
            return
        parked = self.patience("looking for moved points", lambda: self.parking.find(wanted))
        for item, departure in aside.items():
            item.aside = parked.get(departure)
            item.lacks_aside = item.aside is None and departure == self.parking.aside(item.address)
        for departure, group in missing.items():
            for item in group:
                left = self._parked(item, departure, parked.get(departure))
                if left is not None:
                    item.moved, item.is_parked, item.is_overtaken = left, True, False

    def _look_ahead(self, items: Sequence[Item]) -> None:
        """Rows that are read again and have other keys by now."""
        found = self._fetch_all(address for item in items for address in item.onward)
        for item in items:
            item.ahead = {place: found[place] for place in item.onward if place in found}

    def _put_aside(self, item: Item) -> Departure | None:
        """Where what the row itself has lost is; only its own change needs it, or what follows."""
        noted = self.parking.aside(item.address)
        if noted is not None or not (item.is_partial or item.moved is None):
            return noted
        return Departure.written_by(item.address, writer_of(item))

    def _parked(self, item: Item, departure: Departure, point: Point | None) -> Point | None:
        """A point that left at the very position of the key change is the row's, however young.

        Snapshots tell the position of the reading, which may be ahead of a change that comes later.
        Where nothing tells a position or a time, it is the one that left for the very key.
        """
        standing = self._standing(item, point)
        is_known = departure.source_position is not None
        return None if not is_known and _is_older(standing, item) is False else standing

    def _fetch_all(self, addresses: Iterable[Address]) -> Mapping[Address, Point]:
        by_namespace: dict[str, set[str]] = defaultdict(set)
        for namespace, point_id in addresses:
            by_namespace[namespace].add(point_id)
        found: dict[Address, Point] = {}
        for namespace, ids in by_namespace.items():
            points = self.fetch(namespace, list(ids))
            found.update(((namespace, point_id), point) for point_id, point in points.items())
        return found

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """Points as the store shows them.

        Raises:
            Interrupted: the task stops.
            FatalError: the store refuses, or a point is of another model.
        """
        self.patience("looking at the namespace", lambda: self.guard.check(namespace))
        points = self.patience("fetching from the store", lambda: self.store.fetch(namespace, ids))
        for point in points.values():
            self.guard.compare(namespace, point)
        return points


def _needs_point(item: Item) -> bool:
    """Whether what is known is not enough: a vector or metadata have to be kept."""
    if item.known is None:
        return True
    held = item.known
    if item.is_partial or is_sent_again(item.change, held):
        return held.fingerprint is not None
    if item.document is None:
        return (item.change.moves_away or held.chunks > 1) and held.fingerprint is not None
    decision = decide(item.document, item.change, held, is_proven=True)
    return decision is Decision.REUSE or (decision is Decision.EMBED and held.chunks > 0)


def _is_older(point: Point | None, item: Item) -> bool | None:
    """Whether it is of the row before its key changed, and not of a new row in its place.

    None: nothing tells.
    """
    if point is None or point.stamp is None:
        return False
    before, now = point.stamp.source_position, item.change.key_changed_at
    if before is not None and now is not None:
        return before < now
    held = Held.fetched(point)
    latest_ms = item.change.latest_ms
    if held is None or held.latest_ms is None or latest_ms is None:
        return None
    return held.latest_ms <= latest_ms
