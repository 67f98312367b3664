"""What a task does with dead letters that are asked for: ``owned_replays``, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.errors import RecordError
    from worker.flow.entry import Entry
    from worker.model import Outcome, TopicPartition
    from worker.pipeline.candidate import Replayed


class Replays(Protocol):
    """What a task does with letters that are asked for; belongs to its thread, never blocks."""

    @property
    def rows(self) -> int:
        """Letters that are asked for, of the partitions held; of all while none is held yet."""
        ...

    def look_now(self) -> None:
        """Partitions came."""
        ...

    def tick(self, room: int, delay: str) -> None:
        """Go on; so many letters may enter the backlog.

        ``delay`` is why those that do may have to wait there, empty if they need not.

        Raises:
            FatalError: the state topic refuses what became of them.
        """
        ...

    def hold(self, why: str) -> None:
        """In place of ``tick``: begin nothing, and say why.

        Raises:
            FatalError: as ``tick``.
        """
        ...

    def ended(self, entry: Replayed, outcome: Outcome, newest: Entry) -> None:
        """A letter's change had this outcome, in work that ended with ``newest``."""
        ...

    def failed(self, entry: Replayed, error: RecordError) -> None:
        """A letter's change failed again."""
        ...

    def give_up(self, partitions: Collection[TopicPartition]) -> None:
        """These go in order: what was said of why their letters wait is no longer true.

        Raises:
            FatalError: as ``tick``.
        """
        ...

    def drop_lost(self) -> None:
        """Forget what belongs to partitions that are gone; what is asked for stays so."""
        ...

    def close(self) -> None:
        """Let threads end."""
        ...


class NoReplays:
    """There are no dead letters."""

    rows = 0

    def look_now(self) -> None:
        """Nothing is asked for."""

    def tick(self, room: int, delay: str) -> None:
        """Nothing is asked for."""

    def hold(self, why: str) -> None:
        """Nothing is asked for."""

    def ended(self, entry: Replayed, outcome: Outcome, newest: Entry) -> None:
        """Never called."""

    def failed(self, entry: Replayed, error: RecordError) -> None:
        """Never called."""

    def give_up(self, partitions: Collection[TopicPartition]) -> None:
        """Nothing is asked for."""

    def drop_lost(self) -> None:
        """There is nothing."""

    def close(self) -> None:
        """There are no threads."""
