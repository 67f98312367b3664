"""An end to every wait for a server that has stopped to answer."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVERY_S: Final = 0.5
"""How often it is looked whether a wait is too long; one thread for all, as a thread for each call
would cost more than many a call."""

_waits: Final[dict[int, tuple[float, socket.socket]]] = {}
_numbers: Final = itertools.count()
_starting: Final = threading.Lock()
_thread: threading.Thread | None = None


@contextmanager
def ended_after(descriptor: int, seconds: float) -> Iterator[None]:
    """Shut a connection's socket down after this time, as a server may stop to answer at all."""
    _expect_watch()
    number = next(_numbers)
    # a descriptor of its own: the number of a socket that is closed may be another's at once
    with socket.socket(fileno=os.dup(descriptor)) as handle:
        _waits[number] = time.monotonic() + seconds, handle
        try:
            yield
        finally:
            _waits.pop(number, None)


def _expect_watch() -> None:
    global _thread  # noqa: PLW0603 - one for the process, made anew after a fork
    if _thread is None or not _thread.is_alive():
        with _starting:
            if _thread is None or not _thread.is_alive():
                _thread = threading.Thread(target=_watch, name="socket-watch", daemon=True)
                _thread.start()


def _watch() -> None:
    while True:
        time.sleep(_EVERY_S)
        now_s = time.monotonic()
        for deadline_s, handle in list(_waits.values()):
            if deadline_s <= now_s:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
