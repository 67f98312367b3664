"""Counts of what was asked of the server, per operation."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Count:
    """What one operation did since the start or the last reset."""

    calls: int = 0
    errors: int = 0
    """Calls answered with a status of 400 or more, or not at all."""
    records: int = 0
    """Records written, read or deleted by name."""
    bytes_in: int = 0
    bytes_out: int = 0
    last_ms: int = 0
    """When the last call was answered, in Unix time."""


class Stats:
    """Counts by operation; safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Count] = {}

    def add(self, operation: str, count: Count) -> None:
        """Add one call."""
        with self._lock:
            total = self._counts.setdefault(operation, Count())
            total.calls += count.calls
            total.errors += count.errors
            total.records += count.records
            total.bytes_in += count.bytes_in
            total.bytes_out += count.bytes_out
            total.last_ms = time.time_ns() // 1_000_000

    def snapshot(self) -> dict[str, dict[str, int]]:
        """A copy."""
        with self._lock:
            return {name: asdict(count) for name, count in sorted(self._counts.items())}

    def reset(self) -> None:
        """Begin at zero."""
        with self._lock:
            self._counts.clear()
