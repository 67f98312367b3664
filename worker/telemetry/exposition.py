"""Answers over HTTP, from threads of its own: path by path, so that more can be added."""

from __future__ import annotations

import logging
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

from worker import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)


def _well() -> HTTPStatus:
    return HTTPStatus.OK


class Page(NamedTuple):
    """What a path answers."""

    content_type: str
    body: Callable[[], bytes]
    status: Callable[[], HTTPStatus] = _well


class Exposition:
    """Listens as soon as it is made.

    Raises:
        OSError: the address cannot be had.
    """

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        """An empty host is every address of the machine; port 0 is any that is free."""
        handler = type("_Handler", (_PageHandler,), {"pages": dict(pages)})
        family = _Server6 if ":" in host else _Server
        self._server = family((host, port), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="http", daemon=True, args=(0.1,)
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Server6(_Server):
    address_family = socket.AF_INET6


class _PageHandler(BaseHTTPRequestHandler):
    pages: Mapping[str, Page]
    server_version = f"vecsink/{__version__}"
    sys_version = ""
    timeout = 10.0

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            body, status = page.body(), page.status()
        except Exception:  # noqa: BLE001 - said, and the next page may work
            _log.exception("%s cannot be answered.", self.path)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self.send_response(status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so called there
        _log.debug(format, *args)
