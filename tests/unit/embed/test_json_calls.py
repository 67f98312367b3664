"""What servers that speak like OpenAI answer: each vector is the text's that it says it is of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import httpx
import orjson
import pytest

from worker.embed import json_calls
from worker.errors import BrokenAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.embed.connections import Connections
    from worker.embed.port import Embeddings

ENDPOINT = json_calls.Endpoint("The server", "http://provider/embeddings", {}, timeout_s=1)
NOTHING = object()


def embed(content: bytes, texts: int, status: int = 200) -> Embeddings:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    with httpx.Client(transport=transport) as client:
        connections = cast("Connections", SimpleNamespace(client=client))
        body = {"input": ["a text"] * texts}
        return json_calls.embed(connections, ENDPOINT, body, texts=texts, length=2)


def answer(places: Sequence[object], usage: object = None) -> bytes:
    """With the vectors (0, 1), (1, 1), (2, 1) …, whatever places they say."""
    items = [
        {"embedding": [at, 1]} | ({} if place is NOTHING else {"index": place})
        for at, place in enumerate(places)
    ]
    return orjson.dumps({"data": items, "usage": usage})


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ([0, 1, 2], [0, 1, 2]),
        ([2, 0, 1], [1, 2, 0]),
        ([2.0, 0.0, 1.0], [1, 2, 0]),
        ([NOTHING, NOTHING, NOTHING], [0, 1, 2]),
        ([NOTHING, 2, 1], [0, 2, 1]),
    ],
)
def test_vectors_come_in_the_order_that_their_index_says(
    places: list[object], order: list[int]
) -> None:
    assert embed(answer(places), 3).vectors[:, 0].tolist() == order


@pytest.mark.parametrize(
    "places",
    [
        [0, 0, 1],
        [0, 1, 1],
        [0, 0, 0],
        [0, 2, 3],
        [1, 2, 3],
        [-1, 0, 1],
        ["2", "0", "1"],
        [[], 1, 2],
    ],
)
def test_an_index_that_is_there_twice_or_of_no_text_spoils_the_answer(places: list[object]) -> None:
    with pytest.raises(BrokenAnswerError):
        embed(answer(places), 3)


def test_an_answer_of_too_few_vectors_says_how_many() -> None:
    with pytest.raises(BrokenAnswerError, match="3 texts with 2 vectors"):
        embed(answer([0, 2]), 3)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 12, "prompt_tokens": 11}, 12),
        ({"total_tokens": 12.0}, 12),
        ({"total_tokens": 11.2}, 12),
        ({"prompt_tokens": 12}, 12),
        ({"total_tokens": 0}, 0),
        ({"total_tokens": -5}, 0),
        ({"total_tokens": True}, 0),
        ({"total_tokens": "12"}, 0),
        ({"total_tokens": 10**18}, 0),
        ({}, 0),
        (None, 0),
    ],
)
def test_tokens_are_a_count_or_none(usage: object, tokens: int) -> None:
    assert embed(answer([0], usage), 1).tokens == tokens


def test_an_answer_that_is_nested_too_deeply_cannot_be_read() -> None:
    with pytest.raises(BrokenAnswerError):
        embed(b"[" * 100_000, 1)


def test_an_accepted_call_without_vectors_is_no_mistake_of_the_address() -> None:
    with pytest.raises(BrokenAnswerError):
        embed(b"", 1, status=202)
