"""SIGTERM and SIGINT: the first one asks for a clean end, the second one ends the process."""

from __future__ import annotations

import logging
import os
import signal
import threading
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Remembers which signal asked for the end.

    A handler runs in the main thread, between any two of its steps, also while that thread holds
    a lock: the one of the event that it waits for, or one of the logs. So nothing is done in the
    handler that could wait for a lock; a thread of its own does it.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._came: SimpleQueue[int | None] = SimpleQueue()
        """The only queue of Python's that a handler may put into at any moment."""
        self._thread = threading.Thread(target=self._hear, name="signals", daemon=True)
        self.received: int | None = None

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Stop cleanly; a second signal ends hard with 128 + its number."""
        if self.received is not None:
            os._exit(128 + number)
        self.received = number
        self._came.put(number)

    def start(self) -> None:
        """Hear what comes."""
        self._thread.start()

    def close(self) -> None:
        """Hear what came, and no more."""
        self._came.put(None)
        self._thread.join()

    def _hear(self) -> None:
        while (number := self._came.get()) is not None:
            self._stop.set()
            name = signal.Signals(number).name
            _log.info("%s: finishing what is in flight; again to end now.", name)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[Signals]:
    """Within the block, signals set ``stop``. For the main thread only."""
    signals = Signals(stop)
    signals.start()
    before = {number: signal.signal(number, signals.handle) for number in _SIGNALS}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.close()
