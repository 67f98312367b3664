"""Servers on real sockets that do with each connection what a test's script says."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import IO, TypeAlias

    Script: TypeAlias = Callable[["Peer"], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    line: bytes
    fields: Mapping[bytes, bytes]
    body: bytes


class Peer:
    """A connection that a client made, the ``number``-th from 1 on."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.connection = connection
        self.number = number
        self._file: IO[bytes] = connection.makefile("rb")

    def head(self) -> tuple[bytes, dict[bytes, bytes]] | None:
        """Of the next request; None when the client has hung up."""
        line = self._file.readline()
        if not line:
            return None
        fields: dict[bytes, bytes] = {}
        while field := self._file.readline().rstrip(b"\r\n"):
            name, _, value = field.partition(b":")
            fields[name.lower()] = value.strip()
        return line.rstrip(b"\r\n"), fields

    def asked(self) -> Asked | None:
        """The next request; None when the client has hung up."""
        head = self.head()
        if head is None:
            return None
        line, fields = head
        if fields.get(b"transfer-encoding") == b"chunked":
            return Asked(line, fields, self._chunks())
        return Asked(line, fields, self._file.read(int(fields.get(b"content-length", b"0"))))

    def says(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def waits(self) -> None:
        """Until the client hangs up."""
        while self._file.read(65536):
            pass

    def resets(self) -> None:
        """Hang up so that what was not read yet is refused."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def close(self) -> None:
        self._file.close()
        self.connection.close()

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._file.readline() or b"0", 16):
            body += self._file.read(size)
            self._file.readline()
        self._file.readline()
        return body


class ScriptedServer:
    """Listens on this machine; each connection has a thread."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._threads = [threading.Thread(target=self._accept)]
        self._changed = threading.Condition()
        self._ended = 0
        self._peers: list[Peer] = []
        self.accepted = 0
        port = self._listening.getsockname()[1]
        self.url = f"https://localhost:{port}/" if tls else f"http://127.0.0.1:{port}/"

    def has_ended(self, count: int = 1) -> bool:
        """Wait a while until so many connections have come to their end on this side."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ended >= count, timeout=5)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for peer in self._peers:
            with suppress(OSError):
                peer.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.accepted += 1
                thread = threading.Thread(target=self._serve, args=(connection, self.accepted))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:
            peer = Peer(self._encrypted(connection), number)
            self._peers.append(peer)
            try:
                self._script(peer)
            finally:
                peer.close()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def _encrypted(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection


def echo(peer: Peer) -> None:
    """Answers each request with its body, until the client hangs up."""
    while (asked := peer.asked()) is not None:
        peer.says(answer(asked.body))


def answer(body: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer."""
    return head(*fields, b"Content-Length: %d" % len(body), status=status) + body


def head(*fields: bytes, status: bytes = b"200 OK") -> bytes:
    """Of an answer."""
    return b"\r\n".join((b"HTTP/1.1 " + status, *fields, b"", b""))
