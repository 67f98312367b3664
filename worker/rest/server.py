"""Listens on the addresses of ``listeners``, in a thread of its own beside the tasks."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

import uvicorn

from worker.errors import ConfigError, RetriableError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from worker.config.listener import Listener
    from worker.config.rest import RestSettings
    from worker.rest.app import RestApp

_log = logging.getLogger(__name__)

_BACKLOG = 256
_GRACE_S = 2
_KEEP_ALIVE_S = 60
_JOIN_S = 10.0


@immutable
class _Bound:
    """A listener that has its port."""

    listener: Listener
    socket: socket.socket

    @property
    def url(self) -> str:
        host = f"[{self.listener.host}]" if ":" in self.listener.host else self.listener.host
        return f"{self.listener.scheme}://{host}:{self.socket.getsockname()[1]}"


class RestServer:
    """The REST API over HTTP; ``start`` before use, ``stop`` at the end."""

    def __init__(self, app: RestApp, listeners: Sequence[Listener], settings: RestSettings) -> None:
        self._app = app
        self._listeners = listeners
        self._settings = settings
        self._bound: list[_Bound] = []
        self._servers: list[uvicorn.Server] = []
        self._thread = threading.Thread(target=self._run, name="rest", daemon=True)
        self._is_answering = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def urls(self) -> list[str]:
        """Where it listens, with the ports that it has got."""
        return [bound.url for bound in self._bound]

    def start(self) -> None:
        """Listen, and return when it answers.

        Raises:
            ConfigError: the certificate or its key cannot be used.
            RetriableError: an address cannot be had, such as a port that another process has.
        """
        context = _tls(self._settings) if self._has_tls else None
        for listener in self._listeners:
            self._bound.append(_Bound(listener, self._bind(listener)))
        for bound in self._bound:
            is_https = bound.listener.scheme == "https"
            self._servers.append(uvicorn.Server(_config(self._app, context if is_https else None)))
        self._thread.start()
        self._is_answering.wait()
        _log.info("The REST API listens on %s.", ", ".join(self.urls) or "no address")

    def stop(self) -> None:
        """Listen no more; what is being answered has two seconds."""
        for server in self._servers:
            server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._close()
        self._app.close()

    @property
    def _has_tls(self) -> bool:
        return any(listener.scheme == "https" for listener in self._listeners)

    def _bind(self, listener: Listener) -> socket.socket:
        try:
            return _socket(listener)
        except OSError as error:
            self._close()
            where = f"{listener.scheme}://{listener.host}:{listener.port}"
            reason = error.strerror or str(error)
            raise RetriableError(f"listeners: {where} cannot be had: {reason}") from error

    def _close(self) -> None:
        for bound in self._bound:
            bound.socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._is_answering.set()

    async def _serve(self) -> None:
        pairs = zip(self._servers, self._bound, strict=True)
        serving = [
            asyncio.create_task(server.serve(sockets=[bound.socket])) for server, bound in pairs
        ]
        while not all(server.started or server.should_exit for server in self._servers):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
        self._is_answering.set()
        if serving:
            await asyncio.wait(serving)


def _socket(listener: Listener) -> socket.socket:
    """Every address of the machine, of IPv6 too where it has any, if there is no host."""
    if not listener.host and socket.has_dualstack_ipv6():
        address, family = ("::", listener.port), socket.AF_INET6
        bound = socket.create_server(address, family=family, backlog=_BACKLOG, dualstack_ipv6=True)
    else:
        family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
        address = (listener.host, listener.port)
        bound = socket.create_server(address, family=family, backlog=_BACKLOG)
    # Connections inherit it; without it each answer waits 40 ms for a delayed acknowledgement.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _config(app: RestApp, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        log_level="critical",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )


def _tls(settings: RestSettings) -> ssl.SSLContext:
    """What ``listeners.https.*`` say; no older protocol than TLS 1.2, which is Python's default."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    password = settings.key_password.get_secret_value() if settings.key_password else ""
    try:
        context.load_cert_chain(settings.certificate or "", settings.key, lambda: password)
        if settings.client_ca is not None:
            context.load_verify_locations(settings.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        raise ConfigError(f"listeners.https.ssl.*: cannot be used: {_reason(error)}") from error
    return context


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
