"""The numbers of a running worker, and who may ask for them."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from worker.lagging import Lag
from worker.runtime.port import State
from worker.runtime.supervisor import TaskState
from worker.spend.port import BudgetState
from worker.telemetry.counters import Counters
from worker.telemetry.exposition import Page
from worker.telemetry.otlp import is_pushed, is_traced
from worker.telemetry.reading import BudgetReading, ProviderReading, Reading, StoreReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from worker.build import Assembly
    from worker.index import Index
    from worker.runtime.supervisor import RunningTask
    from worker.telemetry.metrics import Metrics
    from worker.telemetry.traces import Traces

Running: TypeAlias = "tuple[Assembly, Sequence[RunningTask]]"

_log = logging.getLogger(__name__)

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Metering:
    """Reads connectors and their tasks while they run, from any thread."""

    def __init__(
        self,
        running: Callable[[], Iterable[Running]],
        refused: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """``running`` tells what runs at the moment, ``refused`` which connectors cannot."""
        self._running = running
        self._refused = refused
        self._lags: dict[str, Lag] = {}
        self._watches = False
        self._lock = threading.Lock()

    def readings(self) -> list[Reading]:
        """One of each connector; one that cannot be used counts as a failed task, for alerts."""
        running = list(self._running())
        with self._lock:
            self._follow({one.config.name: one for one, _ in running})
        failed = Counter({TaskState.FAILED.value: 1})
        refused = [Reading(name, group="", tasks=failed) for name in self._refused()]
        return [self._reading(one, tasks) for one, tasks in running] + refused

    def watch(self) -> None:
        """Begin to look how far behind the groups are."""
        self._watches = True

    def close(self) -> None:
        """Look no more."""
        self._watches = False
        with self._lock:
            self._follow({})

    def _follow(self, present: Mapping[str, Assembly]) -> None:
        """Look at the groups of these connectors, and no longer at others'."""
        gone = [lag for name, lag in self._lags.items() if present.get(name) is not lag.of]
        self._lags = {name: lag for name, lag in self._lags.items() if lag not in gone}
        for lag in gone:
            lag.close()
        for name in present.keys() - self._lags.keys() if self._watches else ():
            self._lags[name] = Lag(present[name])
            self._lags[name].watch()

    def _reading(self, one: Assembly, tasks: Sequence[RunningTask]) -> Reading:
        running = [task.assembled.task for task in tasks if task.assembled is not None]
        lag = self._lags.get(one.config.name)
        counters = Counters()
        for task in running:
            counters = counters.merged(task.counters)
        return Reading(
            connector=one.config.name,
            group=one.config.group_id,
            counters=counters,
            tasks=Counter(_state(task) for task in tasks),
            buffered=sum(task.buffered for task in running),
            in_flight=sum(task.in_flight for task in running),
            lag={} if lag is None else lag.by_topic,
            open_letters=None if lag is None else lag.open_letters,
            lag_s={} if lag is None else lag.seconds_by_topic,
            provider=_provider(one.index),
            store=_store(one.index),
            budget=_budget(one.index),
        )


def _state(task: RunningTask) -> str:
    """As its status says."""
    is_paused = task.is_paused and task.state is TaskState.RUNNING
    return State.PAUSED.value if is_paused else task.state.value


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
def published(metering: Metering) -> Iterator[Mapping[str, Page]]:
    """Within the block metrics and traces are pushed where OTLP is set up.

    Yields the page for Prometheus.
    """
    made = _Published(metering)
    with ExitStack() as leaving:
        leaving.callback(made.close)
        if is_traced():
            leaving.callback(_traces().close)
        if is_pushed():
            threading.Thread(target=made.push, name="otlp", daemon=True).start()
        yield {"/metrics": Page(PROMETHEUS, made.text)}


def _traces() -> Traces:
    from worker.telemetry.traces import Traces, otlp_exporter  # noqa: PLC0415 - slow to load

    traces = Traces(otlp_exporter())
    traces.publish()
    return traces
