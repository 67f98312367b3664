"""What batches ask about a row before they trust the index, and what they tell about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from worker.document.place import Place
    from worker.model import Change, Key, Point, Position


class Watermarks(Protocol):
    """Truncates: what is older than its table's last one is gone. Thread-safe, never waits."""

    @property
    def may_come(self) -> bool:
        """Whether truncates count, so that one may yet be read that came before what is done now.

        Of other partitions nobody knows how far they are.
        """
        ...

    def covers(self, change: Change) -> bool:
        """Whether a truncate came after this change, so that it must not be written."""
        ...

    def covers_point(self, point: Point, place: Place) -> bool:
        """Whether a point of this table counts as not there: a truncate came after it."""
        ...

    def covers_moment(
        self, place: Place, source_position: int | None, committed_ms: int | None
    ) -> bool:
        """The same of what is remembered of a point."""
        ...


class NoWatermarks:
    """Truncates do nothing to rows (``truncate.mode`` is not ``delete``)."""

    may_come = False

    def covers(self, change: Change) -> bool:  # noqa: ARG002 - the port's
        """Nothing is covered."""
        return False

    def covers_point(self, point: Point, place: Place) -> bool:  # noqa: ARG002 - the port's
        """Nothing is covered."""
        return False

    def covers_moment(
        self,
        place: Place,  # noqa: ARG002 - the port's
        source_position: int | None,  # noqa: ARG002
        committed_ms: int | None,  # noqa: ARG002
    ) -> bool:
        """Nothing is covered."""
        return False


class Marks(Protocol):
    """Rows with a dead-lettered change: nobody knows what text they have. Thread-safe.

    A mark is known here as soon as it is made, and to the group's other pods once it is kept.
    """

    def mark(self, key: Key, position: Position) -> None:
        """The change of the row at this position is on its way to the dead letters. Never waits."""
        ...

    def keep(self) -> None:
        """Wait until all marks that were made here are written for good.

        Raises:
            RetriableError: the brokers are away; to be called again.
            FatalError: they refuse it.
        """
        ...

    def is_marked(self, key: Key, position: Position) -> bool:
        """Whether an earlier change of the row is a dead letter that nothing made good.

        Earlier than this position, or not comparable with it; good is made by a change that says
        the whole row, or that it is gone. Waits, the first time after ``look_again``, until
        everything written so far is read.

        Raises:
            RetriableError: it could not be read in time; to be called again.
            FatalError: it cannot be read.
        """
        ...

    def clear(self, key: Key, position: Position, began_at: Position | None = None) -> None:
        """A change was written after which the row is known again, or is gone. Never waits.

        Without effect where the change is provably older than the last dead one. ``began_at`` is of
        a change that does not say the whole row, and was completed by the index: the oldest change
        that is a part of it. Dead ones before that still count.
        """
        ...

    def look_again(self) -> None:
        """Partitions came that others may have made marks for."""
        ...

    @property
    def has_any(self) -> bool:
        """Whether a row is marked, as far as it is known here: else there is nothing to clear."""
        ...


class NoMarks:
    """There are no dead letters (``errors.tolerance`` is ``none``)."""

    def mark(self, key: Key, position: Position) -> None:
        """Nothing to remember."""

    def keep(self) -> None:
        """Nothing to write."""

    def is_marked(self, key: Key, position: Position) -> bool:  # noqa: ARG002 - the port's
        """No row is."""
        return False

    def clear(self, key: Key, position: Position, began_at: Position | None = None) -> None:
        """Nothing to forget."""

    def look_again(self) -> None:
        """Nothing to read."""

    @property
    def has_any(self) -> bool:
        """No row is marked."""
        return False
