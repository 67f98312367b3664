"""HTTP/1.1 for httpx by the standard library's connections, which takes a third of the CPU.

A call with an answer of 250 KB took 1.2 ms of CPU by httpx's own transport and takes 0.4 ms here.
Only the transport is another: clients, time-outs, hooks and errors are httpx's.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from urllib.request import getproxies

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from http.client import HTTPResponse

    Origin: TypeAlias = tuple[str, str, int]
    Timeouts: TypeAlias = Mapping[str, float | None]

_PART_BYTES: Final = 1024 * 1024
"""At most, of what has come of an answer; a single part is not copied."""
_PORTS: Final = {"http": 80, "https": 443}
_PROTOCOL: Final = ["http/1.1"]
_PROXIES: Final = frozenset({"all", "http", "https"})


def transport(trust: ssl.SSLContext, idle_s: float) -> httpx.BaseTransport | None:
    """For ``httpx.Client``; None, which is its own, where the environment names a proxy."""
    return Wire(trust, idle_s) if _PROXIES.isdisjoint(getproxies()) else None


class Wire(httpx.BaseTransport):
    """Connections to any servers, each kept for the next request. Thread-safe."""

    def __init__(self, trust: ssl.SSLContext, idle_s: float) -> None:
        """A connection that was not used for ``idle_s`` seconds is not used any more."""
        self._trust = trust
        self._idle_s = idle_s
        self._kept: dict[Origin, deque[tuple[HTTPConnection, float]]] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and read the head of the answer.

        Raises:
            httpx.TransportError: as ``httpx.HTTPTransport`` does.
        """
        timeouts: Timeouts = request.extensions.get("timeout", {})
        origin = _origin(request.url)
        connection = self._take(origin) or self._open(origin, timeouts.get("connect"))
        try:
            unsent = _send(connection, request, timeouts.get("write"))
            answer = _head(connection, unsent, timeouts.get("read"))
        except BaseException:
            connection.close()
            raise
        return httpx.Response(
            answer.status,
            headers=[_raw(name, value) for name, value in answer.getheaders()],
            stream=_Parts(answer, _End(self, origin, connection, is_sent=unsent is None)),
            extensions={
                "http_version": b"HTTP/1.0" if answer.version == 10 else b"HTTP/1.1",  # noqa: PLR2004
                "reason_phrase": answer.reason.encode("latin-1"),
            },
        )

    def keep(self, origin: Origin, connection: HTTPConnection) -> None:
        """For the next request to the same server."""
        now_s = time.monotonic()
        old: list[HTTPConnection] = []
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

    def close(self) -> None:
        """What is under way ends by itself."""
        with self._lock:
            self._is_closed = True
            kept = [one for several in self._kept.values() for one, _ in several]
            self._kept.clear()
        for one in kept:
            one.close()

    def _take(self, origin: Origin) -> HTTPConnection | None:
        """The connection that was used last, if the server has not hung up."""
        while True:
            with self._lock:
                kept = self._kept.get(origin)
                if not kept:
                    return None
                connection, since_s = kept.pop()
            if time.monotonic() - since_s < self._idle_s and not _is_readable(connection):
                return connection
            connection.close()

    def _open(self, origin: Origin, timeout_s: float | None) -> HTTPConnection:
        scheme, host, port = origin
        try:
            if scheme == "https":
                self._trust.set_alpn_protocols(_PROTOCOL)
                connection: HTTPConnection = HTTPSConnection(
                    host, port, timeout=timeout_s, context=self._trust
                )
            else:
                connection = HTTPConnection(host, port, timeout=timeout_s)
            connection.connect()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        except HTTPException as error:
            raise httpx.LocalProtocolError(str(error)) from error
        return connection


class _End:
    """What becomes of a connection when its answer is done with."""

    def __init__(
        self, wire: Wire, origin: Origin, connection: HTTPConnection, *, is_sent: bool
    ) -> None:
        self._wire = wire
        self._origin = origin
        self._connection = connection
        self._is_sent = is_sent

    def __call__(self, *, is_read: bool) -> None:
        # Without a socket: the server said that it closes it.
        if is_read and self._is_sent and self._connection.sock is not None:
            self._wire.keep(self._origin, self._connection)
        else:
            self._connection.close()


class _Parts(httpx.SyncByteStream):
    """The body as it comes."""

    def __init__(self, answer: HTTPResponse, end: _End) -> None:
        self._answer = answer
        self._end: _End | None = end
        self._is_read = False

    def __iter__(self) -> Iterator[bytes]:
        """Its parts.

        Raises:
            httpx.TransportError: the rest does not come.
        """
        answer = self._answer
        try:
            while part := answer.read1(_PART_BYTES):
                yield part
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except HTTPException as error:
            raise httpx.RemoteProtocolError(_cut(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        if answer.length:
            raise httpx.RemoteProtocolError(f"the answer is {answer.length} bytes short")
        self._is_read = True

    def close(self) -> None:
        """Give the connection back if all was read, close it otherwise."""
        end, self._end = self._end, None
        if end is not None:
            self._answer.close()
            end(is_read=self._is_read)


def _origin(url: httpx.URL) -> Origin:
    if url.scheme not in _PORTS:
        raise httpx.UnsupportedProtocol("a URL begins with http:// or https://")
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def _send(
    connection: HTTPConnection, request: httpx.Request, timeout_s: float | None
) -> httpx.WriteError | None:
    """Send all of it; what went wrong if the server may have answered all the same."""
    connection.sock.settimeout(timeout_s)
    try:
        connection.putrequest(
            request.method,
            request.url.raw_path.decode("ascii"),
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in request.headers.raw:
            connection.putheader(name, value)
        connection.endheaders(
            cast("httpx.SyncByteStream", request.stream),
            encode_chunked="transfer-encoding" in request.headers,
        )
    except (HTTPException, ValueError) as error:
        raise httpx.LocalProtocolError(str(error)) from error
    except TimeoutError as error:
        raise httpx.WriteTimeout(str(error)) from error
    except OSError as error:
        return httpx.WriteError(str(error))
    return None


def _head(
    connection: HTTPConnection, unsent: httpx.WriteError | None, timeout_s: float | None
) -> HTTPResponse:
    """The answer, but for its body. Who refuses a request early may hang up while it is sent."""
    connection.sock.settimeout(timeout_s)
    try:
        return connection.getresponse()
    except TimeoutError as error:
        raise unsent or httpx.ReadTimeout(str(error)) from error
    except HTTPException as error:  # before OSError: a server that hangs up raises both
        raise unsent or httpx.RemoteProtocolError(_cut(error)) from error
    except OSError as error:
        raise unsent or httpx.ReadError(str(error)) from error


def _cut(error: HTTPException) -> str:
    """Not what it says, as it may repeat what the server sent."""
    return f"no answer that HTTP can read ({type(error).__name__})"


def _raw(name: str, value: str) -> tuple[bytes, bytes]:
    return name.encode("latin-1"), value.encode("latin-1")


def _is_readable(connection: HTTPConnection) -> bool:
    """Whether there is anything to read while nothing was asked: the end, as a rule."""
    look = select.poll()
    look.register(connection.sock, select.POLLIN)
    return bool(look.poll(0))
