"""Builds the HNSW index once the first load is over, beside the work.

With the index in place each new vector costs the database some milliseconds, so a load into an
index takes many times as long as a load and a build after it. Few rows need no index.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from worker.errors import RetriableError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

QUIET_S: Final = 30.0
"""So long writes must have been few."""
_FEW_PER_S: Final = 50
"""Points that the index can take as they come."""


class IndexBuilder:
    """One thread while there is something to build. Thread-safe."""

    def __init__(self, build: Callable[[], bool], quiet_s: float = QUIET_S) -> None:
        """``build`` says whether nothing is left to do; it ends early when it is cancelled."""
        self._build = build
        self._quiet_s = quiet_s
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._written = 0

    def begin(self) -> None:
        """Wait in the background until the load is over, unless somebody does already."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="hnsw", daemon=True)
                self._thread.start()

    def wrote(self, points: int) -> None:
        """So many points were written just now."""
        with self._lock:
            self._written += points

    def close(self) -> None:
        """Begin nothing more; what is being built has to be cancelled by its connection."""
        self._stop.set()

    def ends_within(self, seconds: float) -> bool:
        """Whether nothing is being built then; for after ``close``."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.wait(self._quiet_s):
            if self._taken() <= _FEW_PER_S * self._quiet_s and self._is_done():
                return

    def _taken(self) -> int:
        with self._lock:
            written, self._written = self._written, 0
        return written

    def _is_done(self) -> bool:
        try:
            return self._build()
        except RetriableError as error:
            log.info("The HNSW index is not built yet: %s", error)
            return False
        except WorkerError as error:
            log.warning("The HNSW index cannot be built, searches stay exact and slow: %s", error)
            return True
