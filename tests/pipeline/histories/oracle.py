"""What must be true, at any moment and at the end, whatever happened."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tests.pipeline.histories.history import POISON
from tests.pipeline.histories.letters import Letters
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

    Shown: TypeAlias = Mapping[int, Point]
    """A row in the index: its chunks by number; a text that stays whole is number 0."""

DIMENSIONS = 8
FOR_EVER = 1 << 60
BUFFERED_ROWS = 8
"""At most, of a worker."""
_NOTHING: Shown = {}


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
        self._has_chunks = world.setting.has_chunks
        self.complaints: list[str] = []

    # At any moment -------------------------------------------------------------------------

    def look_at_commits(self) -> None:
        """Whatever is below a committed offset is in the index, or a dead letter."""
        committed = self._world.committed
        rows, dead = rows_of(self._world.points), self._world.dead
        busy = self._busy() if self._has_chunks else set()
        for key, past in self._table.pasts.items():
            end = committed.get(TopicPartition(TOPIC, past.partition), 0)
            is_moving = key in busy or (self._has_chunks and past.moments[-1].offset >= end)
            if not is_moving:
                self._look_at(key, past, rows.get(key, _NOTHING), end, dead)
        self._look_at_truncates(rows, committed)

    def look_at_texts(self, texts: Sequence[str], actor: Actor) -> None:
        """No text that the index held when the batch looked is paid for again."""
        seen = rows_of(actor.seen)
        mine = [key for work in actor.batch for _, key in work.key.columns]
        for text in texts:
            candidates = [key for key in mine if self._had(self._table.pasts[key], text)]
            if not candidates:
                if text.startswith(("A short text",)):  # the probe of a provider that refuses
                    continue
                self.complaints.append(f"{text!r} is embedded, which no row of the batch ever had")
            elif all(
                self._is_held(seen.get(key, _NOTHING), text)
                and self._shows(key, actor, actor.looked_s)
                for key in candidates
            ):
                self.complaints.append(f"{text!r} is paid for again, for one of {candidates}")

    def look_at_writes(self, positions: Mapping[str, Position], actor: Actor) -> None:
        """Each row has one writer, who puts no old change over a newer one."""
        others = {row_id(one) for one in positions} - actor.owned
        if others:
            self.complaints.append(f"rows {others} are written by a worker that lost them")
        if self._world.setting.guarded:
            return
        points, ours = self._world.points, self._world.owned(actor)
        for point_id, position in positions.items():
            point = points.get(point_id)
            if point is None or point.stamp is None or row_id(point_id) not in ours:
                continue
            if not position.is_before(point.stamp.position) or self._world.is_covered(point):
                continue
            head = points.get(f"{row_id(point_id)}#0")
            if head is not None and head.stamp is not None and head.stamp.is_unfinished:
                continue  # of a change that did not come to its end and comes again
            if row_id(point_id) in self._world.late:
                continue  # nobody could know of it; the second look compares it
            if self._shows(int(row_id(point_id)), actor, self._world.stage.now_s):
                self.complaints.append(f"point {point_id} goes back to {position}")

    def _look_at_truncates(
        self, rows: Mapping[int, Shown], committed: Mapping[TopicPartition, int]
    ) -> None:
        """Where a truncate is committed, nothing of its partition is older."""
        newest: dict[int, int] = {}
        for place, offset, event in self._table.truncations:
            if offset < committed.get(place, 0):
                newest[place.partition] = max(event.number, newest.get(place.partition, 0))
        for key, shown in rows.items():
            past = self._table.pasts.get(key)
            number = 0 if past is None else newest.get(past.partition, 0)
            for point in shown.values():
                if number and past is not None and _truncates_before(point, past) < number:
                    self.complaints.append(f"point {point.id} is older than truncate {number}")

    def _busy(self) -> set[int]:
        """Rows that somebody is about to write; letters that are asked for come again."""
        if self._world.mail.book.has_asked:
            return set(self._table.pasts)
        batches = [actor.batch for actor in self._world.stage.waiting]
        return {key for batch in batches for work in batch for _, key in work.key.columns}

    def _had(self, past: Past, text: str) -> bool:
        return any(text in self._split(one) for one in past.texts)

    def _split(self, text: str) -> Sequence[str]:
        """What is embedded for a text."""
        return Letters().split(text) if self._has_chunks else (text,)

    def _is_held(self, shown: Shown, text: str) -> bool:
        """By a point that counts: what is beyond the row's last chunk nobody knows of."""
        head = shown.get(0)
        if head is None or head.stamp is None:
            return False
        last = max(head.stamp.chunks, 1)
        return any(_holds(point, text) for number, point in shown.items() if number < last)

    def _shows(self, key: int, actor: Actor, looked_s: float) -> bool:
        """Whether the store shows the row by now, or the worker knows it, having written it.

        What it knows ends with its assignments, as others may write from then on.
        """
        writer, at_s = self._world.writers.get(str(key), (actor.tenure, 0.0))
        waited_s = looked_s - at_s
        return writer == actor.tenure or waited_s > self._world.setting.settle_s

    # At the end ----------------------------------------------------------------------------

    def look_at_end(self) -> None:
        """The index is the table, but for rows with dead letters, which were deserved."""
        rows, dead, left = rows_of(self._world.points), self._world.dead, self._world.left
        if not rows.keys() <= self._table.pasts.keys():
            self.complaints.append(f"points of {rows.keys() - self._table.pasts.keys()}: no rows")
        for key, past in self._table.pasts.items():
            shown = rows.get(key, _NOTHING)
            if any((past.partition, moment.offset) in left for moment in past.moments):
                self._look_at(key, past, shown, FOR_EVER, dead)
                self._look_at_letters(key, past, dead)
                continue
            row = self._table.rows.get(key)
            if not self._is_right(shown, row):
                self.complaints.append(f"row {key} is {self._said(shown)}, not {row}")

    # Inside --------------------------------------------------------------------------------

    def _look_at(
        self,
        key: int,
        past: Past,
        shown: Shown,
        end: int,
        dead: Mapping[tuple[int, int], str],
    ) -> None:
        """A row may be newer than the offset demands, but is what it was at some moment."""
        if end == 0 and not shown:
            return
        first = 0
        moments = past.moments
        for index in range(len(moments) - 1, -1, -1):
            offset = moments[index].offset
            if offset < end and (past.partition, offset) not in dead:
                first = index
                break
        else:
            if not shown:
                return
        if moments[first].event.truncates < self._table.truncates:
            first = 0  # what a truncate covers is not written any more, and goes in time
            if self._has_chunks:
                return  # chunk by chunk
        if any(self._fits(shown, moment, past) for moment in moments[first:]):
            return
        self.complaints.append(
            f"row {key} is {self._said(shown)}, but {past.partition}@{moments[first].offset} is "
            f"committed: {moments[first].event.row}"
        )

    def _fits(self, shown: Shown, moment: Moment, past: Past) -> bool:
        row = moment.event.row
        if not shown and moment.event.truncates < self._table.truncates:
            return True
        if not shown and _gives_way(moment, past):
            return True
        if moment.is_again and moment.event.lacks_body and row is not None:
            # Nobody can know which body a row had when an update comes again that lacks it.
            bodies = past.bodies
            return any(
                self._is_right(shown, Row(row.title, body, row.price, row.visible))
                for body in bodies
            )
        return self._is_right(shown, row)

    def _is_right(self, shown: Shown, row: Row | None) -> bool:
        if row is None or not self._is_indexed(row):
            return not shown
        texts = self._split(row.text)
        head = shown.get(0)
        return (
            head is not None
            and head.stamp is not None
            and not head.stamp.is_unfinished
            and shown.keys() == set(range(len(texts)))
            and all(self._is_piece(shown[number], text, row) for number, text in enumerate(texts))
        )

    def _is_piece(self, point: Point, text: str, row: Row) -> bool:
        return (
            point.metadata.get("price") == row.price
            and point.metadata.get("title", "") == row.title
            and _holds(point, text)
        )

    def _look_at_letters(self, key: int, past: Past, dead: Mapping[tuple[int, int], str]) -> None:
        """Only texts that are refused, and rows that lack a column of which nobody knows."""
        places = _places(past)
        is_known = False
        for at, moment in enumerate(past.moments):
            kind = dead.get(places[at])
            knows = is_known
            former = moment.event.moved_from
            if former is not None:
                knows = not any(place in dead for place in _places(self._table.pasts[former]))
                # What is sent again comes after later changes of the row, which may be dead.
                knows = knows and not (moment.is_again and dead.keys() & places[:at])
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
        else:
            earlier = past.moments[: past.moments.index(moment)]
            rows = [one.event.row for one in earlier]
            is_known = is_known and all(row.text == event.row.text for row in rows if row)
        return not is_known

    def _is_indexed(self, row: Row | None) -> bool:
        return row is not None and bool(row.text) and (row.visible or not self._has_condition)

    def _said(self, shown: Shown) -> str:
        if not shown:
            return "missing"
        texts = [
            text_of(title, body)
            for title in ("a", "b", "")
            for body in ("", "s", "L", "L2", POISON)
            if title or body
        ]
        pieces = list(dict.fromkeys(piece for text in texts for piece in self._split(text)))
        return ", ".join(
            f"{point.id}: {[one for one in pieces if _holds(point, one)]} with "
            f"{dict(point.metadata)} {_standing(point)}"
            for _, point in sorted(shown.items())
        )


def row_id(point_id: str) -> str:
    """The id without a chunk's number."""
    return point_id.partition("#")[0]


def rows_of(points: Mapping[str, Point]) -> dict[int, dict[int, Point]]:
    """Points by their rows' keys and by the numbers of the chunks."""
    rows: defaultdict[int, dict[int, Point]] = defaultdict(dict)
    for point_id, point in points.items():
        key, _, number = point_id.partition("#")
        rows[int(key)][int(number or 0)] = point
    return rows


def _truncates_before(point: Point, past: Past) -> int:
    """How often the table had been emptied before the change that the point is of."""
    assert point.stamp is not None
    offset = point.stamp.position.offset
    # The sign that a row is unfinished has the offset before.
    return next(one.event.truncates for one in past.moments if one.offset >= offset)


def _gives_way(moment: Moment, past: Past) -> bool:
    """Whether a key change that nobody can complete for sure may be left out for the row's next.

    Its offset is not committed before that is written, unless that cannot be read as the buffer is
    full of what waits for it.
    """
    if moment.event.moved_from is None or not moment.event.lacks_body:
        return False
    began = next(one.offset for one in past.moments if one.event is moment.event)
    return any(
        one.event.row is not None and not one.event.lacks_body
        for one in past.moments
        if one.offset > moment.offset and one.offset - began >= BUFFERED_ROWS
    )


def _places(past: Past) -> list[tuple[int, int]]:
    """Partition and offset of all that happened to a row."""
    return [(past.partition, moment.offset) for moment in past.moments]


def _holds(point: Point, text: str) -> bool:
    return point.vector.tobytes() == vector_of(text)


def _standing(point: Point) -> str:
    if point.stamp is None:
        return ""
    unfinished = "unfinished " if point.stamp.is_unfinished else ""
    return f"{unfinished}@{point.stamp.position.offset}"
