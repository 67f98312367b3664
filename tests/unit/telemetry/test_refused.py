"""A connector whose config cannot be used shows in the metrics, so that somebody is told."""

from __future__ import annotations

from worker.metering import Metering
from worker.telemetry.metrics import Metrics


def test_a_connector_that_cannot_be_used_counts_as_a_failed_task() -> None:
    refused = ["products"]
    metrics = Metrics(Metering(list, lambda: refused).readings, moment_s=0.0)
    failed = 'vecsink_tasks{connector="products",state="FAILED"} 1.0'
    assert failed in metrics.text().decode()
    refused.clear()
    assert failed not in metrics.text().decode()
    metrics.close()
