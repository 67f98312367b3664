"""One gate for each account, for all tasks of the process."""

from __future__ import annotations

import random
import re
import threading
from typing import TYPE_CHECKING

from worker.throttle.gate import Gate

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.throttle.rates import Rates

_PROVIDER = re.compile(r"[A-Za-z]+")


class Accounts:
    """The gates of a process. Thread-safe."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()
        self._gates: dict[str, Gate] = {}

    def gate(self, account: str, rates: Rates, member: str | None = None) -> Gate:
        """The gate of an account, the same one for everybody who asks.

        The lowest limit that anybody has named holds: until ``leave`` of the member that named
        it, or until it names another; for ever if no member is named.
        """
        with self._lock:
            if account not in self._gates:
                self._gates[account] = Gate(_provider(account), self._clock, self._rng)
            gate = self._gates[account]
        gate.name(object() if member is None else member, rates)
        return gate


def _provider(account: str) -> str:
    """Its name alone: the rest of the account tells a digest of the key."""
    found = _PROVIDER.match(account)
    return found.group() if found else "the provider"
