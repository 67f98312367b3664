"""What must be true, at any moment and at the end, whatever happened."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.pipeline.histories.features import ENABLED, Feature
from tests.pipeline.histories.history import POISON
from tests.pipeline.histories.table import TOPIC, Row, text_of
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose
from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.pipeline.histories.table import Moment, Past
    from tests.pipeline.histories.turns import Actor
    from tests.pipeline.histories.world import World
    from worker.model import Point, Position

DIMENSIONS = 8
FOR_EVER = 1 << 60


@cache
def vector_of(text: str) -> bytes:
    embedder = FakeEmbedder(FakeConfig(dimensions=DIMENSIONS))
    return embedder.embed([text], Purpose.DOCUMENT).vectors.tobytes()


class Oracle:
    """Compares the index with the table; what is wrong is collected, to be raised by the test."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._table = world.table
        self._has_condition = world.setting.has_condition
        self.complaints: list[str] = []

    # At any moment -------------------------------------------------------------------------

    def look_at_commits(self) -> None:
        """Whatever is below a committed offset is in the index, or a dead letter."""
        committed = self._world.committed
        points, dead = self._world.points, self._world.dead
        for key, past in self._table.pasts.items():
            end = committed.get(TopicPartition(TOPIC, past.partition), 0)
            self._look_at(key, past, points.get(str(key)), end, dead)

    def look_at_texts(self, texts: Sequence[str], actor: Actor) -> None:
        """No text that the index held when the batch looked is paid for again."""
        marked = set() if Feature.MARKED in ENABLED else self._with_letters()
        for text in texts:
            mine = [work.key.columns[0][1] for work in actor.batch]
            candidates = [key for key in mine if self._table.pasts[key].had(text)]
            if not candidates:
                if text.startswith(("A short text",)):  # the probe of a provider that refuses
                    continue
                self.complaints.append(f"{text!r} is embedded, which no row of the batch ever had")
            elif (
                self._can_tell
                and marked.isdisjoint(candidates)
                and all(
                    _holds(actor.seen.get(str(key)), text)
                    and self._shows(key, actor, actor.looked_s)
                    for key in candidates
                )
            ):
                self.complaints.append(f"{text!r} is paid for again, for one of {candidates}")

    def look_at_writes(self, positions: Mapping[str, Position], actor: Actor) -> None:
        """Each row has one writer, who puts no old change over a newer one."""
        others = positions.keys() - actor.owned
        if others:
            self.complaints.append(f"rows {others} are written by a worker that lost them")
        if self._world.setting.guarded or not self._can_tell:
            return
        points = self._world.points
        for point_id in positions.keys() & self._world.owned(actor):
            stamp = points[point_id].stamp if point_id in points else None
            is_old = stamp is not None and positions[point_id].is_before(stamp.position)
            if is_old and self._shows(int(point_id), actor, self._world.stage.now_s):
                self.complaints.append(f"row {point_id} goes back to {positions[point_id]}")

    def _with_letters(self) -> set[int]:
        """Or about to have one: the letter is on its way while the row goes on."""
        return {key for key, past in self._table.pasts.items() if POISON in past.bodies}

    def _shows(self, key: int, actor: Actor, looked_s: float) -> bool:
        """Whether the store shows the point by now, or the worker knows it, having written it.

        What it knows ends with its assignments, as others may write from then on.
        """
        ours = self._world.tenure(actor.member)
        writer, at_s = self._world.writers.get(str(key), (ours, 0.0))
        waited_s = looked_s - at_s
        return writer == ours or waited_s > self._world.setting.settle_s

    @property
    def _can_tell(self) -> bool:
        return not self._world.setting.settle_s or Feature.CACHE in ENABLED

    # At the end ----------------------------------------------------------------------------

    def look_at_end(self) -> None:
        """The index is the table, but for rows with dead letters, which were deserved."""
        points, dead = self._world.points, self._world.dead
        known = {str(key) for key in self._table.pasts}
        if not points.keys() <= known:
            self.complaints.append(f"points {points.keys() - known} are of no row")
        for key, past in self._table.pasts.items():
            point = points.get(str(key))
            if any((past.partition, moment.offset) in dead for moment in past.moments):
                self._look_at(key, past, point, FOR_EVER, dead)
                self._look_at_letters(key, past, dead)
                continue
            row = self._table.rows.get(key)
            if not self._is_right(point, row):
                self.complaints.append(f"row {key} is {_said(point)}, not {row}")

    # Inside --------------------------------------------------------------------------------

    def _look_at(
        self,
        key: int,
        past: Past,
        point: Point | None,
        end: int,
        dead: Mapping[tuple[int, int], str],
    ) -> None:
        """A row may be newer than the offset demands, but is what it was at some moment."""
        if end == 0 and point is None:
            return
        first = 0
        moments = past.moments
        for index in range(len(moments) - 1, -1, -1):
            offset = moments[index].offset
            if offset < end and (past.partition, offset) not in dead:
                first = index
                break
        else:
            if point is None:
                return
        if any(self._fits(point, moment, past) for moment in moments[first:]):
            return
        self.complaints.append(
            f"row {key} is {_said(point)}, but {past.partition}@{moments[first].offset} is "
            f"committed: {moments[first].event.row}"
        )

    def _fits(self, point: Point | None, moment: Moment, past: Past) -> bool:
        row = moment.event.row
        if point is None and moment.truncates < self._table.truncates:
            return True
        if moment.is_again and moment.event.lacks_body and row is not None:
            # Nobody can know which body a row had when an update comes again that lacks it.
            bodies = past.bodies
            return any(
                self._is_right(point, Row(row.title, body, row.price, row.visible))
                for body in bodies
            )
        return self._is_right(point, row)

    def _is_right(self, point: Point | None, row: Row | None) -> bool:
        if row is None or not self._is_indexed(row):
            return point is None
        return (
            point is not None
            and point.metadata.get("price") == row.price
            and point.metadata.get("title", "") == row.title
            and _holds(point, row.text)
        )

    def _look_at_letters(self, key: int, past: Past, dead: Mapping[tuple[int, int], str]) -> None:
        """Only texts that are refused, and rows that lack a column of which nobody knows."""
        places = _places(past)
        is_known = False
        for at, moment in enumerate(past.moments):
            kind = dead.get(places[at])
            is_marked = Feature.MARKED not in ENABLED and any(
                later in dead for later in places[at + 1 :]
            )
            knows = is_known and not is_marked
            former = moment.event.moved_from
            if former is not None:
                knows = not any(place in dead for place in _places(self._table.pasts[former]))
            if kind is not None and not self._is_deserved(kind, moment, past, is_known=knows):
                self.complaints.append(f"{past.partition}@{moment.offset} ({key}) is dead: {kind}")
            is_known = kind is None and self._is_indexed(moment.event.row)

    def _is_deserved(self, kind: str, moment: Moment, past: Past, *, is_known: bool) -> bool:
        """``is_known``: the index has the row as it was before, if need be under its old key."""
        event = moment.event
        if event.row is None:
            return False
        if kind == "TextRefused":
            is_guess = moment.is_again and event.lacks_body
            return POISON in event.row.text or (is_guess and POISON in past.bodies)
        if kind != "UnavailableColumn" or not event.lacks_body:
            return False
        if event.moved_from is not None:
            former = self._table.pasts[event.moved_from].moments
            rows = [one.event.row for one in former]
            is_known = (
                is_known
                and all(one.event.is_told for one in former)
                and all(self._is_indexed(row) and row.text == event.row.text for row in rows if row)
            )
            is_built = Feature.KEY_CHANGE in ENABLED
        else:
            earlier = past.moments[: past.moments.index(moment)]
            rows = [one.event.row for one in earlier]
            is_known = is_known and all(row.text == event.row.text for row in rows if row)
            is_built = Feature.TOAST in ENABLED
        return not (is_built and is_known)

    def _is_indexed(self, row: Row | None) -> bool:
        return row is not None and bool(row.text) and (row.visible or not self._has_condition)


def _places(past: Past) -> list[tuple[int, int]]:
    """Partition and offset of all that happened to a row."""
    return [(past.partition, moment.offset) for moment in past.moments]


def _holds(point: Point | None, text: str) -> bool:
    return point is not None and point.vector.tobytes() == vector_of(text)


def _said(point: Point | None) -> str:
    if point is None:
        return "missing"
    texts = [
        text_of(title, body)
        for title in ("a", "b", "")
        for body in ("", "s", "L", "L2", POISON)
        if _holds(point, text_of(title, body) or "-")
    ]
    return f"{texts} with {dict(point.metadata)}"
