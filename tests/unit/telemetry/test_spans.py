"""Spans of batches, and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from worker.model import Record
from worker.telemetry.spans import NO_SPANS, BatchSpans, origins
from worker.telemetry.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())
STATE = ("tracestate", b"vendor=1")


class Collector(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def traces(collector: Collector) -> Iterator[Traces]:
    made = Traces(collector)
    yield made
    made.close()


def record(topic: str, *headers: tuple[str, bytes | None]) -> Record:
    return Record(topic, 0, 0, b"the key", b"the value", headers)


def spans_of(traces: Traces) -> BatchSpans:
    return BatchSpans("shop", "connect-shop", traces.provider.get_tracer("test"))


def test_a_batch_is_a_span_with_links_to_the_transactions_of_its_rows(
    traces: Traces, collector: Collector
) -> None:
    records = [record("products", PARENT, STATE), record("products", PARENT, STATE)]
    with spans_of(traces)(1, lambda: [*records, record("products")]):
        pass
    traces.close()
    (span,) = collector.spans
    assert span.name == "process products"
    assert span.attributes is not None
    assert dict(span.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "connect-shop",
        "messaging.destination.name": "products",
        "messaging.batch.message_count": 3,
        "vecsink.connector": "shop",
        "vecsink.batch.rows": 1,
    }
    (link,) = span.links
    assert f"{link.context.trace_id:032x}" == TRACE
    assert "the key" not in span.to_json()
    assert span.resource.attributes["service.name"] == "vecsink"


def test_a_batch_of_several_topics_names_none(traces: Traces, collector: Collector) -> None:
    with spans_of(traces)(2, lambda: [record("products"), record("reviews")]):
        pass
    traces.close()
    (span,) = collector.spans
    assert span.name == "process"
    assert span.attributes is not None
    assert "messaging.destination.name" not in span.attributes


def test_without_a_collector_no_record_is_looked_at() -> None:
    def never() -> list[Record]:
        raise AssertionError

    with NO_SPANS(1, never):
        pass
    with BatchSpans("shop", "connect-shop")(1, never):
        pass


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("traceparent", None),),
        (("traceparent", b"\xff\xfe"),),
        (("traceparent", b"00-0-0-01"),),
        (STATE,),
        (("uber-trace-id", b"1:2:3:1"),),
    ],
)
def test_headers_that_are_no_trace_context_link_to_nothing(
    headers: tuple[tuple[str, bytes | None], ...],
) -> None:
    assert origins([headers]) == []


def test_no_batch_has_more_links_than_opentelemetry_keeps() -> None:
    many = [(("traceparent", f"00-{TRACE}-{number:016x}-01".encode()),) for number in range(1, 400)]
    assert len(origins(many)) == 128
