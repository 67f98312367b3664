"""Where spans go. Imported only where traces are wanted: the SDK takes a while to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from worker import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


class Traces:
    """Sends spans in batches from a thread of its own; what a slow collector misses is dropped."""

    def __init__(self, exporter: SpanExporter) -> None:
        resource = Resource.create({"service.name": "vecsink", "service.version": __version__})
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))

    def publish(self) -> None:
        """Make every tracer of the process send here; works once in a process."""
        trace.set_tracer_provider(self.provider)

    def close(self) -> None:
        """Send what is left."""
        self.provider.shutdown()


def otlp_exporter() -> SpanExporter:
    """Over HTTP; everything else about it is in ``OTEL_EXPORTER_OTLP_…`` variables."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - large
        OTLPSpanExporter,
    )

    return OTLPSpanExporter()
