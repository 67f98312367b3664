"""The numbers of a running worker, and who may ask for them."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from worker.errors import RetriableError
from worker.lagging import Lag
from worker.spend.port import BudgetState
from worker.telemetry.counters import Counters
from worker.telemetry.otlp import is_pushed, is_traced
from worker.telemetry.reading import BudgetReading, ProviderReading, Reading, StoreReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from worker.build import Assembly
    from worker.config.listener import Listener
    from worker.config.worker import WorkerConfig
    from worker.index import Index
    from worker.runtime.health import Health, Verdict
    from worker.runtime.supervisor import RunningTask
    from worker.telemetry.exposition import Exposition
    from worker.telemetry.metrics import Metrics
    from worker.telemetry.traces import Traces

_log = logging.getLogger(__name__)

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Metering:
    """Reads connectors and their tasks while they run, from any thread."""

    def __init__(self, built: Sequence[Assembly], tasks: Sequence[RunningTask]) -> None:
        self._built = built
        self._tasks = tasks
        self._lags = {
            one.config.name: Lag(one.worker, one.config, one.notes.closed_letters) for one in built
        }

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
            open_letters=self._lags[name].open_letters,
            lag_s=self._lags[name].seconds_by_topic,
            provider=_provider(one.index),
            store=_store(one.index),
            budget=_budget(one.index),
        )


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
        durations=embedding.durations,
    )


def _store(index: Index) -> StoreReading | None:
    store = index.opened_store
    return None if store is None else StoreReading(store.system, store.calls.durations)


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
def published(
    worker: WorkerConfig, metering: Metering, health: Health, *, listens: bool
) -> Iterator[None]:
    """Within the block metrics can be had: over HTTP if it listens, over OTLP if it is set up.

    So are traces, over OTLP alone.

    Raises:
        RetriableError: an address of ``listeners`` cannot be had.
    """
    made = _Published(metering)
    with ExitStack() as leaving:
        leaving.callback(made.close)
        if is_traced():
            leaving.callback(_traces().close)
        if is_pushed():
            threading.Thread(target=made.push, name="otlp", daemon=True).start()
        for listener in worker.listeners if listens else ():
            listening = _exposition(listener, made, health, is_chosen=worker.chose_listeners)
            if listening is not None:
                leaving.callback(listening.close)
        yield


def _traces() -> Traces:
    from worker.telemetry.traces import Traces, otlp_exporter  # noqa: PLC0415 - slow to load

    traces = Traces(otlp_exporter())
    traces.publish()
    return traces


def _exposition(
    listener: Listener, made: _Published, health: Health, *, is_chosen: bool
) -> Exposition | None:
    """An address that nobody chose may be taken; then nothing listens."""
    from worker.telemetry.exposition import Exposition, Page  # noqa: PLC0415 - few runs need it

    pages = {
        "/metrics": Page(PROMETHEUS, made.text),
        "/health/live": Page(*_said(health.live)),
        "/health/ready": Page(*_said(health.ready)),
    }
    where = f"http://{listener.host}:{listener.port}"
    try:
        return Exposition(*listener, pages)
    except OSError as error:
        if is_chosen:
            raise RetriableError(f"listeners: {where} cannot be had: {error.strerror}") from error
        _log.warning("%s is taken, so nobody can ask for /metrics: set listeners.", where)
        return None


def _said(
    ask: Callable[[], Verdict],
) -> tuple[str, Callable[[], bytes], Callable[[], HTTPStatus]]:
    def body() -> bytes:
        verdict = ask()
        status = "healthy" if verdict.is_good else "unhealthy"
        return orjson.dumps({"status": status, "reasons": verdict.reasons})

    def status() -> HTTPStatus:
        return HTTPStatus.OK if ask().is_good else HTTPStatus.SERVICE_UNAVAILABLE

    return "application/json", body, status
