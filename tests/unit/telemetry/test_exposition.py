"""The worker's pages over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import pytest

from worker.telemetry.exposition import Exposition, Page
from worker.telemetry.otlp import is_pushed, is_traced

if TYPE_CHECKING:
    from collections.abc import Iterator


def broken() -> bytes:
    raise ValueError("a secret row")


@pytest.fixture
def url() -> Iterator[str]:
    pages = {
        "/metrics": Page("text/plain", lambda: b"up 1\n"),
        "/tired": Page("text/plain", lambda: b"no", lambda: HTTPStatus.SERVICE_UNAVAILABLE),
        "/broken": Page("", broken),
    }
    listening = Exposition("127.0.0.1", 0, pages)
    yield f"http://127.0.0.1:{listening.port}"
    listening.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/metrics", 200), ("/metrics?name=up", 200), ("/", 404), ("/tired", 503), ("/broken", 500)],
)
def test_a_page_answers_and_others_do_not(url: str, path: str, status: int) -> None:
    answer = httpx.get(url + path)
    assert answer.status_code == status
    assert (answer.text == "up 1\n") is (status == 200)
    assert "secret" not in answer.text


def test_an_address_can_be_had_once(url: str) -> None:
    with pytest.raises(OSError, match="in use"):
        Exposition("127.0.0.1", int(url.rpartition(":")[2]), {})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_METRICS_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, False),
    ],
)
def test_telemetry_is_pushed_where_the_standard_variables_say_so(
    variables: dict[str, str], *, expected: bool
) -> None:
    assert is_pushed(variables) is expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, False),
    ],
)
def test_traces_are_wanted_by_variables_of_their_own(
    variables: dict[str, str], *, expected: bool
) -> None:
    assert is_traced(variables) is expected
