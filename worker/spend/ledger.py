"""One day's reservations and settlements, folded in the order of the log.

A reservation counts if it fits beside everything that counts before it; one that does not fit is
void for everybody. What follows from the log alone is the same on all pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.spend.amount import Amount
from worker.spend.density import Density

if TYPE_CHECKING:
    from worker.spend.records import Claim, ClaimId, Settlement

WARNING_SHARE = 0.8


@immutable
class _Open:
    """A reservation that counts and was not settled."""

    claim: Claim
    seen_s: float
    """When this pod read it, by its clock."""


class DayLedger:
    """Not thread-safe."""

    def __init__(self) -> None:
        self.spent = Amount()
        """Settled."""
        self.reserved = Amount()
        """Counts, and is not settled."""
        self.density = Density()
        self._open: dict[ClaimId, _Open] = {}
        self._settled_early: dict[ClaimId, Settlement] = {}
        self._has_warned = False

    @property
    def held(self) -> Amount:
        """What no other reservation may take."""
        return self.spent + self.reserved

    def reserve(self, claim_id: ClaimId, claim: Claim, now_s: float) -> bool:
        """Whether it counts."""
        if not claim.limit.allows(self.held + claim.amount):
            return False
        early = self._settled_early.pop(claim_id, None)
        if early is not None:
            self._spend(claim, early)
            return True
        self.reserved += claim.amount
        self._open[claim_id] = _Open(claim, now_s)
        return True

    def settle(self, claim_id: ClaimId, settlement: Settlement) -> bool:
        """End a reservation; whether with it 80 % are spent, for the first time.

        After an outage the end may stand before the beginning, as both were sent again.
        """
        found = self._open.pop(claim_id, None)
        if found is None:
            self._settled_early[claim_id] = settlement
            return False
        self.reserved -= found.claim.amount
        self._spend(found.claim, settlement)
        if self._has_warned or found.claim.limit.share(self.spent) < WARNING_SHARE:
            return False
        self._has_warned = True
        return True

    def stuck(self, before_s: float) -> Amount:
        """Reservations read before this moment and not settled since: their pods probably died."""
        amounts = (one.claim.amount for one in self._open.values() if one.seen_s < before_s)
        return sum(amounts, start=Amount())

    def _spend(self, claim: Claim, settlement: Settlement) -> None:
        """What was kept, as no answer came, or cancelled, says nothing of what calls cost."""
        tokens = settlement.tokens
        self.spent += claim.costs(tokens)
        if not settlement.is_kept and tokens not in (0, claim.tokens):
            self.density.learn(claim.upper_bound, tokens)
