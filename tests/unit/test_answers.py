"""Answers and their requests leave memory without the cyclic collector."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import httpx
import pytest

from worker.answers import read_whole
from worker.embed.connections import Connections
from worker.store.pinecone_index import IndexWithoutRetries

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def answered(client: httpx.Client) -> tuple[str, weakref.ref[httpx.Request]]:
    response = client.post("http://provider.test/", content=b"asked")
    return response.text, weakref.ref(response.request)


@pytest.mark.usefixtures("no_collector")
def test_a_request_goes_with_the_last_reference_to_its_answer() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="said"))
    with httpx.Client(transport=transport, event_hooks={"response": [read_whole]}) as client:
        text, request = answered(client)
    assert text == "said"
    assert request() is None


def test_the_clients_of_providers_and_of_pinecone_read_their_answers_so() -> None:
    connections = Connections("an account")
    index = IndexWithoutRetries("https://index.test", "key")
    assert connections.client.event_hooks["response"] == [read_whole]
    assert index._http._client.event_hooks["response"] == [read_whole]
    connections.close()
    index.close()
