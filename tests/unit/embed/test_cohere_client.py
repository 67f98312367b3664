"""Whatever answers in Cohere's place: no text is blamed for it, and sound vectors are kept."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from worker.errors import BrokenAnswerError, FatalError, RecordError

if find_spec("cohere") is None:
    pytest.skip("cohere is not installed", allow_module_level=True)

from worker.embed.cohere import CohereConfig
from worker.embed.cohere_client import CohereClient

if TYPE_CHECKING:
    from worker.embed.port import Embeddings

CONFIG = {
    "embedder.model": "made-here",
    "embedder.dimensions": "2",
    "embedder.base.url": "http://provider",
}


def embed(content: bytes, *texts: str, status: int = 200) -> Embeddings:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    config = CohereConfig.model_validate(CONFIG)
    with httpx.Client(transport=transport) as connections:
        client = CohereClient(config, "http://provider", connections)
        return client.embed(texts, "search_document", "END")


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'"yes"',
        b"7",
        b"null",
        b"{}",
        b'{"embeddings": [[1, 2]]}',
        b'{"embeddings": {"base64": 7}}',
        b"\xff\xfe",
        b"<html>",
        b"[" * 100_000,
        b"",
    ],
)
def test_an_odd_answer_is_the_answers_fault(content: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        embed(content, "a text")


def test_a_text_that_is_no_unicode_is_refused_without_a_call() -> None:
    with pytest.raises(RecordError, match="not valid Unicode"):
        embed(b"{}", "half of a pair: \ud800")


def test_numbers_that_are_none_spoil_their_own_vector_alone() -> None:
    answer = b'{"embeddings": {"float": [[1, 2], [NaN, 1], [3, 4]]}}'
    vectors = embed(answer, "one", "two", "three").vectors
    assert np.isnan(vectors[1]).any()
    np.testing.assert_array_equal(vectors[[0, 2]], [[1, 2], [3, 4]])


@pytest.mark.parametrize("count", [b'"x"', b"NaN", b"Infinity", b"-5", b"1e300"])
def test_a_count_of_tokens_that_is_none_is_no_count(count: bytes) -> None:
    meta = b'{"billed_units": {"input_tokens": ' + count + b"}}"
    assert embed(b'{"embeddings": {"float": [[1, 2]]}, "meta": ' + meta + b"}", "one").tokens == 0


def test_a_month_that_is_used_up_is_seen_in_any_json() -> None:
    answer = b'{"message": "10 calls / month \\ud800"}'
    with pytest.raises(FatalError, match="this month"):
        embed(answer, "one", status=429)
