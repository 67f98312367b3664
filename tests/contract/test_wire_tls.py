"""Encrypted connections are kept, refused and closed as over httpx's own transport."""

from __future__ import annotations

import gc
import ssl
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.certificates import certificate
from tests.contract.scripted_server import Peer, ScriptedServer, answer, echo
from tests.contract.wires import OURS, both, client, failure
from worker.errors import FatalError
from worker.tls import late

if TYPE_CHECKING:
    from collections.abc import Iterator


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Keys:
    """What a server needs, and who trusts it."""

    def __init__(self, folder: Path) -> None:
        self._files = certificate(folder, "server")
        self.trust = late(partial(ssl.create_default_context, cafile=self._files[0]))

    def server(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(*self._files)
        return context


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@both
@pytest.mark.parametrize("version", VERSIONS)
def test_an_encrypted_connection_is_kept(kind: str, keys: Keys, version: ssl.TLSVersion) -> None:
    """The tickets of TLS 1.3, which come unasked, do not count as its end."""
    body = b"x" * 300_000
    with (
        ScriptedServer(echo, keys.server(version)) as server,
        client(kind, trust=keys.trust) as http,
    ):
        for _ in range(20):
            assert http.post(server.url, content=body).content == body
    assert server.accepted == 1


@both
def test_http_1_1_is_asked_for(kind: str, keys: Keys) -> None:
    def script(peer: Peer) -> None:
        asked = peer.asked()
        assert asked is not None
        assert isinstance(peer.connection, ssl.SSLSocket)
        peer.says(answer((peer.connection.selected_alpn_protocol() or "").encode()))

    context = keys.server()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with ScriptedServer(script, context) as server, client(kind, trust=keys.trust) as http:
        assert http.get(server.url).content == b"http/1.1"


@both
def test_an_encrypted_connection_that_the_server_ended_is_made_anew(kind: str, keys: Keys) -> None:
    def script(peer: Peer) -> None:
        peer.asked()
        peer.says(answer(b"said"))

    with (
        ScriptedServer(script, keys.server()) as server,
        client(kind, trust=keys.trust) as http,
    ):
        for count in (1, 2):
            assert http.get(server.url).content == b"said"
            assert server.has_ended(count)
    assert server.accepted == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_what_came_after_an_encrypted_answer_is_not_the_next_one(
    keys: Keys, version: ssl.TLSVersion
) -> None:
    """By httpx's own transport it is taken for the next one."""

    def script(peer: Peer) -> None:
        while peer.asked() is not None:
            peer.says(answer(b"x" * 12_000) + answer(b"stray"))

    with (
        ScriptedServer(script, keys.server(version)) as server,
        client(OURS, trust=keys.trust) as http,
    ):
        for _ in range(3):
            assert http.get(server.url).content == b"x" * 12_000


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@both
@pytest.mark.usefixtures("no_collector")
def test_a_server_that_is_not_trusted_cannot_be_reached(kind: str, keys: Keys) -> None:
    before = open_files()
    with ScriptedServer(echo, keys.server()) as server, client(kind) as http:
        for _ in range(3):
            error = failure(lambda: http.get(server.url))
            assert type(error) is httpx.ConnectError
            assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert open_files() == before


@both
def test_a_server_of_another_name_cannot_be_reached(kind: str, keys: Keys) -> None:
    with ScriptedServer(echo, keys.server()) as server, client(kind, trust=keys.trust) as http:
        url = server.url.replace("localhost", "127.0.0.1")
        assert type(failure(lambda: http.get(url))) is httpx.ConnectError
        assert server.has_ended(1)


@both
def test_a_server_that_does_not_speak_tls_cannot_be_reached(kind: str, keys: Keys) -> None:
    with (
        ScriptedServer(lambda peer: peer.says(b"private row\r\n")) as server,
        client(kind, trust=keys.trust) as http,
    ):
        url = server.url.replace("http:", "https:")
        assert type(failure(lambda: http.get(url))) is httpx.ConnectError


@both
def test_a_server_that_does_not_shake_hands_is_a_time_out(kind: str, keys: Keys) -> None:
    with (
        ScriptedServer(Peer.waits) as server,
        client(kind, trust=keys.trust, timeout=0.3) as http,
    ):
        url = server.url.replace("http:", "https:")
        assert type(failure(lambda: http.get(url))) is httpx.ConnectTimeout
        assert server.has_ended(1)


def test_authorities_that_cannot_be_read_are_fatal_and_leave_no_connection() -> None:
    """By httpx's own transport one is left for the garbage."""
    trust = late(partial(ssl.create_default_context, cafile="/nowhere.pem"))
    with ScriptedServer(Peer.waits) as server, client(OURS, trust=trust) as http:
        with pytest.raises(FatalError):
            http.get(server.url.replace("http:", "https:"))
        assert server.accepted == 0 or server.has_ended(1)
