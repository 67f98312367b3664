"""One namespace in memory: points as they were written, and as readers see them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.model import Point

if TYPE_CHECKING:
    from worker.model import Position
    from worker.store.port import Deletion


@dataclass(slots=True)
class Namespace:
    """Not thread-safe; the store has the lock."""

    points: dict[str, Point] = field(default_factory=dict)
    """As written."""
    deleted: dict[str, Position] = field(default_factory=dict)
    """Positions of deletions, so that an older upsert cannot bring a point back."""
    _seen: dict[str, Point] = field(default_factory=dict)
    _unseen: deque[tuple[float, str, Point | None]] = field(default_factory=deque)
    """(visible at, id, point or its absence), oldest first."""
    writes: int = 0

    def is_ahead_of(self, change: Point | Deletion) -> bool:
        """Whether the last write of this id is provably newer, deletions included."""
        held = self.points.get(change.id)
        last = held.stamp.position if held and held.stamp else self.deleted.get(change.id)
        position = _position_of(change)
        return last is not None and position is not None and position.is_before(last)

    def write(self, point: Point, visible_at_s: float) -> None:
        """Put a point, with a vector of its own: the caller's may be a row of a large array."""
        kept = Point(point.id, point.vector.copy(), dict(point.metadata), point.stamp)
        self.points[point.id] = kept
        self.deleted.pop(point.id, None)
        self._add(visible_at_s, point.id, kept)

    def remove(self, deletion: Deletion, visible_at_s: float) -> None:
        """Take a point away, if there is one, and remember when."""
        self.points.pop(deletion.id, None)
        self.deleted[deletion.id] = deletion.position
        self._add(visible_at_s, deletion.id, None)

    def mark(self, visible_at_s: float) -> int:
        """A write of nothing; its number."""
        self._add(visible_at_s, "", None)
        return self.writes

    def seen_to(self, now_s: float) -> int:
        """The number of the last write that readers see."""
        self.seen(now_s)
        return self.writes - len(self._unseen)

    def _add(self, visible_at_s: float, point_id: str, point: Point | None) -> None:
        self.writes += 1
        self._unseen.append((visible_at_s, point_id, point))

    def seen(self, now_s: float) -> dict[str, Point]:
        """What readers see now."""
        while self._unseen and self._unseen[0][0] <= now_s:
            _, point_id, point = self._unseen.popleft()
            if point is None:
                self._seen.pop(point_id, None)
            else:
                self._seen[point_id] = point
        return self._seen


def _position_of(change: Point | Deletion) -> Position | None:
    if isinstance(change, Point):
        return change.stamp.position if change.stamp else None
    return change.position
