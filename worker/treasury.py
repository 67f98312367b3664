"""Where a connector's purse comes from: a budget lives in the state topic, without one we count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.config import kafka
from worker.spend.amount import budget_of, price_of
from worker.spend.limited import LimitedPurse
from worker.spend.unlimited import UnlimitedPurse
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.memory import MemoryStateTopic
from worker.state.topic import StateTopicSpec

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.embed.port import Price
    from worker.spend.port import Purse

_CLOSE_S = 5.0
"""For the last records; what does not arrive is spent, not lost."""


class Counting:
    """For those who only ask: no budget, and nothing is kept."""

    def open(self, price: Price | None) -> Purse:
        """A purse that lets every call pass."""
        return UnlimitedPurse(MemoryStateTopic(), price=_picodollars(price))

    def close(self) -> None:
        """Nothing to close."""


class Treasury:
    """The purse of a connector's tasks; its state topic is made where there is a budget."""

    def __init__(self, worker: WorkerConfig, config: ConnectorConfig) -> None:
        self._worker = worker
        self._config = config
        self._topic: KafkaStateTopic | None = None

    def open(self, price: Price | None) -> Purse:
        """The purse.

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
            return Counting().open(price)
        self._topic = KafkaStateTopic(self._settings())
        return LimitedPurse(self._topic, budget, connector=self._config.name)

    def close(self) -> None:
        """Close the state topic, after the purse."""
        if self._topic is not None:
            self._topic.close(_CLOSE_S)

    def _settings(self) -> KafkaStateSettings:
        worker, config = self._worker, self._config
        return KafkaStateSettings(
            topic=StateTopicSpec(
                config.state_topic, replication_factor=config.errors.replication_factor
            ),
            consumer=kafka.state_consumer_properties(worker, config),
            producer=kafka.state_producer_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
        )


def _picodollars(price: Price | None) -> int | None:
    return None if price is None else price_of(price.usd_per_million_tokens)
