"""Limits per minute as the providers keep them: a count per key that begins anew each minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.provider_local.faults import PerMinute
    from worker.provider_local.job import Job


@dataclass(slots=True)
class _Window:
    until_s: float
    requests: int = 0
    inputs: int = 0
    tokens: int = 0


class Windows:
    """One window for each provider and key; new limits begin anew. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}
        self._limit: PerMinute | None = None

    def admit(self, account: tuple[str, str], limit: PerMinute, job: Job) -> float | None:
        """Count the call; or the seconds until it may come again, and then it is not counted."""
        if limit != self._limit:
            self._limit, self._windows = limit, {}
        now_s = self._clock.now_s()
        window = self._windows.get(account)
        if window is None or now_s >= window.until_s:
            window = self._windows[account] = _Window(now_s + limit.window_s)
        wanted = _Window(
            window.until_s,
            window.requests + 1,
            window.inputs + len(job.texts),
            window.tokens + job.tokens,
        )
        if _is_over(wanted, limit):
            return window.until_s - now_s
        self._windows[account] = wanted
        return None

    def headers(self, account: tuple[str, str], limit: PerMinute) -> dict[str, str]:
        """What is left, as OpenAI says it in ``x-ratelimit-…``."""
        window = self._windows.get(account)
        if window is None:
            return {}
        reset = f"{max(0.0, window.until_s - self._clock.now_s()):.3f}s"
        found: dict[str, str] = {}
        for name, most, used in (
            ("requests", limit.requests, window.requests),
            ("tokens", limit.tokens, window.tokens),
        ):
            if most is not None:
                found[f"x-ratelimit-limit-{name}"] = str(most)
                found[f"x-ratelimit-remaining-{name}"] = str(max(0, most - used))
                found[f"x-ratelimit-reset-{name}"] = reset
        return found


def _is_over(window: _Window, limit: PerMinute) -> bool:
    pairs = (
        (window.requests, limit.requests),
        (window.inputs, limit.inputs),
        (window.tokens, limit.tokens),
    )
    return any(most is not None and used > most for used, most in pairs)
