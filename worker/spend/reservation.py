"""A reservation as the pipeline holds it, and what its end means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.spend.port import Part


@dataclass(frozen=True, slots=True)
class Bill:
    """What came of a reservation."""

    tokens: int = 0
    """Billed; an estimate where nobody says."""
    held: int = 0
    """What no other reservation of the day may take: all, where no answer came."""
    requests: int = 0
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Of each table."""


class Held:
    """A reservation that counts. The thread that made the call ends it."""

    def __init__(self, tokens: int, parts: Mapping[str, Part], end: Callable[[Bill], None]) -> None:
        self._tokens = tokens
        self._parts = parts
        self._end = end
        self._is_over = False

    @property
    def tokens(self) -> int:
        """How many were reserved."""
        return self._tokens

    def settle(self, tokens: int) -> None:
        """So many were billed."""
        self._end_with(Bill(tokens, tokens, 1, self._parts))

    def cancel(self) -> None:
        """Nothing was billed."""
        self._end_with(Bill())

    def keep(self, probably: int) -> None:
        """All of it may have been billed."""
        self._end_with(Bill(probably, self._tokens, 1, self._parts))

    def _end_with(self, bill: Bill) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._end(bill)
