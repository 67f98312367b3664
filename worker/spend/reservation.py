"""A reservation as the pipeline holds it, and what its end means."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.spend.records import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.spend.port import Part


_NOTHING = Settlement(0)


@immutable
class Bill:
    """What came of a reservation."""

    tokens: int = 0
    """Billed; an estimate where nobody says."""
    settlement: Settlement = _NOTHING
    """What stays spent of the budget: not less."""
    requests: int = 0
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Of each table."""


class Held:
    """A reservation that counts. The thread that made the call ends it."""

    def __init__(
        self,
        tokens: int,
        parts: Mapping[str, Part],
        end: Callable[[Bill], None],
        most: Callable[[], int] | None = None,
    ) -> None:
        """``most``: what such a call costs at most, as far as is known by then."""
        self._tokens = tokens
        self._parts = parts
        self._end = end
        self._most = most or (lambda: tokens)
        self._is_over = False

    @property
    def tokens(self) -> int:
        """How many were reserved; after ``keep`` those that stay spent."""
        return self._tokens

    def settle(self, tokens: int) -> None:
        """So many were billed."""
        self._end_with(Bill(tokens, Settlement(tokens), 1, self._parts))

    def cancel(self) -> None:
        """Nothing was billed."""
        self._end_with(Bill())

    def keep(self, probably: int) -> None:
        """It may have been billed like any other call."""
        if not self._is_over:
            self._tokens = min(self._tokens, self._most())
        kept = Settlement(self._tokens, is_kept=True)
        self._end_with(Bill(min(probably, self._tokens), kept, 1, self._parts))

    def _end_with(self, bill: Bill) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._end(bill)
