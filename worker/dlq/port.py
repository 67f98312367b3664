"""What the pipeline needs of a dead-letter topic: a place that confirms what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.errors import RecordError
    from worker.model import Record


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that failed, as it came, and why."""

    record: Record
    error: RecordError
    attempts: int = 1


class DeadLetterQueue(Protocol):
    """A topic for what failed. One thread calls it: the one that polls."""

    def send(self, letter: DeadLetter) -> None:
        """Hand over without waiting; ``confirmed`` says when the broker has it."""
        ...

    def confirmed(self) -> Sequence[DeadLetter]:
        """Letters that the broker confirmed since the last call. Never blocks.

        Raises:
            FatalError: a letter cannot be delivered at all (too large even without its stack trace,
                no permission). An outage is waited for.
        """
        ...

    def close(self, timeout_s: float) -> None:
        """Wait up to ``timeout_s`` for what is under way."""
        ...
