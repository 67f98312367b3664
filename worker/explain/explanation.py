"""Everything that is known of a row, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.estimate.meter import Tokens
    from worker.explain.rehearsal import Rehearsed
    from worker.explain.search import Trail
    from worker.explain.step import Step
    from worker.letters.case import Case
    from worker.model import Point, Value
    from worker.pipeline.known import Address
    from worker.source.port import Reach


@immutable
class Text:
    """What is embedded for the row as it is now."""

    text: str
    tokens: Tokens


@immutable
class Entry:
    """What the index has under the row's id."""

    address: Address
    point: Point | None
    parked: Point | None
    """Its point in the parking place, as the row's key has changed."""


@immutable
class Explanation:
    """What was found; see ``worker.explain.verdict`` for what it means."""

    connector: str
    dead_letter_topic: str | None
    wanted: str
    topic: str
    trail: Trail
    steps: Sequence[Step]
    """The trail, decoded; oldest first."""
    newest: Step | None
    standing: Reach | None
    """Of the newest record's partition."""
    row: Mapping[str, Value] | None
    """The newest row with all its columns."""
    when: bool | None
    """What ``document.when`` says of it; None if there is none, or if nobody can know."""
    text: Text | None
    """None if the row has none, or if nobody can know."""
    entry: Entry | None
    """None where nobody can tell the row's id."""
    letters: Sequence[Case]
    rehearsed: Rehearsed | None
    """What would happen now; None without a change."""

    @property
    def point(self) -> Point | None:
        """What the index has of the row."""
        return None if self.entry is None else self.entry.point

    @property
    def next_offset(self) -> int:
        """Where the group goes on in the newest record's partition."""
        return 0 if self.standing is None else self.standing.next_offset

    @property
    def is_read(self) -> bool:
        """Whether the group has committed the newest record."""
        return self.newest is not None and self.newest.record.offset < self.next_offset

    @property
    def lag(self) -> int:
        """Offsets that the group still has to read in that partition."""
        return 0 if self.standing is None else self.standing.log.end - self.next_offset

    @property
    def letter(self) -> Case | None:
        """The dead letter of the newest record."""
        if self.newest is None:
            return None
        record = self.newest.record
        return next((one for one in reversed(self.letters) if one.letter.is_of(record)), None)

    @property
    def has_newest(self) -> bool:
        """Whether the index is as of the newest record."""
        point = self.point
        if point is None or point.stamp is None or self.newest is None:
            return False
        position, theirs = self.newest.record.position, point.stamp.position
        return position.comparable(theirs) and position.offset == theirs.offset
