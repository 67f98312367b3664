"""What was asked of the server, what it did, and what it billed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.provider_local.job import Job


@dataclass(slots=True)
class Count:
    """One provider's numbers since the start or the last reset."""

    calls: int = 0
    errors: int = 0
    """Calls that were answered with a status of 400 or more, or not at all."""
    limited: int = 0
    """Calls that were over a limit per minute."""
    texts: int = 0
    """Embedded and billed."""
    tokens: int = 0
    """Billed."""
    bytes_in: int = 0
    bytes_out: int = 0
    most_at_once: int = 0
    """Calls that were open side by side."""
    connections: int = 0
    """Different sockets that calls came over."""
    first_ms: int = 0
    """When the first call came, in Unix time."""
    last_ms: int = 0
    """When the last one was answered."""


@dataclass(slots=True)
class _Provider:
    count: Count = field(default_factory=Count)
    open: int = 0
    sockets: set[tuple[str, int]] = field(default_factory=set)
    texts: Counter[str] = field(default_factory=Counter)


class Counters:
    """By provider; safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._providers: dict[str, _Provider] = {}

    @contextmanager
    def call(self, provider: str, client: tuple[str, int]) -> Iterator[Count]:
        """One call, while it is open; what is added to the count it gives is kept at the end."""
        own = Count(calls=1)
        with self._lock:
            kept = self._of(provider)
            kept.open += 1
            kept.count.first_ms = kept.count.first_ms or _now_ms()
            kept.sockets.add(client)
            kept.count.most_at_once = max(kept.count.most_at_once, kept.open)
        try:
            yield own
        finally:
            with self._lock:
                kept.open -= 1
                _add(kept.count, own)

    def paid(self, provider: str, job: Job) -> None:
        """The work was done: count texts and tokens, and each text by itself."""
        with self._lock:
            kept = self._of(provider)
            kept.count.texts += len(job.texts)
            kept.count.tokens += job.tokens
            kept.texts.update(job.texts)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Numbers by provider; ``repeated`` are texts that were billed more than once."""
        with self._lock:
            return {
                name: {
                    **asdict(kept.count),
                    "connections": len(kept.sockets),
                    "repeated": sum(1 for times in kept.texts.values() if times > 1),
                }
                for name, kept in sorted(self._providers.items())
            }

    def texts(self, above: int = 0) -> dict[str, dict[str, int]]:
        """By provider: how often each text was billed, where that is more than ``above``."""
        with self._lock:
            return {
                name: {text: times for text, times in kept.texts.items() if times > above}
                for name, kept in sorted(self._providers.items())
            }

    def reset(self) -> None:
        """Begin at zero."""
        with self._lock:
            self._providers = {}

    def _of(self, provider: str) -> _Provider:
        return self._providers.setdefault(provider, _Provider())


def _add(total: Count, own: Count) -> None:
    total.calls += own.calls
    total.errors += own.errors
    total.limited += own.limited
    total.bytes_in += own.bytes_in
    total.bytes_out += own.bytes_out
    total.last_ms = _now_ms()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
