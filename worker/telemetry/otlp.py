"""Whether telemetry is to be pushed, without OpenTelemetry's libraries, which are slow to load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")


def is_pushed(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names an endpoint, as OpenTelemetry specifies."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and any(environ.get(name) for name in _ENDPOINTS)
