"""Who may ask a running worker how it is: over HTTP, and over OTLP."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from worker.errors import RetriableError
from worker.telemetry.otlp import is_pushed, is_traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.config.listener import Listener
    from worker.config.worker import WorkerConfig
    from worker.metering import Metering
    from worker.runtime.health import Health, Verdict
    from worker.telemetry.exposition import Exposition
    from worker.telemetry.metrics import Metrics
    from worker.telemetry.traces import Traces

_log = logging.getLogger(__name__)

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class _Published:
    """Metrics that are made when they are first asked for, as OpenTelemetry is slow to load."""

    def __init__(self, metering: Metering) -> None:
        self._metering = metering
        self._lock = threading.Lock()

    def text(self) -> bytes:
        """What Prometheus reads."""
        with self._lock:
            metrics = self._metrics
        return metrics.text()

    def push(self) -> None:
        """Send everything over OTLP from now on."""
        with self._lock:
            _ = self._metrics

    def close(self) -> None:
        """Send what is left."""
        with self._lock:
            if "_metrics" in self.__dict__:
                self._metrics.close()
                self._metering.close()

    @cached_property
    def _metrics(self) -> Metrics:
        from worker.telemetry.metrics import Metrics, otlp_exporter  # noqa: PLC0415 - slow to load

        self._metering.watch()
        return Metrics(self._metering.readings, exporter=otlp_exporter() if is_pushed() else None)


@contextmanager
def published(
    worker: WorkerConfig, metering: Metering, health: Health, *, listens: bool
) -> Iterator[None]:
    """Within the block metrics can be had: over HTTP if it listens, over OTLP if it is set up.

    So are traces, over OTLP alone.

    Raises:
        RetriableError: an address of ``listeners`` cannot be had.
    """
    made = _Published(metering)
    with ExitStack() as leaving:
        leaving.callback(made.close)
        if is_traced():
            leaving.callback(_traces().close)
        if is_pushed():
            threading.Thread(target=made.push, name="otlp", daemon=True).start()
        for listener in worker.listeners if listens else ():
            listening = _exposition(listener, made, health, is_chosen=worker.chose_listeners)
            if listening is not None:
                leaving.callback(listening.close)
        yield


def _traces() -> Traces:
    from worker.telemetry.traces import Traces, otlp_exporter  # noqa: PLC0415 - slow to load

    traces = Traces(otlp_exporter())
    traces.publish()
    return traces


def _exposition(
    listener: Listener, made: _Published, health: Health, *, is_chosen: bool
) -> Exposition | None:
    """An address that nobody chose may be taken; then nothing listens."""
    from worker.telemetry.exposition import (  # noqa: PLC0415 - few runs need it
        Answer,
        Exposition,
        Page,
    )

    def of(ask: Callable[[], Verdict]) -> Page:
        return Page("application/json", lambda: Answer(*_said(ask())))

    pages = {
        "/metrics": Page(PROMETHEUS, lambda: Answer(made.text())),
        "/health/live": of(health.live),
        "/health/ready": of(health.ready),
    }
    where = f"http://{listener.host}:{listener.port}"
    try:
        return Exposition(*listener, pages)
    except OSError as error:
        if is_chosen:
            raise RetriableError(f"listeners: {where} cannot be had: {error.strerror}") from error
        _log.warning("%s is taken, so nobody can ask for /metrics: set listeners.", where)
        return None


def _said(verdict: Verdict) -> tuple[bytes, HTTPStatus]:
    status = HTTPStatus.OK if verdict.is_good else HTTPStatus.SERVICE_UNAVAILABLE
    said = {"status": "healthy" if verdict.is_good else "unhealthy", "reasons": verdict.reasons}
    return orjson.dumps(said), status
