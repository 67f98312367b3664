"""A network between a client and its server, which may lose connections without a word."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = "127.0.0.1"
_PART = 65_536


class Relay:
    """Passes on whatever comes, at a port of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._passing: set[socket.socket] = set()
        self._lost: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.open()

    def open(self) -> None:
        """Listen, also after ``close``."""
        self._listener = socket.create_server((_HOST, self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def lose(self) -> None:
        """From now on nothing passes on the connections that there are, and nobody is told."""
        with self._lock:
            self._lost |= self._passing
            self._passing.clear()

    def close(self) -> None:
        """Refuse connections, and end those that there are."""
        if self._listener is not None:
            _end(self._listener)
        with self._lock:
            ended, self._passing, self._lost = self._passing | self._lost, set(), set()
        for one in ended:
            _end(one)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection((_HOST, self._target))
            except OSError:
                return
            with self._lock:
                self._passing |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(_PART):
                if source not in self._lost:
                    sink.sendall(part)
        if source not in self._lost:
            _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """One before a port of this machine."""
    made = Relay(target)
    try:
        yield made
    finally:
        made.close()
