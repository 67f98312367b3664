"""HTTP/1.1 for httpx on the standard library's sockets, for less CPU than by httpcore.

Only the transport is another: clients, time-outs, hooks and errors are httpx's. The contract suite
holds both to the same (see docs/adr/0023-http-by-the-standard-library.md).
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.request import getproxies

import httpx

from worker.wire.answer import Answer, AnswerError
from worker.wire.connection import allow, is_readable, opened, write
from worker.wire.proxied import Proxied
from worker.wire.request import pieces

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    from worker.wire.connection import Origin

    Timeouts: TypeAlias = Mapping[str, float | None]

_PART_BYTES: Final = 256 * 1024
"""At most, of what has come of an answer; blocks of a megabyte are dearer to get and give back."""
_PORTS: Final = {"http": 80, "https": 443}
_PROXIES: Final = frozenset({"all", "http", "https"})
_IDLE_S: Final = 45.0
"""Shorter than the usual minute after which servers and load balancers hang up."""


def transport(trust: ssl.SSLContext) -> httpx.BaseTransport:
    """For ``httpx.Client``; made of its own where the environment names a proxy."""
    made = Wire if _PROXIES.isdisjoint(getproxies()) else Proxied
    return made(trust, _IDLE_S)


class Wire(httpx.BaseTransport):
    """Connections to any servers, each kept for the next request. Thread-safe."""

    def __init__(self, trust: ssl.SSLContext, idle_s: float) -> None:
        """A connection that was not used for ``idle_s`` seconds is not used any more."""
        self._trust = trust
        self._idle_s = idle_s
        self._kept: dict[Origin, deque[tuple[socket.socket, float]]] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and read the head of the answer.

        Raises:
            httpx.TransportError: as ``httpx.HTTPTransport`` does. It has the request, as Pinecone's
                client goes past httpx's, which would add it, and says where it went.
        """
        try:
            return self._asked(request)
        except httpx.TransportError as error:
            error.request = request
            raise

    def close(self) -> None:
        """What is under way ends by itself."""
        with self._lock:
            self._is_closed = True
            kept = [one for several in self._kept.values() for one, _ in several]
            self._kept.clear()
        for one in kept:
            one.close()

    def _asked(self, request: httpx.Request) -> httpx.Response:
        timeouts: Timeouts = request.extensions.get("timeout", {})
        origin = _origin(request.url)
        connection = self._take(origin) or opened(origin, self._trust, timeouts.get("connect"))
        try:
            unsent = _send(connection, request, timeouts.get("write"))
            answer = _head(connection, request.method, unsent, timeouts.get("read"))
            is_kept = unsent is None and not answer.will_close and not _is_last(request)
            keep = partial(self._keep, origin) if is_kept else socket.socket.close
            return _response(answer, _Parts(answer, connection, keep))
        except BaseException:
            connection.close()
            raise

    def _keep(self, origin: Origin, connection: socket.socket) -> None:
        """For the next request to the same server."""
        now_s = time.monotonic()
        old: list[socket.socket] = []
        with self._lock:
            if self._is_closed:
                old.append(connection)
            else:
                kept = self._kept.setdefault(origin, deque())
                kept.append((connection, now_s))
                while kept[0][1] < now_s - self._idle_s:
                    old.append(kept.popleft()[0])
        for one in old:
            one.close()

    def _take(self, origin: Origin) -> socket.socket | None:
        """The connection that was used last, if the server has not hung up."""
        while True:
            with self._lock:
                kept = self._kept.get(origin)
                if not kept:
                    return None
                connection, since_s = kept.pop()
            if time.monotonic() - since_s < self._idle_s and not is_readable(connection):
                return connection
            connection.close()


class _Parts(httpx.SyncByteStream):
    """The body as it comes."""

    def __init__(
        self,
        answer: Answer,
        connection: socket.socket,
        keep: Callable[[socket.socket], None],
    ) -> None:
        """``keep`` is given the connection when all has been read, and nothing else came."""
        self._answer = answer
        self._connection: socket.socket | None = connection
        self._keep = keep
        self._is_read = False

    def __iter__(self) -> Iterator[bytes]:
        """Its parts.

        Raises:
            httpx.TransportError: the rest does not come.
        """
        answer = self._answer
        try:
            while part := answer.read(_PART_BYTES):
                yield part
            self._is_read = not answer.length and not answer.is_followed()
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except AnswerError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        finally:
            self.close()
        if answer.length:
            raise httpx.RemoteProtocolError(f"the answer is {answer.length} bytes short")

    def close(self) -> None:
        """Give the connection back if all was read, close it otherwise."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._answer.close()
        if self._is_read:
            self._keep(connection)
        else:
            connection.close()


def _origin(url: httpx.URL) -> Origin:
    if url.scheme not in _PORTS:
        raise httpx.UnsupportedProtocol("a URL begins with http:// or https://")
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def _is_last(request: httpx.Request) -> bool:
    return "close" in request.headers.get("connection", "").lower()


def _send(connection: socket.socket, request: httpx.Request, timeout_s: float | None) -> str | None:
    """What went wrong, if anything; the server may have answered all the same.

    It is no exception, as one that waits in a variable keeps itself and the request in memory.
    """
    allow(connection, timeout_s)
    for piece in pieces(request):
        unsent = write(connection, piece)
        if unsent is not None:
            return unsent
    return None


def _head(
    connection: socket.socket, method: str, unsent: str | None, timeout_s: float | None
) -> Answer:
    """The answer, but for its body. Who refuses a request early may hang up while it is sent."""
    allow(connection, timeout_s)
    answer = Answer(connection, method, timeout_s)
    try:
        answer.begin()
    except BaseException as error:
        answer.close()
        if isinstance(error, (AnswerError, OSError)):
            raise _unanswered(error, unsent) from error
        raise
    return answer


def _unanswered(error: Exception, unsent: str | None) -> httpx.TransportError:
    if unsent is not None:
        return httpx.WriteError(unsent)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(str(error))
    if isinstance(error, AnswerError):
        return httpx.RemoteProtocolError(str(error))
    return httpx.ReadError(str(error))


def _response(answer: Answer, parts: _Parts) -> httpx.Response:
    version = b"HTTP/1.1" if answer.minor_version else b"HTTP/1.0"
    return httpx.Response(
        answer.status,
        headers=answer.fields,
        stream=parts,
        extensions={"http_version": version, "reason_phrase": answer.reason},
    )
