"""Time as a port, so that tests decide what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading


class Clock(Protocol):
    """Monotonic time in seconds, and the time of day, which other machines can be told."""

    def now_s(self) -> float:
        """Seconds since an arbitrary, fixed moment; never goes back."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until the event is set or the time has passed; true if it is set."""
        ...

    def unix_ms(self) -> int:
        """Milliseconds of Unix time, as this machine has it; may be wrong, and may be set back."""
        ...


_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_000
"""The first and the last second of Python's calendar."""


def calendar(unix_ms: int) -> datetime:
    """In UTC; what Python's calendar does not have is its first or last second.

    The timestamp of a record may be any number.
    """
    return datetime.fromtimestamp(min(max(unix_ms, _FIRST_MS), _LAST_MS) / 1000, UTC)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's monotonic clock, which on Linux goes on while the machine is suspended."""

    def now_s(self) -> float:
        """Seconds since boot, or of the monotonic clock where the system has no such one."""
        return time.clock_gettime(_CLOCK)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Block the calling thread on the event."""
        return event.wait(timeout_s)

    def unix_ms(self) -> int:
        """What the system says."""
        return time.time_ns() // 1_000_000


class FakeClock:
    """A clock that moves only when told to, or when somebody waits on it."""

    def __init__(self, now_s: float = 1_000.0) -> None:
        self._now_s = now_s
        self.waits: list[float] = []

    def now_s(self) -> float:
        """The time that was set."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now_s += seconds

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Pretend to have waited, and remember for how long."""
        self.waits.append(timeout_s)
        if not event.is_set():
            self.advance(timeout_s)
        return event.is_set()

    def unix_ms(self) -> int:
        """Moves with the time that was set."""
        return int(1000 * self._now_s)
