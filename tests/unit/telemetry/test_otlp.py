"""Whether telemetry is pushed."""

from __future__ import annotations

import pytest

from worker.telemetry.otlp import is_pushed


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_telemetry_is_pushed_where_the_standard_variables_say_so(
    variables: dict[str, str], *, expected: bool
) -> None:
    assert is_pushed(variables) is expected
