"""Who uses an account here, and which part of it is therefore ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.throttle.rates import Rates, lowest

if TYPE_CHECKING:
    from collections.abc import Hashable


class Members:
    """Limits and partitions by member. Not thread-safe."""

    def __init__(self) -> None:
        self._rates: dict[Hashable, Rates] = {}
        self._partitions: dict[str, tuple[int, int]] = {}

    def name(self, member: Hashable, rates: Rates) -> None:
        """A member says what the account may do, in place of what it said before."""
        self._rates[member] = rates

    def hold(self, member: str, held: int, total: int) -> None:
        """A member holds some of all its partitions."""
        self._partitions[member] = (held, total)

    def leave(self, member: str) -> None:
        """Forget a member; unknown ones are ignored."""
        self._rates.pop(member, None)
        self._partitions.pop(member, None)

    @property
    def rates(self) -> Rates:
        """What this process may do in a minute."""
        return lowest(self._rates.values()).times(self._share)

    @property
    def _share(self) -> float:
        total = sum(total for _, total in self._partitions.values())
        if total <= 0:
            return 1.0
        held = sum(held for held, _ in self._partitions.values())
        # A process that holds nothing still ends calls of partitions that it has just lost.
        return min(max(held, 1) / total, 1.0)
