"""All questions for one connector."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from worker.chunks import chunking_of, form_of
from worker.config import kafka
from worker.embed.port import CountsTokens
from worker.errors import WorkerError
from worker.index import Index
from worker.live.check import DEADLINE_S, Check, Question, Verdict, answered
from worker.live.cluster import Cluster
from worker.live.services import ask_columns, ask_provider, ask_registry, ask_store
from worker.settings import decoder_settings, document_spec
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.subscription import Subscription
from worker.treasury import Counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.throttle.accounts import Accounts

_LOADING_S = 300.0
"""A model in this process may have to be fetched first."""


def checks_of(worker: WorkerConfig, config: ConnectorConfig, accounts: Accounts) -> Iterator[Check]:
    """Ask one after the other; what cannot be asked without the one before is left out."""
    name = config.name
    reached = answered(name, Question("kafka", lambda: _cluster(worker, config).reach()))
    yield reached
    if reached.verdict is Verdict.OK:
        yield from (answered(name, question) for question in _of_kafka(worker, config))
    yield from (answered(name, question) for question in _of_registries(config))
    yield from (answered(name, question) for question in _of_columns(config))
    yield from _of_index(config, accounts)


def _cluster(worker: WorkerConfig, config: ConnectorConfig) -> Cluster:
    return Cluster(kafka.admin_properties(worker, config))


def _of_kafka(worker: WorkerConfig, config: ConnectorConfig) -> Iterator[Question]:
    cluster, subscription = _cluster(worker, config), Subscription(config.subscription)
    yield Question("topics", lambda: cluster.topics(subscription))
    yield Question("group", lambda: _group(worker, config, cluster))
    topic = config.dlq_topic
    if topic is not None:
        yield Question("dead-letter topic", partial(cluster.writable, topic))
    budget = config.budget
    if budget.tokens_per_day is not None or budget.usd_per_day is not None:
        yield Question("state topic", partial(cluster.writable, config.state_topic))


def _group(worker: WorkerConfig, config: ConnectorConfig, cluster: Cluster) -> str:
    settings = KafkaSourceSettings(
        consumer=kafka.reader_properties(worker, config),
        admin=kafka.admin_properties(worker, config),
        subscription=Subscription(config.subscription),
    )
    with closing(KafkaSpanReader(settings)) as reader:
        return cluster.group(config.group_id, reader)


def _of_registries(config: ConnectorConfig) -> Iterator[Question]:
    """One question for keys and values, if they have the same registry."""
    settings, topics = decoder_settings(config, None), config.connector.topics
    subject = topics[0] if topics else config.name
    asked = set()
    for part, side in ((settings.value, "value"), (settings.key, "key")):
        if part.registry is not None and part.registry not in asked:
            asked.add(part.registry)
            yield Question("registry", partial(ask_registry, part.registry, f"{subject}-{side}"))


def _of_columns(config: ConnectorConfig) -> Iterator[Question]:
    """Of topics that are named: what a pattern matches is known by its first record."""
    registry, columns = decoder_settings(config, None).value.registry, document_spec(config).columns
    if registry is not None and columns:
        for topic in config.connector.topics:
            yield Question("columns", partial(ask_columns, registry, topic, columns))


def _of_index(config: ConnectorConfig, accounts: Accounts) -> Iterator[Check]:
    index = Index(config, accounts, Counting())
    try:
        is_here = isinstance(index.embedder, CountsTokens)
    except WorkerError as error:
        yield Check(config.name, "embedder", Verdict.WRONG, str(error))
        return
    deadline_s = _LOADING_S if is_here else DEADLINE_S
    with closing(index):
        yield answered(
            config.name, Question("embedder", lambda: _ask_embedder(config, index), deadline_s)
        )
        yield answered(config.name, Question("store", lambda: ask_store(index, form_of(config))))


def _ask_embedder(config: ConnectorConfig, index: Index) -> str:
    chunking_of(config, index.embedder)
    return ask_provider(index.embedder)
