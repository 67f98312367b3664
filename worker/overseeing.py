"""Puts together what an overview of connectors needs; no embedder and no store is opened."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from worker.config import kafka
from worker.overview.kafka import KafkaBrokers
from worker.overview.look import Overview, Subject
from worker.source.clients import KafkaSourceSettings
from worker.source.subscription import Subscription
from worker.spend.amount import PICODOLLARS, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig


@contextmanager
def overviews(worker: WorkerConfig, configs: Sequence[ConnectorConfig]) -> Iterator[list[Overview]]:
    """One of each connector, with connections that are dropped at the end."""
    with ExitStack() as leaving:
        yield [leaving.enter_context(closing(overview(worker, config))) for config in configs]


def overview(worker: WorkerConfig, config: ConnectorConfig) -> Overview:
    """Of one connector; to be closed."""
    settings = KafkaSourceSettings(
        consumer=kafka.reader_properties(worker, config),
        admin=kafka.admin_properties(worker, config),
        subscription=Subscription(config.subscription),
    )
    subject = Subject(config.name, config.state_topic, config.dlq_topic, _limit(config))
    return Overview(subject, KafkaBrokers(config.group_id, settings, config.dlq_group_id))


def _limit(config: ConnectorConfig) -> Limit | None:
    budget = config.budget
    if budget.tokens_per_day is None and budget.usd_per_day is None:
        return None
    usd = budget.usd_per_day
    return Limit(budget.tokens_per_day, None if usd is None else round(usd * PICODOLLARS))
