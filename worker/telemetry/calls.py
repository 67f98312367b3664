"""Calls of a service: how long they took, how they failed, and a span each where traces are on."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from opentelemetry import trace

from worker.telemetry.spans import error_type, span
from worker.telemetry.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.trace import Span, Tracer

EMBEDDING_BOUNDS_S = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
"""OpenTelemetry's advice for ``gen_ai.client.operation.duration``."""
STORE_BOUNDS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""OpenTelemetry's advice for ``db.client.operation.duration``."""


class Kind(NamedTuple):
    """Of calls that are counted together."""

    operation: str
    error: str
    """``error.type`` of OpenTelemetry: an HTTP status, or the kind of silence; empty: answered."""


Durations: TypeAlias = "Mapping[Kind, Spread]"
"""In seconds."""


class Calls:
    """Of one service by one connector. Thread-safe."""

    def __init__(self, bounds_s: Sequence[float], tracer: Tracer | None = None) -> None:
        self._bounds_s = bounds_s
        self._tracer = tracer or trace.get_tracer("vecsink")
        self._lock = threading.Lock()
        self._spreads: dict[Kind, Spread] = {}

    @contextmanager
    def made(
        self, operation: str, target: str, attributes: Mapping[str, str | int]
    ) -> Iterator[Span]:
        """What is done within is one call; the span is called ``operation target``."""
        began_s = time.perf_counter()
        error = ""
        try:
            with span(self._tracer, f"{operation} {target}".rstrip(), attributes) as made:
                yield made
        except BaseException as failure:
            error = error_type(failure)
            raise
        finally:
            self._note(Kind(operation, error), time.perf_counter() - began_s)

    @property
    def durations(self) -> Durations:
        """How long they took."""
        with self._lock:
            return {kind: one.merged(Spread(one.bounds)) for kind, one in self._spreads.items()}

    def _note(self, kind: Kind, seconds: float) -> None:
        with self._lock:
            self._spreads.setdefault(kind, Spread(self._bounds_s)).add(seconds)


def failed(durations: Durations) -> Counter[str]:
    """Calls that failed, by ``error.type``."""
    counted: Counter[str] = Counter()
    for kind, spread in durations.items():
        if kind.error:
            counted[kind.error] += spread.count
    return counted
