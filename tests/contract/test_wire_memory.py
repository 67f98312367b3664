"""Answers, requests and connections over our transport go without the cyclic collector."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.scripted_server import Peer, ScriptedServer, echo
from tests.contract.wires import OURS, both, client
from worker.answers import read_in_time, read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.scripted_server import Script
    from tests.contract.wires import Hook


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@both
@pytest.mark.parametrize("hook", [read_whole, read_in_time])
def test_an_answer_and_its_request_go_with_their_last_reference(kind: str, hook: Hook) -> None:
    def called() -> list[weakref.ref[object]]:
        found = http.post(server.url, content=b"x" * 1_000_000)
        return [weakref.ref(found), weakref.ref(found.request)]

    with ScriptedServer(echo) as server, client(kind, hook=hook) as http:
        assert [one() for one in called()] == [None, None]


def silent(peer: Peer) -> None:
    peer.asked()


def resetting(peer: Peer) -> None:
    peer.head()
    peer.resets()


@pytest.mark.parametrize("script", [silent, resetting])
def test_a_request_that_failed_goes_with_its_error(script: Script) -> None:
    def called() -> weakref.ref[object]:
        try:
            http.post(server.url, content=b"x" * 30_000_000)
        except httpx.TransportError as error:
            return weakref.ref(error.request)
        raise AssertionError

    with ScriptedServer(script) as server, client(OURS) as http:
        assert called()() is None
