"""Spans by OpenTelemetry's API, which does nothing until ``traces`` was told where to send them.

Names and attributes are those of its conventions for messaging, databases and generative AI.
Nothing of a row, a text or an error's message goes into a span.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from worker.errors import WorkerError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from opentelemetry.trace import Span, SpanContext, Tracer

    from worker.model import Headers, Record

_W3C = TraceContextTextMapPropagator()
_CARRIED = frozenset(_W3C.fields)
"""Headers that Kafka producers and Debezium's tracing put on a record."""
_MOST_LINKS = 128
"""OpenTelemetry's default limit."""


@contextmanager
def span(
    tracer: Tracer,
    name: str,
    attributes: Mapping[str, str | int],
    *,
    kind: SpanKind = SpanKind.CLIENT,
) -> Iterator[Span]:
    """What is done within; a failure is shown by its kind alone, as messages may say more."""
    if _leads_nowhere(tracer):  # 0.1 ms less than a span that does nothing
        yield trace.INVALID_SPAN
        return
    with tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_attribute("error.type", error_type(error))
            made.set_status(Status(StatusCode.ERROR))
            raise


def _leads_nowhere(tracer: Tracer) -> bool:
    """Whether nobody, neither we nor an instrumented environment, has said where spans go."""
    if isinstance(tracer, trace.NoOpTracer):
        return True
    return isinstance(tracer, trace.ProxyTracer) and isinstance(
        trace.get_tracer_provider(), trace.ProxyTracerProvider
    )


@immutable
class BatchSpans:
    """A span for each batch of a connector, linked to the transactions that its rows came from."""

    connector: str
    group: str
    tracer: Tracer = field(default_factory=lambda: trace.get_tracer("vecsink"))

    @contextmanager
    def __call__(self, rows: int, records: Callable[[], Iterable[Record]]) -> Iterator[None]:
        """Around a batch; ``records`` is asked only where somebody listens."""
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": self.group,
            "vecsink.connector": self.connector,
        }
        with span(self.tracer, "process", attributes, kind=SpanKind.CONSUMER) as made:
            if made.is_recording():
                made.set_attribute("vecsink.batch.rows", rows)
                _describe(made, list(records()))
            yield


NO_SPANS = BatchSpans("", "", trace.NoOpTracer())


def _describe(made: Span, records: Sequence[Record]) -> None:
    made.set_attribute("messaging.batch.message_count", len(records))
    topics = {record.topic for record in records}
    if len(topics) == 1:
        (topic,) = topics
        made.set_attribute("messaging.destination.name", topic)
        made.update_name(f"process {topic}")
    for context in origins(record.headers for record in records):
        made.add_link(context)


def origins(headers: Iterable[Headers]) -> list[SpanContext]:
    """Where the records came from, each once, as W3C's trace context says it in headers."""
    seen: dict[tuple[str, str], SpanContext] = {}
    for carried in headers:
        found = {
            name: value.decode("ascii", "replace")
            for name, value in carried
            if name in _CARRIED and value is not None
        }
        text = found.get("traceparent", ""), found.get("tracestate", "")
        if not text[0] or text in seen or len(seen) == _MOST_LINKS:
            continue
        context = trace.get_current_span(_W3C.extract(found)).get_span_context()
        if context.is_valid:
            seen[text] = context
    return list(seen.values())


def error_type(error: BaseException) -> str:
    """By OpenTelemetry's ``error.type``; what has no code is known by its class."""
    code = error.code if isinstance(error, WorkerError) else ""
    return code or type(error).__name__
