"""Puts together what a task's replays talk to; no connection is opened before the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import murmur2

from worker.config import kafka
from worker.dlq import reading
from worker.pipeline.inquiry import Readers, ReplayPorts
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.decode.port import Decoder
    from worker.letters.book import LetterBook


def replay_ports(
    worker: WorkerConfig,
    config: ConnectorConfig,
    book: LetterBook | None,
    decoder: Callable[[], Decoder],
) -> ReplayPorts | None:
    """What replays talk to; None if there are no dead letters.

    Args:
        worker: how to reach Kafka.
        config: of the connector.
        book: of its letters, if it has a dead-letter topic.
        decoder: makes one as the task has it.
    """
    topic = config.dlq_topic
    if topic is None or book is None:
        return None

    def open_readers() -> Readers:
        return Readers(
            letters=_reader(worker, config, topic),
            origins=origin_reader(worker, config),
            decoder=decoder(),
        )

    limit = config.errors.dlq_max_replays
    return ReplayPorts(book, topic, reading, open_readers, murmur2, limit)


def origin_reader(worker: WorkerConfig, config: ConnectorConfig) -> KafkaSpanReader:
    """Reads the connector's topics beside its group."""
    return _reader(worker, config, *config.subscription)


def _reader(worker: WorkerConfig, config: ConnectorConfig, *topics: str) -> KafkaSpanReader:
    return KafkaSpanReader(
        KafkaSourceSettings(
            consumer=kafka.reader_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
            subscription=Subscription(topics),
        )
    )
