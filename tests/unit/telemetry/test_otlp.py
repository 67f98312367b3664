"""Spans arrive at a collector, with the exporter that the worker uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.collector import Collector
from worker.telemetry.spans import BatchSpans
from worker.telemetry.traces import Traces, otlp_exporter

if TYPE_CHECKING:
    import pytest


def test_what_was_done_before_the_end_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url)
        traces = Traces(otlp_exporter())
        with BatchSpans("shop", "connect-shop", traces.provider.get_tracer("test"))(1, list):
            pass
        traces.close()
    assert [span.name for span in collector.spans] == ["process"]
