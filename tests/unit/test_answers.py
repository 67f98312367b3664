"""Answers and their requests leave memory without the cyclic collector."""

from __future__ import annotations

import gc
import time
import weakref
from typing import TYPE_CHECKING

import httpx
import pytest

from worker.answers import read_in_time, read_whole
from worker.embed.connections import Connections
from worker.store.pinecone_index import IndexWithoutRetries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Read: TypeAlias = Callable[[httpx.Response], None]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def answered(client: httpx.Client) -> tuple[str, weakref.ref[httpx.Request]]:
    response = client.post("http://provider.test/", content=b"asked")
    return response.text, weakref.ref(response.request)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("read", [read_whole, read_in_time])
def test_a_request_goes_with_the_last_reference_to_its_answer(read: Read) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="said"))
    with httpx.Client(transport=transport, event_hooks={"response": [read]}) as client:
        text, request = answered(client)
    assert text == "said"
    assert request() is None


def test_the_clients_of_providers_and_of_pinecone_read_their_answers_so() -> None:
    connections = Connections("an account")
    index = IndexWithoutRetries("https://index.test", "key")
    assert connections.client.event_hooks["response"] == [read_in_time]
    assert index._http._client.event_hooks["response"] == [read_whole]
    connections.close()
    index.close()


class Dripping(httpx.SyncByteStream):
    """A part of an answer every few milliseconds, for ever."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.005)
            yield b" "

    def close(self) -> None:
        self.is_closed = True


def test_an_answer_that_drips_is_given_up_when_its_time_is_over() -> None:
    stream = Dripping()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=stream))
    hooks = {"response": [read_in_time]}
    with (
        httpx.Client(transport=transport, event_hooks=hooks) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("http://provider.test/", timeout=0.1)
    assert stream.is_closed


class Breaking(httpx.SyncByteStream):
    """A part of an answer, and the end of the connection."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"message": "too m'
        raise httpx.RemoteProtocolError("the server hung up")

    def close(self) -> None:
        self.is_closed = True


def asked(answer: httpx.Response) -> httpx.Response:
    transport = httpx.MockTransport(lambda _: answer)
    with httpx.Client(transport=transport, event_hooks={"response": [read_in_time]}) as client:
        return client.post("http://provider.test/", timeout=0.1)


@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_a_refusal_that_breaks_off_is_one_all_the_same(status: int) -> None:
    stream = Breaking()
    headers = {"Retry-After": "7"}
    answer = asked(httpx.Response(status, headers=headers, stream=stream))
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert answer.content == b""
    assert stream.is_closed


def test_a_refusal_that_cannot_be_unpacked_is_one_all_the_same() -> None:
    answer = httpx.Response(
        429, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"?")
    )
    assert (asked(answer).status_code, answer.content) == (429, b"")


def test_an_answer_that_breaks_off_is_none() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        asked(httpx.Response(200, stream=Breaking()))
