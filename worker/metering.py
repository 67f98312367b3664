"""The numbers of a running worker, and who may ask for them."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from worker.config import kafka
from worker.errors import RetriableError, WorkerError
from worker.source.kafka import KafkaSourceSettings
from worker.source.subscription import Subscription
from worker.spend.port import BudgetState
from worker.telemetry.counters import Counters
from worker.telemetry.otlp import is_pushed
from worker.telemetry.reading import BudgetReading, ProviderReading, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.build import Assembly
    from worker.config.connector import ConnectorConfig
    from worker.config.listener import Listener
    from worker.config.worker import WorkerConfig
    from worker.index import Index
    from worker.runtime.supervisor import RunningTask
    from worker.source.port import SpanReader
    from worker.telemetry.exposition import Exposition
    from worker.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

_LAG_EVERY_S = 15.0
_LAG_TIMEOUT_S = 10.0
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Metering:
    """Reads connectors and their tasks while they run, from any thread."""

    def __init__(self, built: Sequence[Assembly], tasks: Sequence[RunningTask]) -> None:
        self._built = built
        self._tasks = tasks
        self._lags = {one.config.name: Lag(one.worker, one.config) for one in built}

    def readings(self) -> list[Reading]:
        """One of each connector."""
        return [self._reading(one) for one in self._built]

    def watch(self) -> None:
        """Begin to look how far behind the groups are."""
        for lag in self._lags.values():
            lag.watch()

    def close(self) -> None:
        """Look no more."""
        for lag in self._lags.values():
            lag.close()

    def _reading(self, one: Assembly) -> Reading:
        name = one.config.name
        tasks = [task for task in self._tasks if task.spec.connector == name]
        running = [task.assembled.task for task in tasks if task.assembled is not None]
        counters = Counters()
        for task in running:
            counters = counters.merged(task.counters)
        return Reading(
            connector=name,
            group=one.config.group_id,
            counters=counters,
            tasks=Counter(task.state.value for task in tasks),
            buffered=sum(task.buffered for task in running),
            in_flight=sum(task.in_flight for task in running),
            lag=self._lags[name].by_topic,
            provider=_provider(one.index),
            budget=_budget(one.index),
        )


class Lag:
    """What a group has before it, asked for beside the group in a thread of its own."""

    def __init__(self, worker: WorkerConfig, config: ConnectorConfig) -> None:
        self.by_topic: Mapping[str, int] = {}
        """Empty while nobody knows."""
        self._worker = worker
        self._config = config
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lag-{config.name}", daemon=True)

    def watch(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_LAG_TIMEOUT_S)

    def _run(self) -> None:
        from worker.source.kafka_spans import KafkaSpanReader  # noqa: PLC0415 - few runs need it

        worker, config = self._worker, self._config
        settings = KafkaSourceSettings(
            consumer=kafka.reader_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
            subscription=Subscription(config.subscription),
        )
        with closing(KafkaSpanReader(settings)) as reader:
            while not self._stop.is_set():
                self.by_topic = _behind(reader)
                self._stop.wait(_LAG_EVERY_S)


def _behind(reader: SpanReader) -> Mapping[str, int]:
    try:
        ahead = reader.ahead(_LAG_TIMEOUT_S)
    except WorkerError as error:
        _log.debug("The lag is not known: %s.", error)
        return {}
    behind: Counter[str] = Counter()
    for place, span in ahead.items():
        behind[place.topic] += span.length
    return behind


def _provider(index: Index) -> ProviderReading | None:
    embedding = index.opened
    if embedding is None:
        return None
    numbers, model = embedding.numbers, embedding.model
    return ProviderReading(
        provider=model.provider,
        model=model.name,
        circuit=numbers.state.value,
        waiting=numbers.waiting,
        in_flight=numbers.in_flight,
        limited=numbers.limited,
        opened=numbers.opened,
        failed=embedding.failed,
    )


def _budget(index: Index) -> BudgetReading | None:
    report = index.spent()
    if report is None or report.share is None:
        return None
    return BudgetReading(report.share, report.state is BudgetState.SPENT)


class _Published:
    """Metrics that are made when they are first asked for, as OpenTelemetry is slow to load."""

    def __init__(self, metering: Metering) -> None:
        self._metering = metering
        self._lock = threading.Lock()

    def text(self) -> bytes:
        """What Prometheus reads."""
        with self._lock:
            metrics = self._metrics
        return metrics.text()

    def push(self) -> None:
        """Send everything over OTLP from now on."""
        with self._lock:
            _ = self._metrics

    def close(self) -> None:
        """Send what is left."""
        with self._lock:
            if "_metrics" in self.__dict__:
                self._metrics.close()
                self._metering.close()

    @cached_property
    def _metrics(self) -> Metrics:
        from worker.telemetry.metrics import Metrics, otlp_exporter  # noqa: PLC0415 - slow to load

        self._metering.watch()
        return Metrics(self._metering.readings, exporter=otlp_exporter() if is_pushed() else None)


@contextmanager
def published(worker: WorkerConfig, metering: Metering, *, listens: bool) -> Iterator[None]:
    """Within the block metrics can be had: over HTTP if it listens, over OTLP if it is set up.

    Raises:
        RetriableError: an address of ``listeners`` cannot be had.
    """
    made = _Published(metering)
    with ExitStack() as leaving:
        leaving.callback(made.close)
        if is_pushed():
            threading.Thread(target=made.push, name="otlp", daemon=True).start()
        for listener in worker.listeners if listens else ():
            listening = _exposition(listener, made, is_chosen=worker.chose_listeners)
            if listening is not None:
                leaving.callback(listening.close)
        yield


def _exposition(listener: Listener, made: _Published, *, is_chosen: bool) -> Exposition | None:
    """An address that nobody chose may be taken; then nothing listens."""
    from worker.telemetry.exposition import Exposition, Page  # noqa: PLC0415 - few runs need it

    where = f"http://{listener.host}:{listener.port}"
    try:
        return Exposition(listener.host, listener.port, {"/metrics": Page(PROMETHEUS, made.text)})
    except OSError as error:
        if is_chosen:
            raise RetriableError(f"listeners: {where} cannot be had: {error.strerror}") from error
        _log.warning("%s is taken, so nobody can ask for /metrics: set listeners.", where)
        return None
