"""SIGTERM and SIGINT: the first one asks for a clean end, the second one ends the process."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from types import FrameType

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Remembers which signal asked for the end."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.received: int | None = None

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Stop cleanly; a second signal ends hard with 128 + its number."""
        if self.received is not None:
            os._exit(128 + number)
        self.received = number
        self._stop.set()
        _log.info("%s: finishing what is in flight; again to end now.", signal.Signals(number).name)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[Signals]:
    """Within the block, signals set ``stop``. For the main thread only."""
    signals = Signals(stop)
    before = {number: signal.signal(number, signals.handle) for number in _SIGNALS}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
