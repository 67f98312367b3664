"""Puts together what an estimate needs, for a connector whose index is open."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from worker.chunks import chunking_of, form_of
from worker.clock import SystemClock
from worker.config import kafka
from worker.decode.decoder import DebeziumDecoder
from worker.document.builder import DocumentBuilder
from worker.estimate.forecast import Pace, Purse
from worker.estimate.found import Surveyor
from worker.estimate.intake import Intake
from worker.estimate.meter import meter_of
from worker.estimate.stored import StoredPoints, Waiting
from worker.estimate.survey import Survey
from worker.estimate.tally import Tally
from worker.flow.batching import BufferLimits
from worker.pipeline.cutting import Measure
from worker.pipeline.model_guard import ModelGuard
from worker.pipeline.patience import Patience
from worker.settings import batch_policy, decoder_settings, document_spec
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.subscription import Subscription
from worker.spend.amount import budget_of

if TYPE_CHECKING:
    from types import TracebackType

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.embed.port import Embedder
    from worker.estimate.meter import Meter
    from worker.index import Index
    from worker.source.port import SpanReader

_AWAY_S = 30.0
"""Who is away for so long ends the estimate."""


class Surveying:
    """A surveyor with its connections."""

    def __init__(
        self,
        worker: WorkerConfig,
        config: ConnectorConfig,
        index: Index,
        reader: SpanReader | None = None,
    ) -> None:
        embedder = index.embedder
        patience = Patience(abort=threading.Event(), clock=SystemClock(), timeout_s=_AWAY_S)
        waiting, tally = Waiting(patience), Tally()
        chunking = chunking_of(config, embedder)
        documents = DocumentBuilder(document_spec(config), embedder.model, chunking=chunking)
        guard = ModelGuard(index.store, embedder.model, form_of(config))
        self.meter: Meter = meter_of(embedder)
        self._decoder = DebeziumDecoder(decoder_settings(config, documents.columns))
        self._stored = StoredPoints(
            index.store,
            guard,
            waiting,
            dimensions=embedder.model.dimensions,
            in_flight=config.batch.in_flight,
        )
        self._reader = reader or _reader(worker, config)
        intake = Intake(
            decoder=self._decoder,
            waiting=waiting,
            tally=tally,
            batch=batch_policy(config, embedder.limits),
            buffer=BufferLimits(config.batch.buffered_rows, config.batch.buffered_bytes),
        )
        survey = Survey(documents, self._stored, self.meter, _measure(embedder), tally)
        self.surveyor = Surveyor(self._reader, intake, survey, tally)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stored.close()
        self._decoder.close()
        self._reader.close()


def purse_of(config: ConnectorConfig, embedder: Embedder) -> Purse:
    """Price and budget.

    Raises:
        ConfigError: a budget in dollars, and no price.
    """
    price, limits = embedder.terms.price, config.budget
    budget_of(
        tokens_per_day=limits.tokens_per_day,
        usd_per_day=limits.usd_per_day,
        usd_per_million_tokens=None if price is None else price.usd_per_million_tokens,
    )
    return Purse(price, limits.tokens_per_day, limits.usd_per_day)


def pace_of(embedder: Embedder, latency_s: float | None) -> Pace:
    """Limits of the account, and the assumed time of a call."""
    return Pace(embedder.terms.rates, embedder.limits, latency_s)


def _reader(worker: WorkerConfig, config: ConnectorConfig) -> KafkaSpanReader:
    return KafkaSpanReader(
        KafkaSourceSettings(
            consumer=kafka.reader_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
            subscription=Subscription(config.subscription),
        )
    )


def _measure(embedder: Embedder) -> Measure:
    """What a call holds, as the embedding cuts it."""
    rates = embedder.terms.rates
    return Measure.of(embedder.limits, _whole(rates.inputs), _whole(rates.tokens))


def _whole(limit: float | None) -> int | None:
    return None if limit is None else max(1, int(limit))
