"""OpenTelemetry's metrics over readings: nothing is recorded, numbers are read when asked for.

Imported only where metrics are wanted: the SDK takes a while to load.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from worker import __version__
from worker.telemetry.freshness import BOUNDS_S
from worker.telemetry.instruments import (
    FRESHNESS,
    FRESHNESS_MEANING,
    FRESHNESS_UNIT,
    INSTRUMENTS,
    Kind,
    of_connector,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader

    from worker.telemetry.instruments import Instrument
    from worker.telemetry.reading import Reading

_SCOPE = "vecsink"
_MOMENT_S = 0.2


class Metrics:
    """The readings of a process as Prometheus text, and over OTLP where that is configured."""

    def __init__(
        self,
        read: Callable[[], Sequence[Reading]],
        *,
        exporter: MetricExporter | None = None,
        moment_s: float = _MOMENT_S,
    ) -> None:
        """``exporter`` is sent everything once a minute (``OTEL_METRIC_EXPORT_INTERVAL``)."""
        self._read = read
        self._moment_s = moment_s
        self._began_ns = time.time_ns()
        self._lock = threading.Lock()
        self._latest: Sequence[Reading] = ()
        self._read_s = -math.inf
        self._registry = CollectorRegistry()
        readers: list[MetricReader] = [_Prometheus(self._histograms, self._registry)]
        if exporter is not None:
            readers.append(_Pushed(self._histograms, exporter))
        resource = Resource.create({"service.name": _SCOPE, "service.version": __version__})
        self._provider = MeterProvider(
            metric_readers=readers, resource=resource, shutdown_on_exit=False
        )
        self._register()

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def close(self) -> None:
        """Send what is left over OTLP."""
        self._provider.shutdown()

    def _register(self) -> None:
        meter = self._provider.get_meter(_SCOPE, __version__)
        make = {
            Kind.COUNTER: meter.create_observable_counter,
            Kind.GAUGE: meter.create_observable_gauge,
        }
        for one in INSTRUMENTS:
            make[one.kind](one.name, [self._observing(one)], one.unit, one.meaning)

    def _readings(self) -> Sequence[Reading]:
        """Of one moment for all metrics of one look."""
        with self._lock:
            now_s = time.monotonic()
            if now_s - self._read_s > self._moment_s:
                self._latest, self._read_s = self._read(), now_s
            return self._latest

    def _observing(self, one: Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for reading in self._readings():
                for number, attributes in one.points(reading):
                    yield Observation(number, attributes)

        return observe

    def _histograms(self) -> Metric | None:
        """Counted by ourselves, as the SDK has no histogram that is observed."""
        points = [point for reading in self._readings() for point in self._points(reading)]
        if not points:
            return None
        data = Histogram(points, AggregationTemporality.CUMULATIVE)
        return Metric(FRESHNESS, FRESHNESS_MEANING, FRESHNESS_UNIT, data)

    def _points(self, reading: Reading) -> Iterator[HistogramDataPoint]:
        for table, ages in dict(reading.counters.freshness.by_table).items():
            counts = [int(count) for count in ages.counts]
            yield HistogramDataPoint(
                attributes={**of_connector(reading), "table": table},
                start_time_unix_nano=self._began_ns,
                time_unix_nano=time.time_ns(),
                count=sum(counts),
                sum=ages.sum_s,
                bucket_counts=counts,
                explicit_bounds=BOUNDS_S,
                min=ages.least_s,
                max=ages.most_s,
            )


class _Prometheus(PrometheusMetricReader):
    """Hands on our histogram beside the SDK's metrics."""

    def __init__(self, more: Callable[[], Metric | None], registry: CollectorRegistry) -> None:
        super().__init__(scope_info_enabled=False, registry=registry)
        self._more = more

    def _receive_metrics(self, metrics_data: MetricsData, *args: Any, **more: Any) -> None:  # noqa: ANN401 - handed on
        super()._receive_metrics(_with(metrics_data, self._more()), *args, **more)


class _Pushed(PeriodicExportingMetricReader):
    """The same over OTLP."""

    def __init__(self, more: Callable[[], Metric | None], exporter: MetricExporter) -> None:
        self._more = more
        super().__init__(exporter)

    def _receive_metrics(self, metrics_data: MetricsData, *args: Any, **more: Any) -> None:  # noqa: ANN401 - handed on
        super()._receive_metrics(_with(metrics_data, self._more()), *args, **more)


def _with(data: MetricsData, metric: Metric | None) -> MetricsData:
    """The same and one more metric, in the scope that is ours."""
    if metric is None or not data.resource_metrics:
        return data
    first, *others = data.resource_metrics
    scope, *scopes = first.scope_metrics
    scope = replace(scope, metrics=[*scope.metrics, metric])
    return replace(data, resource_metrics=[replace(first, scope_metrics=[scope, *scopes]), *others])


def otlp_exporter() -> MetricExporter:
    """Over HTTP; everything else about it is in ``OTEL_EXPORTER_OTLP_…`` variables."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - large
        OTLPMetricExporter,
    )

    return OTLPMetricExporter()
