"""Puts together what looking after dead letters needs; no embedder and no store is opened."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import murmur2

from worker.clock import SystemClock
from worker.config import kafka
from worker.decode.decoder import DebeziumDecoder
from worker.dlq import reading as dlq_reading
from worker.dlq.reading import letters_of
from worker.errors import ConfigError
from worker.estimate.stored import Waiting
from worker.explain.reading import Reading
from worker.explaining import Explaining
from worker.immutable import immutable
from worker.lasting import LastingAdmin
from worker.letters.book import LetterBook
from worker.letters.case import Filing
from worker.pipeline.letters import LetterReading
from worker.pipeline.letters import Reading as ReplayReading
from worker.pipeline.patience import Patience
from worker.pipeline.tail import TailReading
from worker.settings import decoder_settings
from worker.source.clients import KafkaSourceSettings
from worker.source.group_offsets import KafkaGroupOffsets
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.subscription import Subscription
from worker.source.topic_ids import existing_ids
from worker.statehouse import Statehouse
from worker.triage.closing import Closing
from worker.triage.copied import CopiedBook
from worker.triage.mailbox import Mailbox
from worker.triage.outlook import Foresight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.explain.explainer import Explainer
    from worker.index import Index
    from worker.letters.standing import LetterId, Standing
    from worker.model import TopicPartition
    from worker.source.port import SpanReader

    Standings = Callable[[], Mapping[LetterId, Standing]]

_CALM: dict[str, Any] = {"log_level": 2, "logger": logging.getLogger("worker.source.librdkafka")}
_ASK_S = 10.0
_AWAY_S = 30.0
"""A registry that is away for so long ends the command."""


def dlq_topic_of(config: ConnectorConfig) -> str:
    """The connector's dead-letter topic.

    Raises:
        ConfigError: it has none.
    """
    if config.dlq_topic is None:
        raise ConfigError(
            f"{config.name} has no dead-letter topic: errors.tolerance is none, so that the task "
            "stops at the first bad record"
        )
    return config.dlq_topic


@contextmanager
def mailbox_of(
    worker: WorkerConfig, config: ConnectorConfig, standings: Standings | None = None
) -> Iterator[Mailbox]:
    """The connector's letters, with connections that are dropped at the end.

    Args:
        worker: how to reach Kafka.
        config: of the connector.
        standings: what became of letters; as the state topic says, read beside the group, if None.

    Raises:
        ConfigError: it has no dead-letter topic.
    """
    topic = dlq_topic_of(config)
    with ExitStack() as leaving:
        reader = leaving.enter_context(closing(_reader(worker, config, topic)))
        keys = leaving.enter_context(
            closing(DebeziumDecoder(decoder_settings(config, frozenset())))
        )
        if standings is None:
            state = leaving.enter_context(closing(_reader(worker, config, config.state_topic)))
            standings = CopiedBook(state, config.state_topic).standings
        yield Mailbox(
            reader=reader,
            filing=Filing(letters_of(config.name), standings, config.errors.dlq_max_replays),
            reading=Reading(keys, _waiting()),
        )


@immutable
class Desk:
    """The connector's letters, with the book in which what becomes of them is written."""

    mailbox: Mailbox
    book: LetterBook
    closing: Closing


@contextmanager
def desk_of(worker: WorkerConfig, config: ConnectorConfig) -> Iterator[Desk]:
    """As ``mailbox_of``, to write as well.

    Raises:
        ConfigError: it has no dead-letter topic.
    """
    waiting, state = _waiting(), Statehouse(worker, config)
    book = LetterBook(state.topic)

    def standings() -> Mapping[LetterId, Standing]:
        waiting("reading the state topic", book.sync)
        return book.standings()

    admin = kafka.admin_properties(worker, config)
    offsets = KafkaGroupOffsets(config.dlq_group_id, admin)
    topic_ids = partial(existing_ids, LastingAdmin({**_CALM, **admin}))
    with closing(state), mailbox_of(worker, config, standings) as mailbox:
        yield Desk(mailbox, book, Closing(book, offsets.alter, waiting, topic_ids))


@contextmanager
def foresight_of(
    worker: WorkerConfig, config: ConnectorConfig, index: Index
) -> Iterator[tuple[Foresight, Explainer]]:
    """What replays would do, by an index that is open; and what explains rows."""
    topic = dlq_topic_of(config)
    patience = _patience()
    with ExitStack() as leaving:
        explaining = leaving.enter_context(Explaining(worker, config, index))
        letters = leaving.enter_context(closing(_reader(worker, config, topic)))
        origins = leaving.enter_context(closing(_reader(worker, config, *config.subscription)))
        explainer = explaining.explainer
        reading = ReplayReading(explainer.reading.decoder, patience)
        yield (
            Foresight(
                LetterReading(topic, letters, reading, dlq_reading, config.errors.dlq_max_replays),
                TailReading(origins, reading, murmur2),
                explainer.rehearsal,
            ),
            explainer,
        )


def places_of(worker: WorkerConfig, config: ConnectorConfig) -> set[TopicPartition]:
    """The partitions that the connector reads.

    Raises:
        RetriableError: the brokers do not answer.
        FatalError: they do not let us in.
    """
    with closing(_reader(worker, config, *config.subscription)) as reader:
        return set(reader.standings(_ASK_S))


def _waiting() -> Waiting:
    return Waiting(_patience())


def _patience() -> Patience:
    return Patience(abort=threading.Event(), clock=SystemClock(), timeout_s=_AWAY_S)


def _reader(worker: WorkerConfig, config: ConnectorConfig, *topics: str) -> SpanReader:
    return KafkaSpanReader(
        KafkaSourceSettings(
            consumer=kafka.reader_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
            subscription=Subscription(topics),
        )
    )
