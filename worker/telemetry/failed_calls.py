"""Calls of a service that failed, by how."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.errors import WorkerError


class FailedCalls:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[str] = Counter()

    def note(self, error: WorkerError) -> None:
        """One more; what has no code is counted by its class."""
        with self._lock:
            self._counted[error.code or type(error).__name__] += 1

    @property
    def counted(self) -> Counter[str]:
        """By ``error.type`` of OpenTelemetry: an HTTP status, or the kind of silence."""
        with self._lock:
            return Counter(self._counted)
