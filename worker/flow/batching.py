"""When a batch goes: by rows, bytes or age, and at once when waiting would gain nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.flow.backlog import Backlog


@immutable
class BatchPolicy:
    """Bounds of a batch, and how many may be under way."""

    max_rows: int = 288
    max_bytes: int = 2 << 20
    linger_s: float = 0.2
    max_in_flight: int = 8

    def rounded_to(self, texts_per_call: int) -> BatchPolicy:
        """The same, with rows rounded up so that the embedder's calls are full."""
        calls = -(-self.max_rows // texts_per_call)
        return BatchPolicy(
            calls * texts_per_call, self.max_bytes, self.linger_s, self.max_in_flight
        )

    def is_due(self, backlog: Backlog, *, in_flight: int, more_to_read: bool, now_s: float) -> bool:
        """Whether a batch should go now."""
        oldest_s = backlog.oldest_s
        if oldest_s is None or in_flight >= self.max_in_flight:
            return False
        if in_flight == 0 and not more_to_read:
            return True
        return (
            backlog.ready_rows >= self.max_rows
            or backlog.ready_bytes >= self.max_bytes
            or now_s - oldest_s >= self.linger_s
        )

    def due_in_s(self, backlog: Backlog, now_s: float) -> float:
        """Seconds until the oldest waiting change has lingered enough; infinite if none waits."""
        oldest_s = backlog.oldest_s
        return float("inf") if oldest_s is None else max(0.0, oldest_s + self.linger_s - now_s)


@immutable
class BufferLimits:
    """How much may be held in memory, as rows and as bytes of their records."""

    max_rows: int = 10_000
    max_bytes: int = 64 << 20

    def are_reached(self, rows: int, size: int) -> bool:
        """Whether reading has to stop."""
        return rows >= self.max_rows or size >= self.max_bytes

    def are_relaxed(self, rows: int, size: int) -> bool:
        """Whether reading may go on: at three quarters, so that it does not flap."""
        return 4 * rows <= 3 * self.max_rows and 4 * size <= 3 * self.max_bytes
