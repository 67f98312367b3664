"""Connections of HTTP, whose errors are httpx's."""

from __future__ import annotations

import select
import socket
from ssl import SSLSocket
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    import ssl
    from typing import TypeAlias

    Origin: TypeAlias = tuple[str, str, int]
    """Scheme, host and port."""

_PROTOCOL: Final = ["http/1.1"]


def opened(origin: Origin, trust: ssl.SSLContext, timeout_s: float | None) -> socket.socket:
    """A new one.

    Raises:
        httpx.ConnectTimeout, httpx.ConnectError: there is none.
    """
    scheme, host, port = origin
    try:
        connection = socket.create_connection((host, port), timeout_s)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _encrypted(connection, host, trust) if scheme == "https" else connection
        except BaseException:
            connection.close()
            raise
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(str(error)) from error


def _encrypted(connection: socket.socket, host: str, trust: ssl.SSLContext) -> socket.socket:
    trust.set_alpn_protocols(_PROTOCOL)
    encrypted = trust.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
    try:
        encrypted.do_handshake()
    except BaseException:
        encrypted.close()
        raise
    return encrypted


def allow(connection: socket.socket, timeout_s: float | None) -> None:
    """How long each read and write may take; setting it lets go of the GIL, so not in vain."""
    if connection.gettimeout() != timeout_s:
        connection.settimeout(timeout_s)


def write(connection: socket.socket, piece: bytes) -> str | None:
    """What went wrong, if anything; the server may have answered all the same.

    ``sendall`` would give all of it together the time that each part may take.

    Raises:
        httpx.WriteTimeout: the server does not read.
    """
    left = memoryview(piece)
    try:
        while left:
            left = left[connection.send(left) :]
    except TimeoutError as error:
        raise httpx.WriteTimeout(str(error)) from error
    except OSError as error:
        return str(error)
    return None


def is_readable(connection: socket.socket) -> bool:
    """Whether there is anything to read while nothing was asked: the end, as a rule."""
    if isinstance(connection, SSLSocket) and connection.pending():
        return True
    look = select.poll()
    look.register(connection, select.POLLIN)
    return bool(look.poll(0))
