"""Whether telemetry is to be pushed, without OpenTelemetry's libraries, which are slow to load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_pushed(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names an endpoint for metrics, as OpenTelemetry specifies."""
    return _is_wanted("METRICS", environ)


def is_traced(environ: Mapping[str, str] = os.environ) -> bool:
    """The same for traces."""
    return _is_wanted("TRACES", environ)


def _is_wanted(signal: str, environ: Mapping[str, str]) -> bool:
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environ.get(f"OTEL_{signal}_EXPORTER", "").lower() == "none"
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return not is_off and any(environ.get(name) for name in endpoints)
