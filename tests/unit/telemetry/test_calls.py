"""Calls of a service are counted, timed and traced."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from worker.errors import RetriableError
from worker.telemetry.calls import Calls, Kind, failed
from worker.telemetry.spread import Spread

BOUNDS = (0.5, 1.0)
SECRET = "the row says 42"


def fail(error: BaseException) -> None:
    raise error


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def calls(exporter: InMemorySpanExporter) -> Calls:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Calls(BOUNDS, provider.get_tracer("test"))


def test_answered_and_failed_calls_are_told_apart(calls: Calls) -> None:
    with calls.made("fetch", "products", {}):
        pass
    for error in (RetriableError("away").coded(503), ValueError(SECRET)):
        with pytest.raises(type(error)), calls.made("fetch", "products", {}):
            fail(error)
    counts = {kind: spread.count for kind, spread in calls.durations.items()}
    assert counts == {
        Kind("fetch", ""): 1,
        Kind("fetch", "503"): 1,
        Kind("fetch", "ValueError"): 1,
    }
    assert failed(calls.durations) == {"503": 1, "ValueError": 1}


def test_a_span_says_what_was_called_and_how_it_failed_but_not_what_the_error_says(
    calls: Calls, exporter: InMemorySpanExporter
) -> None:
    with (
        pytest.raises(RetriableError),
        calls.made("upsert", "products", {"db.operation.batch.size": 3}),
    ):
        fail(RetriableError(SECRET).coded(503))
    (span,) = exporter.get_finished_spans()
    assert span.name == "upsert products"
    assert span.attributes is not None
    assert dict(span.attributes) == {"db.operation.batch.size": 3, "error.type": "503"}
    assert not span.status.is_ok
    assert SECRET not in span.to_json()


def test_numbers_fall_between_their_bounds_and_add_up() -> None:
    one, other = Spread(BOUNDS), Spread(BOUNDS)
    for number in (0.5, 0.7):
        one.add(number)
    other.add(2.0)
    both = one.merged(other)
    assert (both.counts, both.count, both.total) == ([1, 1, 1], 3, 3.2)
    assert (both.least, both.most) == (0.5, 2.0)
    assert one.counts == [1, 1, 0]
