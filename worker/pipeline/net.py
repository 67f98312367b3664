"""The net below the dead-letter topic: too many failures at once are no matter of single records.

``dlq.limit`` = k/n: of the last n records that ended, k may have failed. The window is a task's own
and begins empty with it.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

from worker.errors import FatalError

if TYPE_CHECKING:
    from worker.errors import RecordError

_KINDS = 3
"""Named in the reason; the most frequent ones."""


class _Fallen(NamedTuple):
    ended: int
    """Records that had ended before it."""
    kind: str


class Tolerated(NamedTuple):
    """So many of the last so many records may fail."""

    failures: int = 100
    records: int = 1000

    def __str__(self) -> str:
        return f"{self.failures}/{self.records}"


TOLERATED = Tolerated()
"""By default."""


class Net:
    """Counts failures over a sliding window; belongs to the task's thread."""

    def __init__(self, tolerated: Tolerated) -> None:
        self._tolerated = tolerated
        self._fallen: deque[_Fallen] = deque()

    def take(self, error: RecordError, ended: int) -> None:
        """A record fails, after so many of the task have ended; replays are not for it to count.

        Raises:
            FatalError: too many have.
        """
        self._fallen.append(_Fallen(ended, error.kind))
        while self._fallen[0].ended <= ended - self._tolerated.records:
            self._fallen.popleft()
        if len(self._fallen) > self._tolerated.failures:
            raise self._torn(error) from error

    def _torn(self, error: RecordError) -> FatalError:
        counts = Counter(one.kind for one in self._fallen)
        named = ", ".join(f"{kind} {count:,}" for kind, count in counts.most_common(_KINDS))
        last = self._tolerated.records
        return FatalError(
            f"{len(self._fallen):,} of the last {last:,} records failed ({named}), more than "
            f"dlq.limit={self._tolerated} allows; the last one: {error}. Something is wrong that a "
            "dead-letter topic cannot cure: put it right, then restart the task; what it had not "
            "sent to the dead-letter topic comes again"
        )
