"""The one place that picks concrete classes: from settings to tasks that run."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from worker import __version__
from worker.chunks import chunking_of, form_of
from worker.clock import SystemClock
from worker.config import kafka
from worker.decode.decoder import DebeziumDecoder
from worker.dlq.headers import Sender
from worker.dlq.kafka import KafkaDeadLetterQueue, KafkaDeadLetterSettings
from worker.dlq.topic import TopicSpec
from worker.document.builder import DocumentBuilder
from worker.flow.batching import BufferLimits
from worker.immutable import immutable
from worker.index import Index
from worker.noting import Notes
from worker.pipeline.batch import BatchRunner
from worker.pipeline.goal import Goal
from worker.pipeline.heads import Heads
from worker.pipeline.later import LaterRecords
from worker.pipeline.lease import Lease
from worker.pipeline.model_guard import ModelGuard
from worker.pipeline.net import Tolerated
from worker.pipeline.patience import Patience
from worker.pipeline.settings import Ports, TaskSettings
from worker.pipeline.task import Task
from worker.plugins import RESELECTORS, Registry
from worker.replaying import origin_reader, replay_ports
from worker.runtime.supervisor import Assembled, TaskSpec
from worker.settings import batch_policy, decoder_settings, document_spec, session_of
from worker.source.clients import KafkaSourceSettings
from worker.source.departure import for_good
from worker.source.group_offsets import KafkaGroupOffsets
from worker.source.kafka import KafkaSource
from worker.source.subscription import Subscription
from worker.statehouse import Statehouse
from worker.telemetry.counters import Counters
from worker.telemetry.spans import BatchSpans
from worker.throttle.accounts import Accounts
from worker.treasury import Treasury

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.dlq.port import DeadLetterQueue
    from worker.model import TopicPartition
    from worker.reselect.port import Reselector
    from worker.source.kafka_spans import KafkaSpanReader

_LEAVING_S = 5.0
"""Of ``shutdown.timeout.ms``, if it is long: for the last commit and to leave the group."""


@immutable
class Assembly:
    """The tasks of one connector on this worker, and what they share."""

    worker: WorkerConfig
    config: ConnectorConfig
    index: Index
    state: Statehouse
    """Closed last, as the others write to it."""
    reselector: Reselector | None
    """Reads missing columns from the source database; None where none is named."""
    notes: Notes
    stays: Callable[[], bool] = field(default=for_good, kw_only=True)
    """Whether static members keep their places when the tasks end."""

    @classmethod
    def of(
        cls,
        worker: WorkerConfig,
        config: ConnectorConfig,
        accounts: Accounts,
        stays: Callable[[], bool] = for_good,
    ) -> Assembly:
        """Nothing is opened yet. ``accounts`` are those of the whole process.

        Raises:
            ConfigError: the source database cannot be read; ``worker.checks`` finds it, too.
        """
        state = Statehouse(worker, config)
        index = Index(config, accounts, Treasury(config, state))
        notes = Notes(config, state, index)
        return cls(worker, config, index, state, reselector(config), notes, stays=stays)

    def specs(self, *, until_caught_up: bool) -> list[TaskSpec]:
        """One per ``tasks.max``; they make their clients when they begin."""
        return [
            TaskSpec(
                self.config.name,
                number,
                lambda abort, number=number: self._assemble(number, abort, until_caught_up),  # type: ignore[misc]
            )
            for number in range(self.config.connector.tasks_max)
        ]

    def close(self) -> None:
        """Release what the tasks shared; for after their end."""
        self.index.close()
        if self.reselector is not None:
            self.reselector.close()
        self.state.close()

    def _assemble(self, number: int, abort: threading.Event, until_caught_up: bool) -> Assembled:  # noqa: FBT001 - bound by ``specs``
        clock = SystemClock()
        errors = self.config.errors
        patience = Patience(
            abort=abort,
            clock=clock,
            timeout_s=errors.retry_timeout_s,
            max_delay_s=errors.retry_delay_max_s,
        )
        self.index.open()
        self.index.check(patience, self._committed)
        self.notes.open(patience)
        model = self.index.embedder.model
        chunking = chunking_of(self.config, self.index.embedder)
        documents = DocumentBuilder(document_spec(self.config), model, chunking=chunking)
        decoding = decoder_settings(self.config, documents.columns)
        source = self._source(number)
        consumer = kafka.consumer_properties(self.worker, self.config, number)
        session_s = session_of(consumer)
        lease = Lease(clock, session_s)
        heads = Heads(self._origins, patience, clock)
        runner = BatchRunner.of(
            documents=documents,
            embedding=self.index.embedding,
            store=self.notes.store,
            guard=ModelGuard(self.index.store, model, form_of(self.config)),
            lease=lease,
            patience=patience,
            clock=clock,
            cached_rows=self.config.batch.cached_rows,
            watermarks=self.notes.watermarks,
            marks=self.notes.marks,
            reselector=self.reselector,
            later=LaterRecords(self._origins, lambda: DebeziumDecoder(decoding), patience),
            heads=heads,
            spans=BatchSpans(self.config.name, self.config.group_id),
        )
        counters = Counters()
        task = Task(
            ports=Ports(
                source=source,
                decoder=DebeziumDecoder(decoding),
                runner=runner,
                dead_letters=self._dead_letters(number),
                truncates=self.notes.truncates(documents, lease, patience, counters),
                marks=self.notes.marks,
                replays=replay_ports(
                    self.worker,
                    self.config,
                    self.notes.letters,
                    lambda: DebeziumDecoder(decoding),
                ),
                heads=heads,
            ),
            settings=self._settings(number, session_s),
            lease=lease,
            patience=patience,
            clock=clock,
            counters=counters,
            abort=abort,
        )
        return Assembled(task, Goal(source, clock) if until_caught_up else None)

    def _committed(self) -> Mapping[TopicPartition, int]:
        admin = kafka.admin_properties(self.worker, self.config)
        return KafkaGroupOffsets(self.config.group_id, admin).committed()

    def _origins(self) -> KafkaSpanReader:
        return origin_reader(self.worker, self.config)

    def _source(self, number: int) -> KafkaSource:
        return KafkaSource(
            KafkaSourceSettings(
                consumer=kafka.consumer_properties(self.worker, self.config, number),
                admin=kafka.admin_properties(self.worker, self.config),
                subscription=Subscription(self.config.subscription),
                stays=self.stays,
            )
        )

    def _dead_letters(self, number: int) -> DeadLetterQueue | None:
        topic = self.config.dlq_topic
        if topic is None:
            return None
        return KafkaDeadLetterQueue(
            KafkaDeadLetterSettings(
                topic=TopicSpec(topic, replication_factor=self.config.errors.replication_factor),
                sender=Sender(self.config.name, number, __version__),
                producer=kafka.producer_properties(self.worker, self.config, number),
                admin=kafka.admin_properties(self.worker, self.config),
            )
        )

    def _settings(self, number: int, session_s: float) -> TaskSettings:
        """No drain is longer than a session, as nothing may be written after that.

        The end of a task may take longer, as polls go on; some time is left to commit and leave.
        """
        batch, within_s = self.config.batch, self.worker.shutdown_timeout_s
        return TaskSettings(
            batch=batch_policy(self.config, self.index.embedder.limits),
            buffer=BufferLimits(batch.buffered_rows, batch.buffered_bytes),
            number=number,
            drain_timeout_s=min(within_s * 2 / 3, 0.8 * session_s),
            end_timeout_s=max(within_s * 2 / 3, within_s - _LEAVING_S),
            store=self.index.store.capabilities,
            tolerated=Tolerated(*self.config.errors.dlq_limit),
        )


def reselector(config: ConnectorConfig) -> Reselector | None:
    """What reads missing columns from the source database; nothing is opened yet.

    Raises:
        ConfigError: ``reselect.url`` cannot be used, or its extra is not installed.
    """
    if config.reselect.url is None:
        return None
    plugin = Registry(RESELECTORS).load(config.reselect.database)
    made: Reselector = plugin(config.reselect)
    return made


def assemblies(worker: WorkerConfig, configs: Sequence[ConnectorConfig]) -> list[Assembly]:
    """All connectors of a worker."""
    accounts = Accounts(SystemClock())
    return [Assembly.of(worker, config, accounts) for config in configs]
