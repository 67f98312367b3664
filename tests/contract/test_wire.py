"""What is asked and answered over our transport is what httpx's own asks and answers."""

from __future__ import annotations

import gzip
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.scripted_server import Asked, Peer, ScriptedServer, answer, echo, head
from tests.contract.wires import OURS, both, client
from worker.answers import read_in_time, read_whole
from worker.errors import FatalError
from worker.tls import trusted
from worker.wire.transport import Wire, transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.scripted_server import Script
    from tests.contract.wires import Hook


def saying(*parts: bytes) -> Script:
    """Each request is answered so; then the server waits for the next."""

    def script(peer: Peer) -> None:
        while peer.asked() is not None:
            peer.says(*parts)

    return script


def hanging_up(*parts: bytes) -> Script:
    """The first request is answered so; then the server hangs up."""

    def script(peer: Peer) -> None:
        peer.asked()
        peer.says(*parts)

    return script


@both
def test_many_requests_go_over_one_connection(kind: str) -> None:
    with ScriptedServer(echo) as server, client(kind) as http:
        said = [http.post(server.url, content=b"%d" % number).content for number in range(50)]
    assert said == [b"%d" % number for number in range(50)]
    assert server.accepted == 1


@both
def test_a_server_that_hung_up_between_requests_is_called_again(kind: str) -> None:
    with ScriptedServer(hanging_up(answer(b"said"))) as server, client(kind) as http:
        for count in (1, 2, 3):
            assert http.post(server.url, content=b"asked").content == b"said"
            assert server.has_ended(count)
    assert server.accepted == 3


@both
def test_a_connection_that_was_idle_too_long_is_closed_and_not_used_again(kind: str) -> None:
    with ScriptedServer(echo) as server, client(kind, idle_s=0.2) as http:
        http.post(server.url)
        time.sleep(0.4)
        http.post(server.url)
        assert server.has_ended(1)
        assert server.accepted == 2


@both
def test_connections_of_a_busy_time_are_closed_when_they_were_idle_too_long(kind: str) -> None:
    together = threading.Barrier(4)

    def script(peer: Peer) -> None:
        peer.asked()
        together.wait(10)
        peer.says(answer(b""))
        echo(peer)

    with ScriptedServer(script) as server, client(kind, idle_s=1.0) as http:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(http.get, [server.url] * 4))
        for _ in range(6):
            time.sleep(0.3)
            http.get(server.url)
        assert server.has_ended(3)
        assert server.accepted == 4


@both
@pytest.mark.parametrize(
    "said",
    [
        answer(b"said", b"Connection: close"),
        answer(b"said", b"Connection: Upgrade, Close"),
        answer(b"said").replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer(b"said", b"Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_a_connection_that_the_server_ends_is_not_used_again(kind: str, said: bytes) -> None:
    with ScriptedServer(saying(said)) as server, client(kind) as http:
        for count in (1, 2):
            assert http.get(server.url).content == b"said"
            assert server.has_ended(count)
    assert server.accepted == 2


@both
def test_a_connection_that_the_request_ends_is_not_used_again(kind: str) -> None:
    with ScriptedServer(echo) as server, client(kind) as http:
        http.post(server.url, headers={"Connection": "close"})
        assert server.has_ended(1)


@both
@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.0 200 OK\r\n\r\nsa" + b"id" * 200_000,
        b"HTTP/1.1 200 OK\nServer: of few words\n\nsa" + b"id" * 200_000,
    ],
)
def test_an_answer_without_a_length_ends_with_its_connection(kind: str, said: bytes) -> None:
    with ScriptedServer(hanging_up(said)) as server, client(kind) as http:
        assert http.get(server.url).content == b"sa" + b"id" * 200_000
        assert http.get(server.url).http_version == said[:8].decode()
    assert server.accepted == 2


@both
def test_an_answer_in_chunks_is_put_together(kind: str) -> None:
    chunks = b"4\r\nsaid\r\n6;odd=1\r\n again\r\n%x\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n"
    said = head(b"Transfer-Encoding: Chunked") + chunks % (300_000, b"x" * 300_000)
    with ScriptedServer(saying(said)) as server, client(kind) as http:
        for _ in range(3):
            assert http.get(server.url).content == b"said again" + b"x" * 300_000
    assert server.accepted == 1


@both
@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("HEAD", head(b"Content-Length: 4")),
        ("HEAD", head(b"Transfer-Encoding: chunked")),
        ("GET", head(status=b"204 No Content")),
        ("GET", head(b"Transfer-Encoding: chunked", status=b"204 No Content")),
        ("GET", head(b"Content-Length: 4", status=b"304 Not Modified")),
        ("DELETE", answer(b"")),
    ],
)
def test_an_answer_without_a_body_leaves_the_connection_for_the_next(
    kind: str, method: str, said: bytes
) -> None:
    with ScriptedServer(saying(said)) as server, client(kind, timeout=2) as http:
        for _ in range(2):
            assert http.request(method, server.url).content == b""
    assert server.accepted == 1


@both
def test_interim_answers_are_not_the_answer(kind: str) -> None:
    early = head(b"Link: </style>", status=b"103 Early Hints")
    said = head(status=b"100 Continue") + early + answer(b"said")
    with ScriptedServer(saying(said)) as server, client(kind) as http:
        for _ in range(2):
            found = http.post(server.url, content=b"asked")
            assert (found.status_code, found.content) == (200, b"said")
            assert "link" not in found.headers
    assert server.accepted == 1


@both
def test_a_redirect_is_an_answer(kind: str) -> None:
    said = answer(b"", b"Location: /elsewhere", status=b"302 Found")
    with ScriptedServer(saying(said)) as server, client(kind) as http:
        assert http.get(server.url).headers["location"] == "/elsewhere"


@both
def test_a_packed_answer_is_unpacked(kind: str) -> None:
    said = answer(gzip.compress(b"said" * 1000), b"Content-Encoding: gzip")
    with ScriptedServer(saying(said)) as server, client(kind) as http:
        assert http.get(server.url).content == b"said" * 1000


@both
def test_the_head_of_an_answer_is_given_as_it_came(kind: str) -> None:
    fields = [b"X-Name: J\xf6rg ", b"x-two:1", b"X-Two:\t2", b"X-Empty:", b"X-Long: a\r\n  b"]
    said = answer(b"", *fields, status=b"299 All's w\xe9ll")
    with ScriptedServer(saying(said)) as server, client(kind) as http:
        found = http.get(server.url)
    assert found.headers.raw == [
        (b"X-Name", b"J\xf6rg"),
        (b"x-two", b"1"),
        (b"X-Two", b"2"),
        (b"X-Empty", b""),
        (b"X-Long", b"a b"),
        (b"Content-Length", b"0"),
    ]
    assert found.status_code == 299
    assert found.extensions["reason_phrase"] == b"All's w\xe9ll"
    assert found.extensions["http_version"] == b"HTTP/1.1"


@both
def test_a_status_needs_no_reason_and_an_answer_may_have_many_headers(kind: str) -> None:
    many = [b"X-%d: %d" % (number, number) for number in range(300)]
    with (
        ScriptedServer(saying(answer(b"said", *many, status=b"200"))) as server,
        client(kind) as http,
    ):
        assert http.get(server.url).headers["x-299"] == "299"


def recording(asked: list[Asked]) -> Script:
    def script(peer: Peer) -> None:
        while (one := peer.asked()) is not None:
            asked.append(one)
            peer.says(answer(b""))

    return script


@both
def test_a_request_is_sent_as_it_was_made(kind: str) -> None:
    asked: list[Asked] = []
    odd = "a b/ü%2F?q=ö&x=[1]|{}'\"#part"
    with ScriptedServer(recording(asked)) as server, client(kind) as http:
        fields = {b"X-Name": b"J\xf6rg", b"x-None": b""}
        sent = http.post(server.url + odd, content=b"{}", headers=fields)
    (one,) = asked
    assert one.line == b"POST %b HTTP/1.1" % sent.request.url.raw_path
    assert one.body == b"{}"
    assert one.fields == {name.lower(): value for name, value in sent.request.headers.raw}
    assert one.fields[b"host"] == server.url.encode()[len("http://") : -1]


def in_parts() -> Iterator[bytes]:
    yield b"asked "
    yield b""
    yield b"x" * 300_000


@both
@pytest.mark.parametrize("headers", [{}, {"Content-Length": "300006"}])
def test_a_body_may_be_made_while_it_is_sent(kind: str, headers: dict[str, str]) -> None:
    asked: list[Asked] = []
    with ScriptedServer(recording(asked)) as server, client(kind) as http:
        http.post(server.url, content=in_parts(), headers=headers)
        http.get(server.url)
    assert asked[0].body == b"asked " + b"x" * 300_000
    assert (b"transfer-encoding" in asked[0].fields) == (not headers)
    assert asked[1].line == b"GET / HTTP/1.1"
    assert server.accepted == 1


@both
def test_an_answer_that_is_left_unread_ends_its_connection(kind: str) -> None:
    with ScriptedServer(saying(answer(b"x" * 1_000_000))) as server, client(kind) as http:
        with http.stream("GET", server.url) as found:
            assert found.status_code == 200
        assert server.has_ended(1)
        with http.stream("GET", server.url) as found:
            next(found.iter_raw())
        assert server.has_ended(2)


@both
@pytest.mark.parametrize("hook", [read_whole, read_in_time])
def test_answers_are_read_by_hooks(kind: str, hook: Hook) -> None:
    with ScriptedServer(saying(answer(b"said"))) as server, client(kind, hook=hook) as http:
        for _ in range(3):
            assert http.post(server.url, content=b"asked").content == b"said"
    assert server.accepted == 1


@both
def test_threads_share_connections_and_each_gets_its_own_answer(kind: str) -> None:
    def calls(thread: int) -> bool:
        texts = [b"%d of %d" % (number, thread) * 100 for number in range(50)]
        return [http.post(server.url, content=text).content for text in texts] == texts

    with (
        ScriptedServer(echo) as server,
        client(kind, hook=read_in_time) as http,
        ThreadPoolExecutor(16) as threads,
    ):
        assert all(threads.map(calls, range(16)))
    assert server.accepted <= 16


@both
def test_a_client_that_is_closed_keeps_no_connection(kind: str) -> None:
    with ScriptedServer(echo) as server:
        with client(kind) as http:
            http.get(server.url)
        assert server.has_ended(1)


@pytest.mark.parametrize("kind", [OURS])
def test_what_is_under_way_when_the_transport_is_closed_is_answered(kind: str) -> None:
    """By httpx's own transport it fails, or waits in vain, as its connection is closed."""
    asked, may_answer = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        while peer.asked() is not None:
            asked.set()
            may_answer.wait(10)
            peer.says(answer(b"said"))

    with ScriptedServer(script) as server, ThreadPoolExecutor(1) as thread:
        http = client(kind)
        call = thread.submit(http.get, server.url)
        asked.wait(10)
        http._transport.close()
        may_answer.set()
        assert call.result().content == b"said"
        assert server.has_ended(1)
        http.close()


PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_where_a_proxy_is_set_it_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []
    with ScriptedServer(recording(asked)) as proxy, ScriptedServer(echo) as server:
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with httpx.Client(transport=transport(trusted())) as http:
            http.post("http://provider.test/v1", content=b"asked")
            assert http.post(server.url, content=b"asked").content == b"asked"
    assert [one.line for one in asked] == [b"POST http://provider.test/v1 HTTP/1.1"]


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("name", [*PROXIES, *map(str.upper, PROXIES)])
@pytest.mark.parametrize("proxy", ["gopher://me:private@proxy.test", "http://private:port"])
def test_a_proxy_that_cannot_be_used_is_fatal_and_not_quoted(
    name: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(FatalError, match=f"(?i){name}") as raised:
        transport(trusted())
    assert "private" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.usefixtures("no_proxies")
def test_where_only_exceptions_from_proxies_are_set_it_is_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "localhost")
    assert isinstance(transport(trusted()), Wire)
