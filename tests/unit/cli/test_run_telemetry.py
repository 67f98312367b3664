"""What a running worker tells of itself, on a broker of this process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from confluent_kafka import Producer

from tests.collector import Collector
from tests.unit.cli.test_run_command import COMMAND, CONNECTOR, free_port, is_open
from worker.source.mock_cluster import MockCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOPIC = "shop.public.products"
ROWS = 20
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PATIENCE_S = 120.0
SCHEMALESS = {f"{part}.converter.schemas.enable": "false" for part in ("key", "value")}
TOLD = (
    r'vecsink_consumer_lag_time_seconds\{connector="products",.*products"\} 0.0',
    r'vecsink_freshness_seconds_count\{connector="products",table="products"\} 20.0',
    r'vecsink_batch_fill_count\{connector="products"\}',
    r'gen_ai_client_operation_duration_seconds_count\{connector="products",.*"embeddings"',
    r'db_client_operation_duration_seconds_count\{connector="products",.*"upsert",.*"memory"',
)


@pytest.fixture
def kafka() -> Iterator[MockCluster]:
    """Rows that carry the trace of the transaction that made them."""
    with MockCluster() as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 2})
        for number in range(ROWS):
            producer.produce(
                TOPIC,
                key=json.dumps({"id": number}).encode(),
                value=json.dumps(change(number)).encode(),
                partition=0,
                headers=[("traceparent", f"00-{TRACE}-{number + 1:016x}-01".encode())],
            )
        assert producer.flush(30.0) == 0
        yield cluster


def change(number: int) -> dict[str, object]:
    now_ms = int(time.time() * 1000)
    source = {"db": "shop", "schema": "public", "table": "products", "ts_ms": now_ms}
    after = {"id": number, "name": f"SECRET {number}"}
    return {"op": "c", "ts_ms": now_ms, "before": None, "after": after, "source": source}


def test_metrics_and_traces_of_rows_that_were_written(kafka: MockCluster, tmp_path: Path) -> None:
    file = tmp_path / "products.json"
    file.write_text(json.dumps({**CONNECTOR, **SCHEMALESS, "topics": TOPIC}))
    url = f"http://127.0.0.1:{free_port()}"
    with Collector() as collector:
        environment = {
            "CONNECT_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "CONNECT_LISTENERS": url,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        }
        worker = subprocess.Popen(
            [*COMMAND, str(file)], env={**os.environ, **environment}, stdout=sys.stderr
        )
        try:
            eventually(lambda: is_open(url))
            for pattern in TOLD:
                eventually(lambda pattern=pattern: is_told(url, pattern))  # type: ignore[misc]
        finally:
            worker.terminate()
            assert worker.wait(60) == 0

    names = {span.span_id: span.name for span in collector.spans}
    below = {span.name: names.get(span.parent_span_id) for span in collector.spans}
    batch = f"process {TOPIC}"
    assert below == {
        batch: None,
        "fetch": batch,
        "embeddings fake": batch,
        "upsert": batch,
    }
    links = [link for span in collector.spans for link in span.links]
    assert {link.trace_id.hex() for link in links} == {TRACE}
    assert len(links) == ROWS
    assert "SECRET" not in str(collector.spans)


def is_told(url: str, pattern: str) -> bool:
    text = httpx.get(f"{url}/metrics", timeout=60).text
    return re.search(f"^{pattern}", text, re.MULTILINE) is not None


def eventually(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.2)
