"""Puts together what an explanation needs, for a connector whose index is open."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Self

from worker.build import reselector
from worker.chunks import chunking_of, form_of
from worker.clock import FakeClock, SystemClock
from worker.config import kafka
from worker.decode.decoder import DebeziumDecoder
from worker.dlq.reading import letters_of
from worker.document.builder import DocumentBuilder
from worker.estimate.meter import meter_of
from worker.estimate.stored import Waiting
from worker.explain.explainer import Explainer
from worker.explain.letters import Letters
from worker.explain.reading import Reading
from worker.explain.rehearsal import Rehearsal
from worker.letters import standing
from worker.letters.book import LetterBook
from worker.letters.case import Filing
from worker.marks import dead_rows, truncation
from worker.marks.dead_rows import DeadRows
from worker.marks.port import NoMarks, NoWatermarks
from worker.marks.watermarks import TableWatermarks
from worker.pipeline.batch import BatchRunner
from worker.pipeline.lease import Lease
from worker.pipeline.model_guard import ModelGuard
from worker.pipeline.patience import Patience
from worker.settings import decoder_settings, document_spec
from worker.source.clients import KafkaSourceSettings
from worker.source.kafka_spans import KafkaSpanReader
from worker.source.subscription import Subscription
from worker.state.copy import copy_of

if TYPE_CHECKING:
    from types import TracebackType

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.index import Index
    from worker.marks.port import Watermarks
    from worker.source.port import SpanReader
    from worker.state.port import StateTopic

_ASK_S = 10.0
_AWAY_S = 30.0
"""Who is away for so long ends the explanation."""
_SESSION_S = 10.0
"""Of no meaning, as nothing is written."""


class Explaining:
    """An explainer with its connections."""

    def __init__(self, worker: WorkerConfig, config: ConnectorConfig, index: Index) -> None:
        spec, model = document_spec(config), index.embedder.model
        patience = Patience(abort=threading.Event(), clock=SystemClock(), timeout_s=_AWAY_S)
        documents = DocumentBuilder(spec, model, chunking=chunking_of(config, index.embedder))
        waiting = Waiting(patience)
        clock = FakeClock()
        state = _copied_state(worker, config)
        self._reselector = reselector(config)
        runner = BatchRunner.of(
            documents=documents,
            embedding=index.embedding,
            store=index.store,
            guard=ModelGuard(index.store, model, form_of(config)),
            lease=Lease(clock, _SESSION_S),
            patience=patience,
            clock=clock,
            cached_rows=1,
            watermarks=watermarks_of(config, state),
            marks=NoMarks() if config.dlq_topic is None else DeadRows(state),
            reselector=self._reselector,
        )
        self._decoders = [
            DebeziumDecoder(decoder_settings(config, columns))
            for columns in (documents.columns, None)
        ]
        reading, whole_rows = (Reading(decoder, waiting) for decoder in self._decoders)
        self._readers = [_reader(worker, config, config.subscription)]
        letters = None
        if config.dlq_topic is not None:
            self._readers.append(_reader(worker, config, (config.dlq_topic,)))
            told, standings = letters_of(config.name), LetterBook(state).standings
            filing = Filing(told, standings, config.errors.dlq_max_replays)
            letters = Letters(self._readers[-1], reading, filing)
        self.explainer = Explainer(
            connector=config.name,
            dead_letter_topic=config.dlq_topic,
            reader=self._readers[0],
            letters=letters,
            reading=reading,
            whole_rows=whole_rows,
            documents=documents,
            when=spec.when,
            rehearsal=Rehearsal(runner, clock),
            store=index.store,
            parking=runner.lookup.parking,
            meter=meter_of(index.embedder),
            waiting=waiting,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for decoder in self._decoders:
            decoder.close()
        for reader in self._readers:
            reader.close()
        if self._reselector is not None:
            self._reselector.close()


def watermarks_of(config: ConnectorConfig, state: StateTopic) -> Watermarks:
    """The truncates that count, as ``truncate.mode`` says."""
    empties = config.events.truncate_mode == "delete"
    return TableWatermarks(state) if empties else NoWatermarks()


def _copied_state(worker: WorkerConfig, config: ConnectorConfig) -> StateTopic:
    """The state topic is asked for marks by writing to it, so a copy is asked."""
    with closing(_reader(worker, config, (config.state_topic,))) as reader:
        spans = {place: one.log for place, one in reader.standings(_ASK_S).items()}
        records = chain.from_iterable(reader.read(spans))
        return copy_of(records, (dead_rows.PREFIX, truncation.PREFIX, standing.PREFIX))


def _reader(worker: WorkerConfig, config: ConnectorConfig, topics: tuple[str, ...]) -> SpanReader:
    return KafkaSpanReader(
        KafkaSourceSettings(
            consumer=kafka.reader_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
            subscription=Subscription(topics),
        )
    )
