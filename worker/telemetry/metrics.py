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
    HistogramDataPoint,
    Metric,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from worker import __version__
from worker.telemetry.histograms import HISTOGRAMS
from worker.telemetry.instrument import Kind
from worker.telemetry.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader

    from worker.telemetry.histograms import Histogram
    from worker.telemetry.instrument import Instrument
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

    def _histograms(self) -> list[Metric]:
        """Counted by ourselves, as the SDK has no histogram that is observed."""
        readings = self._readings()
        made = ((one, list(self._points(one, readings))) for one in HISTOGRAMS)
        return [
            Metric(
                one.name,
                one.meaning,
                one.unit,
                HistogramData(points, AggregationTemporality.CUMULATIVE),
            )
            for one, points in made
            if points
        ]

    def _points(self, one: Histogram, readings: Iterable[Reading]) -> Iterator[HistogramDataPoint]:
        now_ns = time.time_ns()
        for reading in readings:
            for spread, attributes in one.spreads(reading):
                if spread.count:
                    yield HistogramDataPoint(
                        attributes=attributes,
                        start_time_unix_nano=self._began_ns,
                        time_unix_nano=now_ns,
                        count=spread.count,
                        sum=spread.total,
                        bucket_counts=list(spread.counts),
                        explicit_bounds=spread.bounds,
                        min=spread.least,
                        max=spread.most,
                    )


class _Prometheus(PrometheusMetricReader):
    """Hands on our histograms beside the SDK's metrics."""

    def __init__(self, more: Callable[[], list[Metric]], registry: CollectorRegistry) -> None:
        super().__init__(scope_info_enabled=False, registry=registry)
        self._more = more

    def _receive_metrics(self, metrics_data: MetricsData, *args: Any, **more: Any) -> None:  # noqa: ANN401 - handed on
        super()._receive_metrics(_with(metrics_data, self._more()), *args, **more)


class _Pushed(PeriodicExportingMetricReader):
    """The same over OTLP."""

    def __init__(self, more: Callable[[], list[Metric]], exporter: MetricExporter) -> None:
        self._more = more
        super().__init__(exporter)

    def _receive_metrics(self, metrics_data: MetricsData, *args: Any, **more: Any) -> None:  # noqa: ANN401 - handed on
        super()._receive_metrics(_with(metrics_data, self._more()), *args, **more)


def _with(data: MetricsData, more: Sequence[Metric]) -> MetricsData:
    """The same and more metrics, in the scope that is ours."""
    if not (more and data.resource_metrics):
        return data
    first, *others = data.resource_metrics
    scope, *scopes = first.scope_metrics
    scope = replace(scope, metrics=[*scope.metrics, *more])
    return replace(data, resource_metrics=[replace(first, scope_metrics=[scope, *scopes]), *others])


def otlp_exporter() -> MetricExporter:
    """Over HTTP; everything else about it is in ``OTEL_EXPORTER_OTLP_…`` variables."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - large
        OTLPMetricExporter,
    )

    return OTLPMetricExporter()
