"""What Prometheus and an OTLP collector are told."""

from __future__ import annotations

import re
from collections import Counter
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

from worker.model import Outcome
from worker.telemetry.bill import Bill
from worker.telemetry.counters import Counters
from worker.telemetry.instruments import FRESHNESS, INSTRUMENTS
from worker.telemetry.metrics import Metrics
from worker.telemetry.reading import BudgetReading, ProviderReading, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENAI = ProviderReading(
    provider="openai",
    model="text-embedding-3-small",
    circuit="limited",
    waiting=3,
    in_flight=2,
    limited=4,
    opened=1,
    failed={"429": 4, "ConnectTimeout": 1},
)


def busy() -> Reading:
    counters = Counters(
        records=110,
        outcomes=Counter({Outcome.WRITTEN: 90, Outcome.DEAD_LETTERED: 10}),
        batches=5,
        rebalances=2,
        bill=Bill(requests=7, texts=90, tokens=1000, usd=0.5, truncated=1),
        tokens_by_table=Counter(products=900, reviews=100),
        texts_by_table=Counter(products=80, reviews=10),
        dead_letters=Counter(TextTooLong=10),
        replays=Counter(replayed=3),
    )
    counters.freshness.record("products", [10_000, 11_500], 12_000.0)
    return Reading(
        connector="shop",
        group="connect-shop",
        counters=counters,
        tasks=Counter(RUNNING=2),
        buffered=8,
        in_flight=3,
        lag={"shop.public.products": 42},
        open_letters=4,
        provider=OPENAI,
        budget=BudgetReading(0.25, is_spent=False),
    )


@pytest.fixture
def made() -> Iterator[Metrics]:
    metrics = Metrics(lambda: [busy(), Reading("idle", "connect-idle")])
    yield metrics
    metrics.close()


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


MODEL = {"gen_ai_provider_name": "openai", "gen_ai_request_model": "text-embedding-3-small"}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("vecsink_records_total", {"outcome": "written"}, 90),
        ("vecsink_records_total", {"outcome": "deleted"}, 0),
        ("vecsink_dead_letters_total", {"kind": "TextTooLong"}, 10),
        ("vecsink_batches_total", {}, 5),
        ("vecsink_rebalances_total", {}, 2),
        ("vecsink_rows_buffered", {}, 8),
        ("vecsink_batches_in_flight", {}, 3),
        ("vecsink_tasks", {"state": "RUNNING"}, 2),
        ("vecsink_consumer_lag", {"messaging_destination_name": "shop.public.products"}, 42),
        ("vecsink_embedding_texts_total", {**MODEL, "table": "products"}, 80),
        ("vecsink_embedding_tokens_total", {**MODEL, "table": "reviews"}, 100),
        ("vecsink_embedding_cost_total", {**MODEL, "table": "products"}, 0.45),
        ("vecsink_embedding_calls_total", MODEL, 7),
        ("vecsink_embedding_truncated_total", MODEL, 1),
        ("vecsink_embedding_errors_total", {**MODEL, "error_type": "429"}, 4),
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
    assert by_name.keys() == {one.name for one in INSTRUMENTS} | {FRESHNESS}
    histogram = by_name[FRESHNESS].data
    assert isinstance(histogram, Histogram)
    (point,) = histogram.data_points
    assert (point.count, point.sum, point.min, point.max) == (2, 2.5, 0.5, 2.0)
    assert resource.resource.attributes["service.name"] == "vecsink"


def test_the_page_of_operations_names_every_metric() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    exported = {family.name for family in text_string_to_metric_families(prometheus_text())}
    named = set(re.findall(r"^\| `(\w+?)(?:_total)?` \|", page, re.MULTILINE))
    assert named == exported - {"target_info"}


def prometheus_text() -> str:
    metrics = Metrics(lambda: [busy()])
    try:
        return metrics.text().decode()
    finally:
        metrics.close()
