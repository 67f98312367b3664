"""What Prometheus and an OTLP collector are told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics.export import (
    Histogram,
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.telemetry.readings import busy, prometheus_text
from worker.telemetry.counters import Counters
from worker.telemetry.histograms import HISTOGRAMS
from worker.telemetry.instruments import INSTRUMENTS
from worker.telemetry.metrics import Metrics
from worker.telemetry.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def made() -> Iterator[Metrics]:
    metrics = Metrics(lambda: [busy(), Reading("idle", "connect-idle")])
    yield metrics
    metrics.close()


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """An empty label is none, in Prometheus."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, frozenset(one for one in sample.labels.items() if one[1])): sample.value
        for family in families
        for sample in family.samples
    }


MODEL = {"gen_ai_provider_name": "openai", "gen_ai_request_model": "text-embedding-3-small"}

EMBEDS = {**MODEL, "gen_ai_operation_name": "embeddings"}
UPSERTS = {"db_system_name": "pinecone", "db_operation_name": "upsert"}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("vecsink_records_total", {"outcome": "written"}, 90),
        ("vecsink_records_total", {"outcome": "deleted"}, 0),
        ("vecsink_dead_letters_total", {"kind": "TextTooLong"}, 10),
        ("vecsink_metadata_dropped_total", {"field": "description"}, 3),
        ("vecsink_batches_total", {}, 5),
        ("vecsink_rebalances_total", {}, 2),
        ("vecsink_rows_buffered", {}, 8),
        ("vecsink_batches_in_flight", {}, 3),
        ("vecsink_tasks", {"state": "RUNNING"}, 2),
        ("vecsink_consumer_lag", {"messaging_destination_name": "shop.public.products"}, 42),
        (
            "vecsink_consumer_lag_time_seconds",
            {"messaging_destination_name": "shop.public.products"},
            7.5,
        ),
        ("vecsink_embedding_texts_total", {**MODEL, "table": "products"}, 80),
        ("vecsink_embedding_tokens_total", {**MODEL, "table": "reviews"}, 100),
        ("vecsink_embedding_cost_total", {**MODEL, "table": "products"}, 0.45),
        ("vecsink_embedding_calls_total", MODEL, 7),
        ("vecsink_embedding_truncated_total", MODEL, 1),
        ("vecsink_embedding_errors_total", {**MODEL, "error_type": "429"}, 4),
        ("vecsink_store_errors_total", {"db_operation_name": "upsert", "error_type": "503"}, 2),
        ("vecsink_provider_limited_total", MODEL, 4),
        ("vecsink_provider_outages_total", MODEL, 1),
        ("vecsink_provider_calls_in_flight", MODEL, 2),
        ("vecsink_provider_calls_waiting", MODEL, 3),
        ("vecsink_provider_circuit", {**MODEL, "state": "limited"}, 1),
        ("vecsink_provider_circuit", {**MODEL, "state": "closed"}, 0),
        ("vecsink_budget_used", {}, 0.25),
        ("vecsink_budget_exhausted", {}, 0),
        ("vecsink_freshness_seconds_bucket", {"table": "products", "le": "1.0"}, 1),
        ("vecsink_freshness_seconds_bucket", {"table": "products", "le": "+Inf"}, 2),
        ("vecsink_freshness_seconds_sum", {"table": "products"}, 2.5),
        ("vecsink_batch_fill_bucket", {"le": "0.9"}, 1),
        ("vecsink_batch_fill_count", {}, 3),
        ("gen_ai_client_operation_duration_seconds_bucket", {**EMBEDS, "le": "0.04"}, 1),
        (
            "gen_ai_client_operation_duration_seconds_count",
            {**EMBEDS, "error_type": "429"},
            4,
        ),
        ("db_client_operation_duration_seconds_bucket", {**UPSERTS, "le": "0.05"}, 1),
        (
            "db_client_operation_duration_seconds_sum",
            {**UPSERTS, "error_type": "503"},
            0.7,
        ),
    ],
)
def test_prometheus_reads_what_the_connector_did(
    made: Metrics, name: str, labels: dict[str, str], value: float
) -> None:
    key = (name, frozenset({"connector": "shop", **labels}.items()))
    assert samples(made)[key] == pytest.approx(value)


def test_received_messages_have_opentelemetrys_name(made: Metrics) -> None:
    found = {
        labels: value
        for (name, labels), value in samples(made).items()
        if name == "messaging_client_consumed_messages_total"
    }
    by_group = {dict(labels)["messaging_consumer_group_name"]: n for labels, n in found.items()}
    assert by_group == {"connect-shop": 110, "connect-idle": 0}


def test_a_connector_whose_model_is_not_loaded_has_no_provider(made: Metrics) -> None:
    idle = [key for key in samples(made) if ("connector", "idle") in key[1]]
    assert not [name for name, _ in idle if name.startswith("vecsink_provider")]
    assert ("vecsink_batches_total", frozenset({("connector", "idle")})) in idle


def test_numbers_are_those_of_the_moment_when_somebody_asks() -> None:
    counters = Counters()
    metrics = Metrics(lambda: [Reading("shop", "connect-shop", counters)], moment_s=0.0)
    key = ("vecsink_batches_total", frozenset({("connector", "shop")}))
    assert samples(metrics)[key] == 0
    counters.batches += 1
    assert samples(metrics)[key] == 1
    metrics.close()


class Collector(MetricExporter):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[MetricsData] = []

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: object
    ) -> MetricExportResult:
        self.sent.append(metrics_data)
        return MetricExportResult.SUCCESS

    def shutdown(self, timeout_millis: float = 30_000, **more: object) -> None:
        pass

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True


def test_what_is_left_is_sent_at_the_end_histogram_and_all() -> None:
    collector = Collector()
    Metrics(lambda: [busy()], exporter=collector).close()
    (resource,) = collector.sent[-1].resource_metrics
    (scope,) = resource.scope_metrics
    by_name = {metric.name: metric for metric in scope.metrics}
    assert by_name.keys() == {one.name for one in (*INSTRUMENTS, *HISTOGRAMS)}
    histogram = by_name["vecsink.freshness"].data
    assert isinstance(histogram, Histogram)
    (point,) = histogram.data_points
    assert (point.count, point.sum, point.min, point.max) == (2, 2.5, 0.5, 2.0)
    assert resource.resource.attributes["service.name"] == "vecsink"


def test_the_page_of_operations_names_every_metric() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    exported = {family.name for family in text_string_to_metric_families(prometheus_text())}
    named = set(re.findall(r"^\| `(\w+?)(?:_total)?` \|", page, re.MULTILINE))
    assert named == exported - {"target_info"}
