"""What fails does so as over httpx's own transport: by the class it is known what may be billed."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.scripted_server import Peer, ScriptedServer, answer, echo, head
from tests.contract.wires import HTTPX, OURS, both, client, failure
from worker.answers import read_in_time, read_whole
from worker.tls import trusted
from worker.wire.transport import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.scripted_server import Script

BIG = b"x" * 50_000_000
"""More than sockets hold."""
SHORT = httpx.Timeout(10.0, read=0.3, write=0.3, connect=0.3)


def hanging_up(*parts: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.asked()
        peer.says(*parts)

    return script


def falling_silent(*parts: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.asked()
        peer.says(*parts)
        peer.waits()

    return script


CUT = [
    b"",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nX-Private: private",
    b"HTTP/1.1 200 OK\r\nX-Private: private\r\n",
    head(status=b"103 Early Hints"),
    answer(b"private row")[:-1],
    answer(b"x" * 1_000_000)[:-1],
    head(b"Transfer-Encoding: chunked"),
    head(b"Transfer-Encoding: chunked") + b"8\r\nprivate",
    head(b"Transfer-Encoding: chunked") + b"8\r\nprivate \r\n",
    head(b"Transfer-Encoding: chunked") + b"8\r\nprivate \r\n5",
    head(b"Transfer-Encoding: chunked") + b"0008\r\nprivate \r\n00",
    head(b"Transfer-Encoding: chunked") + b"8\r\nprivate \r\n0\r\n",
    head(b"Transfer-Encoding: chunked") + b"8\r\nprivate \r\n0\r\nX-Private: private\r\n",
]
NO_HTTP = [
    b"private row\r\n\r\n",
    b"\r\n\r\n",
    b"HTTP/private 200 OK\r\n\r\n",
    b"HTTP/1.1 private OK\r\n\r\n",
    b"HTTP/1.1 1200 OK\r\n\r\n",
    answer(b"", b"private row"),
    answer(b"", b": private"),
    answer(b"", b" private: 1"),
    answer(b"", b"X-Name : private"),
    answer(b"", b"X-Name: private\0"),
    answer(b"", b"X-Name: a\rprivate: 1"),
    answer(b"said", b"Content-Length: 3"),
    head(b"Content-Length: private"),
    head(b"Content-Length: -1"),
    head(b"Content-Length: +1") + b"1",
    head(b"Content-Length: 5, 6"),
    head(b"Transfer-Encoding: gzip, chunked"),
    head(b"Transfer-Encoding: private"),
    head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    head(b"Transfer-Encoding: chunked") + b"private\r\n",
    head(b"Transfer-Encoding: chunked") + b"0x7\r\nprivate\r\n0\r\n\r\n",
    head(b"Transfer-Encoding: chunked") + b"-7\r\nprivate\r\n0\r\n\r\n",
    head(b"Transfer-Encoding: chunked") + b"-%b\r\n" % (b"7" * 20),
    head(b"Transfer-Encoding: chunked") + b"+7\r\nprivate\r\n0\r\n\r\n",
    head(b"Transfer-Encoding: chunked") + b"0_7\r\nprivate\r\n0\r\n\r\n",
    head(b"Transfer-Encoding: chunked") + b"6\r\nprivate\r\n0\r\n\r\n",
    head(b"Transfer-Encoding: chunked") + b"5\r\nprivate0\r\n\r\n",
    head(b"Transfer-Encoding: chunked") + b"7\r\nprivate\r\n0\r\nprivate\r\n\r\n",
    head(b"Upgrade: private", status=b"101 Switching Protocols"),
    head(b"X-Private: " + b"private" * 20_000),
]


@both
@pytest.mark.parametrize("said", CUT)
def test_an_answer_that_breaks_off_is_none(kind: str, said: bytes) -> None:
    with ScriptedServer(hanging_up(said)) as server, client(kind) as http:
        assert type(failure(lambda: http.get(server.url))) is httpx.RemoteProtocolError
        assert server.has_ended(1)
    assert server.accepted == 1


@both
@pytest.mark.parametrize("said", NO_HTTP)
def test_what_is_no_http_is_no_answer_and_not_waited_for(kind: str, said: bytes) -> None:
    with ScriptedServer(falling_silent(said)) as server, client(kind) as http:
        assert type(failure(lambda: http.get(server.url))) is httpx.RemoteProtocolError
        assert server.has_ended(1)


@pytest.mark.parametrize(
    "said",
    [
        head(status=b"102 Processing") * 1000,
        head(b"Transfer-Encoding: chunked") + b"0\r\n" + b"X-Private: private\r\n" * 10_000,
    ],
)
def test_what_does_not_end_is_not_read_for_ever(said: bytes) -> None:
    """By httpx's own transport it is: something always comes in time."""
    with ScriptedServer(falling_silent(said)) as server, client(OURS) as http:
        assert type(failure(lambda: http.get(server.url))) is httpx.RemoteProtocolError
        assert server.has_ended(1)


@pytest.mark.parametrize("said", NO_HTTP)
def test_not_even_a_traceback_quotes_what_a_server_said(said: bytes) -> None:
    """Errors of httpx's own transport do."""
    with ScriptedServer(falling_silent(said)) as server, client(OURS) as http:
        error: BaseException | None = failure(lambda: http.get(server.url))
    while error is not None:
        assert "private" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@both
def test_an_answer_that_is_reset_cannot_be_read(kind: str) -> None:
    def script(peer: Peer) -> None:
        peer.asked()
        peer.says(answer(b"private row")[:-1])
        assert may_reset.wait(10)
        peer.resets()

    may_reset = threading.Event()
    with (
        ScriptedServer(script) as server,
        client(kind) as http,
        http.stream("GET", server.url) as found,
    ):
        may_reset.set()
        assert type(failure(found.read)) is httpx.ReadError


@both
def test_a_server_that_does_not_answer_is_a_time_out(kind: str) -> None:
    with ScriptedServer(falling_silent()) as server, client(kind, timeout=SHORT) as http:
        assert type(failure(lambda: http.get(server.url))) is httpx.ReadTimeout
        assert server.has_ended(1)


@both
@pytest.mark.parametrize("said", [answer(b"private row")[:-1], b"HTTP/1.1 200 OK\r\nX-A: 1\r\n"])
def test_an_answer_that_stops_is_a_time_out(kind: str, said: bytes) -> None:
    with ScriptedServer(falling_silent(said)) as server, client(kind, timeout=SHORT) as http:
        assert type(failure(lambda: http.get(server.url))) is httpx.ReadTimeout
        assert server.has_ended(1)


def dripping(peer: Peer) -> None:
    peer.asked()
    peer.says(head(b"Content-Length: 1000"))
    for _ in range(1000):
        peer.says(b"x")
        time.sleep(0.02)


@both
def test_an_answer_that_drips_is_read_to_its_end_unless_it_must_come_in_time(kind: str) -> None:
    def script(peer: Peer) -> None:
        peer.asked()
        for part in (head(b"Content-Length: 4"), b"s", b"a", b"i", b"d"):
            time.sleep(0.15)
            peer.says(part)

    with ScriptedServer(script) as server, client(kind, timeout=SHORT, hook=read_whole) as http:
        assert http.get(server.url).content == b"said"
    with (
        ScriptedServer(dripping) as server,
        client(kind, timeout=SHORT, hook=read_in_time) as http,
    ):
        assert type(failure(lambda: http.get(server.url))) is httpx.ReadTimeout
        assert server.has_ended(1)


@pytest.mark.parametrize(
    "dripped",
    [
        head(b"X-Private: " + b"x" * 1000),
        head(status=b"102 Processing") * 30,
        head(b"Transfer-Encoding: chunked") + b"0" * 1000,
        head(b"Transfer-Encoding: chunked") + b"0\r\nX-Private: " + b"x" * 1000,
    ],
)
def test_lines_that_drip_are_not_read_to_their_end(dripped: bytes) -> None:
    """By httpx's own transport they are: something always comes in time."""

    def script(peer: Peer) -> None:
        peer.asked()
        at_once = dripped.find(b"\r\n\r\n") + 4 if b"chunked" in dripped else 0
        peer.says(dripped[:at_once])
        for byte in dripped[at_once:]:
            peer.says(bytes([byte]))
            time.sleep(0.02)

    with (
        ScriptedServer(script) as server,
        client(OURS, timeout=SHORT, hook=read_in_time) as http,
    ):
        began = time.monotonic()
        assert type(failure(lambda: http.get(server.url))) is httpx.ReadTimeout
        assert time.monotonic() - began < 5
        assert server.has_ended(1)


@both
def test_a_server_that_does_not_read_is_a_time_out(kind: str) -> None:
    def script(_: Peer) -> None:
        stopped.wait(10)

    stopped = threading.Event()
    with ScriptedServer(script) as server, client(kind, timeout=SHORT) as http:
        error = failure(lambda: http.post(server.url, content=BIG))
        stopped.set()
    assert type(error) is httpx.WriteTimeout


@both
def test_a_server_may_read_as_slowly_as_it_likes_while_it_reads(kind: str) -> None:
    body = b"x" * 30_000_000

    def script(peer: Peer) -> None:
        left = len(body)
        while left > 0:
            time.sleep(0.02)
            left -= len(peer.connection.recv(1_000_000))
        peer.says(answer(b"said"))

    patient = httpx.Timeout(10.0, write=0.4)
    with ScriptedServer(script) as server, client(kind, timeout=patient) as http:
        began = time.monotonic()
        assert http.post(server.url, content=body).content == b"said"
        assert time.monotonic() - began > 0.5


@both
@pytest.mark.parametrize("status", [b"401 Unauthorized", b"413 Content Too Large"])
def test_a_refusal_before_all_is_sent_is_the_answer(kind: str, status: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.says(answer(b"refused", status=status))  # and hangs up, with most of it unread

    with ScriptedServer(script) as server, client(kind) as http:
        for _ in range(2):
            found = http.post(server.url, content=BIG)
            assert (found.status_code, found.content) == (int(status[:3]), b"refused")
    assert server.accepted == 2


@pytest.mark.parametrize(
    ("kind", "expected"), [(HTTPX, httpx.RemoteProtocolError), (OURS, httpx.WriteError)]
)
def test_a_server_that_resets_while_all_is_being_sent_was_not_asked(
    kind: str, expected: type[httpx.TransportError]
) -> None:
    """By httpx's own transport no answer came, and such a call would count as billed."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.resets()

    with ScriptedServer(script) as server, client(kind) as http:
        assert type(failure(lambda: http.post(server.url, content=BIG))) is expected


@both
def test_nobody_listens(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with client(kind) as http:
        error = failure(lambda: http.get(f"http://127.0.0.1:{port}/"))
    assert type(error) is httpx.ConnectError
    assert "refused" in str(error)


@pytest.mark.parametrize("script", [hanging_up(), Peer.resets])
def test_an_error_knows_its_request_even_without_a_client_of_httpx(script: Script) -> None:
    """Pinecone's client asks the transport itself, and says in its errors where it asked."""
    with ScriptedServer(script) as server, Wire(trusted(), 30) as wire:
        request = httpx.Request("GET", server.url)
        assert failure(lambda: wire.handle_request(request)).request is request
        request = httpx.Request("GET", "ftp://server.test/")
        assert failure(lambda: wire.handle_request(request)).request is request


@pytest.mark.parametrize(
    "said",
    [
        answer(b"said"),
        answer(b""),
        head(b"Transfer-Encoding: chunked") + b"4\r\nsaid\r\n0\r\n\r\n",
        head(status=b"204 No Content"),
    ],
)
def test_a_connection_over_which_more_came_than_was_asked_for_is_not_used_again(
    said: bytes,
) -> None:
    """By httpx's own transport what came is taken for the beginning of the next answer."""

    def script(peer: Peer) -> None:
        peer.asked()
        peer.says(said + head(b"Content-Length: 100"))
        if peer.number == 1:
            peer.asked()
            peer.says(answer(b"of somebody else"))

    with ScriptedServer(script) as server, client(OURS) as http:
        first = http.get(server.url).content
        assert server.has_ended(1)
        assert http.get(server.url).content == first
    assert server.accepted == 2


@both
def test_a_host_that_is_not_known_cannot_be_reached(kind: str) -> None:
    with client(kind) as http:
        assert type(failure(lambda: http.get("http://nobody.invalid/"))) is httpx.ConnectError


@contextmanager
def full_server() -> Iterator[str]:
    """So many wait for it already that the kernel leaves who calls next without an answer."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@both
def test_a_server_that_does_not_take_connections_is_a_time_out(kind: str) -> None:
    with full_server() as url, client(kind, timeout=SHORT) as http:
        assert type(failure(lambda: http.get(url))) is httpx.ConnectTimeout


@both
@pytest.mark.parametrize("url", ["ftp://server.test/", "server.test", "/"])
def test_only_http_is_spoken(kind: str, url: str) -> None:
    with client(kind) as http:
        assert type(failure(lambda: http.get(url))) is httpx.UnsupportedProtocol


@both
@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"X-Key", b"private\nX-More: 1"),
        (b"X-Key", b"private\r\n more"),
        (b"X-Key", b"private\n"),
        (b"X-Key", b"private\0"),
        (b"X-Key", b" private"),
        (b"X Key", b"private"),
        (b"", b"private"),
        (b"Content-Length", b"private"),
    ],
)
def test_what_no_header_may_hold_is_not_sent(kind: str, name: bytes, value: bytes) -> None:
    with ScriptedServer(echo) as server, client(kind) as http:
        error = failure(lambda: http.get(server.url, headers={name: value}))
    assert type(error) is httpx.LocalProtocolError


def test_a_key_that_no_header_may_hold_is_not_quoted() -> None:
    """Errors of httpx's own transport quote it."""
    with ScriptedServer(echo) as server, client(OURS) as http:
        error = failure(lambda: http.get(server.url, headers={"X-Key": "private\n"}))
    assert "private" not in str(error)


@pytest.mark.parametrize("length", ["3", "9"])
def test_a_body_of_another_length_than_said_is_noticed(length: str) -> None:
    """By httpx's own transport as well, with an error of h11 that is none of httpx's."""
    fields = {"Content-Length": length}
    with ScriptedServer(echo) as server, client(OURS) as http:
        error = failure(lambda: http.post(server.url, content=iter([b"asked"]), headers=fields))
        assert type(error) is httpx.LocalProtocolError
        assert server.has_ended(1)


@both
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError(), OSError(), TimeoutError()])
def test_what_a_body_raises_while_it_is_made_comes_through(kind: str, error: BaseException) -> None:
    def body() -> Iterator[bytes]:
        yield b"asked"
        raise error

    with ScriptedServer(echo) as server, client(kind) as http:
        with pytest.raises(type(error)) as raised:
            http.post(server.url, content=body())
        assert raised.value is error
        assert server.has_ended(1)


@both
def test_who_is_interrupted_while_reading_leaves_no_connection(kind: str) -> None:
    def interrupted(_: httpx.Response) -> None:
        raise KeyboardInterrupt

    with ScriptedServer(echo) as server, client(kind, hook=interrupted) as http:
        with pytest.raises(KeyboardInterrupt):
            http.get(server.url)
        assert server.has_ended(1)


def interrupting(*parts: bytes) -> Script:
    """Part of an answer, and a Ctrl-C for whoever waits for the rest."""

    def script(peer: Peer) -> None:
        peer.says(*parts)
        peer.connection.recv(1)
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        peer.waits()

    return script


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Whoever started the tests in the background may have had Ctrl-C ignored for them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@both
@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", answer(b"private row")[:-1]])
def test_who_is_interrupted_while_waiting_leaves_no_connection(kind: str, said: bytes) -> None:
    with ScriptedServer(interrupting(said)) as server, client(kind) as http:
        with pytest.raises(KeyboardInterrupt):
            http.get(server.url)
        assert server.has_ended(1)


@pytest.mark.usefixtures("_interruptible")
def test_who_is_interrupted_while_hands_are_shaken_leaves_no_connection() -> None:
    """By httpx's own transport one is left for the garbage."""
    with ScriptedServer(interrupting()) as server, client(OURS) as http:
        with pytest.raises(KeyboardInterrupt):
            http.get(server.url.replace("http:", "https:"))
        assert server.has_ended(1)
