"""One truncate of one table, what it covers, and how it is written in the state topic.

    truncate/<table>/<position>            {"topic": …, "table": …, "position": …, …}
    truncate/<table>/<position>/swept/3    {"of": 57}

Each truncate has a key of its own, as two of one table may be written in any order. A partition is
swept when the truncate's record at this offset was carried out for it; a truncate that is read
again is written again and so has to be swept again.

Source positions grow with the log of one database server, and compare only there. So a commit time
more than a minute away decides by itself: either it says the same, or the table has moved to
another server. Within the minute clocks are not trusted and the position decides. On one server a
lock makes that safe: rows before a truncate were committed before it, those after it are not
committed earlier. (MySQL counts from the beginning of a statement, so a TRUNCATE that waited for
its lock seems older than it is.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.document.fingerprint import digest
from worker.document.metadata import SOURCE_TABLE, UPDATED_AT
from worker.document.place import Place, place_of, spelled
from worker.immutable import immutable
from worker.model import Origin

if TYPE_CHECKING:
    from worker.model import Change, MetadataValue, Point, Record
    from worker.state.port import Value

PREFIX = "truncate/"

_SWEPT = "swept"
_CLOCK_MS = 60_000


@immutable
class Truncation:
    """A table was emptied at this moment of its source."""

    topic: str
    topic_id: str
    origin: Origin

    @classmethod
    def of(cls, record: Record, origin: Origin) -> Truncation:
        """What a truncate's record says."""
        return cls(record.topic, record.topic_id, origin)

    @property
    def place(self) -> Place:
        """Its table, as documents know it."""
        return place_of(self.topic, self.origin)

    @property
    def key(self) -> str:
        """Of its record in the state topic."""
        origin = self.origin
        table = "\0".join((self.topic, origin.db or "", origin.schema or "", origin.table or ""))
        at = f"t{origin.committed_ms}" if origin.position is None else str(origin.position)
        return f"{PREFIX}{digest(table.encode())}/{at}"

    def swept_key(self, partition: int) -> str:
        """Of the record that says that it was carried out for a partition."""
        return f"{self.key}/{_SWEPT}/{partition}"

    @property
    def value(self) -> Value:
        """As it is written."""
        origin = self.origin
        return {
            "topic": self.topic,
            "topic_id": self.topic_id,
            "connector": origin.connector,
            "db": origin.db,
            "schema": origin.schema,
            "table": origin.table,
            "committed_ms": origin.committed_ms,
            "position": origin.position,
        }

    def is_about(self, place: Place) -> bool:
        """Whether this is its table; a database that nobody could say is taken to be the same."""
        ours = self.place
        return (
            place.topic == ours.topic
            and place.table == ours.table
            and place.schema == ours.schema
            and (place.db == ours.db or None in (place.db, ours.db))
        )

    def holds(self, point: Point) -> bool:
        """Whether a point of its topic is one of its table's rows."""
        table = point.metadata.get(SOURCE_TABLE)
        return isinstance(table, str) and spelled(table) == self.place.table

    def covers(self, change: Change) -> bool:
        """Whether a change of its topic is one of its table's and older; false where unknown."""
        ours, theirs = self.origin, change.origin
        if not self.is_about(place_of(change.record.topic, theirs)):
            return False
        is_same_kind = ours.connector == theirs.connector or not theirs.connector
        position = theirs.position if is_same_kind else None
        return self.is_after_moment(position, theirs.committed_ms) is True

    def is_after(self, point: Point) -> bool | None:
        """Whether a point of its table is older; None where nobody can say."""
        if point.stamp is None:
            return None
        committed_ms = _milliseconds(point.metadata.get(UPDATED_AT))
        return self.is_after_moment(point.stamp.source_position, committed_ms)

    def supersedes(self, other: Truncation) -> bool:
        """Whether it covers all that another truncate of the same table covers."""
        origin = other.origin
        return (
            self.is_about(other.place)
            and self.is_after_moment(origin.position, origin.committed_ms) is True
        )

    def is_after_moment(self, position: int | None, committed_ms: int | None) -> bool | None:
        """Whether what happened to its table then is older; None where nobody can say."""
        ours = self.origin
        by_position = (
            None if position is None or ours.position is None else position < ours.position
        )
        if committed_ms is None or ours.committed_ms is None:
            return by_position
        is_far = abs(committed_ms - ours.committed_ms) > _CLOCK_MS
        if by_position is None or is_far:
            return committed_ms < ours.committed_ms
        return by_position


class Key(NamedTuple):
    """A key, taken apart."""

    truncation: str
    """The key of the truncate's own record."""
    partition: int | None
    """None for that record itself."""


def key_of(text: str) -> Key | None:
    """The parts of a key; None if it is not of this form."""
    parts = text.removeprefix(PREFIX).split("/")
    try:
        table, at, *rest = parts
        if not rest:
            return Key(text, None)
        swept, partition = rest
        return Key(f"{PREFIX}{table}/{at}", int(partition)) if swept == _SWEPT else None
    except ValueError:
        return None


def truncation_of(value: Value) -> Truncation | None:
    """What a record says; None if it cannot be understood."""
    try:
        committed_ms, position = value["committed_ms"], value["position"]
        origin = Origin(
            connector=str(value["connector"]),
            db=value["db"],
            schema=value["schema"],
            table=value["table"],
            committed_ms=None if committed_ms is None else int(committed_ms),
            position=None if position is None else int(position),
        )
        return Truncation(str(value["topic"]), str(value["topic_id"]), origin)
    except (KeyError, TypeError, ValueError):
        return None


def _milliseconds(value: MetadataValue | None) -> int | None:
    return int(value) if isinstance(value, int | float) else None
