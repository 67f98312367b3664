"""An end to every wait for a server that has stopped to answer."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def ended_after(descriptor: int, seconds: float) -> Iterator[None]:
    """Shut a connection's socket down after this time, as a server may stop to answer at all."""
    with socket.socket(fileno=os.dup(descriptor)) as handle:
        timer = threading.Timer(seconds, _shut, [handle])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
