"""Looks out for changes of rows whose dead letters are about to be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.flow.sequel import NOTHING_CAME, Sequel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from worker.model import Change, Key, Record, TopicPartition


@dataclass(slots=True, eq=False)
class Watched:
    """One row in one partition."""

    place: TopicPartition
    since: int
    """The first offset that counts; what is below is read beside the task."""
    sequel: Sequel = NOTHING_CAME
    is_elsewhere: bool = False
    """Whether a change of the row came in another partition."""

    def take(self, record: Record, sequel: Sequel) -> None:
        """Something came for it, after which its sequel is this."""
        if self.place != (record.topic, record.partition):
            self.is_elsewhere = True
        elif record.offset >= self.since:
            self.sequel = sequel


class Watch:
    """Belongs to the task's thread. ``rows`` is empty unless something is replayed."""

    def __init__(self) -> None:
        self.rows: dict[Key, list[Watched]] = {}

    def begin(self, place: TopicPartition, keys: Iterable[Key], since: int) -> None:
        """Collect what comes for these rows, from an offset on."""
        for key in keys:
            self.rows.setdefault(key, []).append(Watched(place, since))

    def find(self, place: TopicPartition, key: Key) -> Watched | None:
        """What came for a row of a partition."""
        return next((one for one in self.rows.get(key, ()) if one.place == place), None)

    def note(self, change: Change) -> None:
        """A change was received."""
        for watched in self.rows.get(change.key, ()):
            watched.take(change.record, watched.sequel.then(change))

    def note_unread(self, record: Record, key: Key | None) -> None:
        """A record was received that cannot be decoded; without a key it may be about any row."""
        if key is not None:
            for watched in self.rows.get(key, ()):
                watched.take(record, watched.sequel.then_unread())
            return
        for rows in self.rows.values():
            for watched in rows:
                if watched.place == (record.topic, record.partition):
                    watched.take(record, watched.sequel.then_unread())

    def end(self, place: TopicPartition, keys: Collection[Key]) -> None:
        """These are of no interest any more."""
        for key in keys:
            left = [one for one in self.rows.get(key, ()) if one.place != place]
            if left:
                self.rows[key] = left
            else:
                self.rows.pop(key, None)
