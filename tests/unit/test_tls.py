"""Trust that is only looked up when something is encrypted."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.certificates import certificate
from worker.errors import FatalError
from worker.tls import late, trusted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Trusting:
    """Makes contexts that trust one authority, and counts them."""

    def __init__(self, file: str) -> None:
        self.made = 0
        self._file = file

    def __call__(self) -> ssl.SSLContext:
        self.made += 1
        return ssl.create_default_context(cafile=self._file)


class Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(chain: tuple[str, str] | None = None) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Greeting)
    if chain is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*chain)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'http' if chain is None else 'https'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nothing_is_looked_up_for_a_connection_without_tls(tmp_path: Path) -> None:
    trust = Trusting(certificate(tmp_path, "server")[0])
    with serving() as url, httpx.Client(verify=late(trust)) as client:
        assert client.get(url).status_code == 200
    assert trust.made == 0


def test_what_is_trusted_is_looked_up_once_for_all_connections(tmp_path: Path) -> None:
    chain = certificate(tmp_path, "server")
    trust = Trusting(chain[0])
    context = late(trust)
    with serving(chain) as url:
        for _ in range(2):
            with httpx.Client(verify=context) as client:
                assert client.get(url).status_code == 200
    assert trust.made == 1


def test_a_server_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    chain = certificate(tmp_path, "server")
    other = Trusting(certificate(tmp_path, "other")[0])
    with serving(chain) as url:
        for context in (late(other), trusted()):
            with (
                httpx.Client(verify=context) as client,
                pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
            ):
                client.get(url)


def test_trust_that_cannot_be_read_ends_the_task_with_a_sentence(tmp_path: Path) -> None:
    context = late(Trusting(str(tmp_path / "none.pem")))
    with pytest.raises(FatalError, match="SSL_CERT_FILE and SSL_CERT_DIR"):
        context.set_alpn_protocols(["http/1.1"])


def test_nothing_can_be_set_that_the_context_would_not_know_of() -> None:
    context = late(ssl.create_default_context)
    with pytest.raises(AttributeError):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
