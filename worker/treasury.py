"""Where a connector's purse comes from; what was spent is kept in the state topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.spend.amount import budget_of, price_of
from worker.spend.limited import LimitedPurse
from worker.spend.unlimited import UnlimitedPurse
from worker.state.memory import MemoryStateTopic

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig
    from worker.embed.port import Price
    from worker.spend.port import Purse
    from worker.statehouse import Statehouse


class Counting:
    """For those who only ask: no budget, and nothing is kept."""

    def open(self, price: Price | None) -> Purse:
        """A purse that lets every call pass."""
        return UnlimitedPurse(MemoryStateTopic(), price=_picodollars(price))


class Treasury:
    """The purse of a connector's tasks."""

    def __init__(self, config: ConnectorConfig, state: Statehouse) -> None:
        self._config = config
        self._state = state

    def open(self, price: Price | None) -> Purse:
        """The purse; with a budget its calls wait for the state topic, without one they never do.

        Raises:
            ConfigError: a budget in dollars, and no price.
        """
        limits = self._config.budget
        budget = budget_of(
            tokens_per_day=limits.tokens_per_day,
            usd_per_day=limits.usd_per_day,
            usd_per_million_tokens=None if price is None else price.usd_per_million_tokens,
        )
        if budget is None:
            return UnlimitedPurse(self._state.topic, price=_picodollars(price))
        return LimitedPurse(self._state.topic, budget, connector=self._config.name)


def _picodollars(price: Price | None) -> int | None:
    return None if price is None else price_of(price.usd_per_million_tokens)
