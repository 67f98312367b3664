"""Cohere, OpenAI and Voyage keep the promises of an embedder, through the real clients."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.contract.embedder_contract import TEXTS, EmbedderContract
from tests.contract.provider_embedders import KEY, PATHS, opened
from worker.embed.openai import OpenAIConfig, OpenAIEmbedder
from worker.embed.port import Overlong, Purpose
from worker.errors import RecordError
from worker.provider_local.server import ProviderLocal, Settings
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.embed.port import Embedder

if find_spec("cohere") is None:
    pytest.skip("cohere is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderLocal]:
    with ProviderLocal(Settings(api_key=KEY)) as local:
        yield local


class ProviderContract(EmbedderContract):
    provider = ""
    path = ""
    keys: dict[str, str] = {}  # noqa: RUF012 - overridden, never changed
    expected = ""

    @pytest.fixture
    def embedder(self, server: ProviderLocal) -> Iterator[Embedder]:
        made = opened(server, self.provider, self.keys, path=self.path)
        yield made
        made.close()

    def test_it_says_which_model_it_is(self, embedder: Embedder) -> None:
        assert str(embedder.model) == self.expected

    def test_the_vectors_are_the_very_ones_that_the_provider_made(self, embedder: Embedder) -> None:
        model = embedder.model
        kinds = {Purpose.DOCUMENT: "document", Purpose.QUERY: "query"}
        for purpose, kind in kinds.items():
            mode = model.document_mode.replace("document", kind)
            made = vectors_of(TEXTS, model=model.name, length=model.dimensions, input_type=mode)
            np.testing.assert_array_equal(embedder.embed(TEXTS, purpose).vectors, made)


class TestCohere(ProviderContract):
    provider = "cohere"
    expected = "cohere/embed-v4.0/1536/search_document"


class TestCohereShortened(ProviderContract):
    provider = "cohere"
    keys = {"embedder.model": "embed-v5.0-fast", "embedder.dimensions": "256"}  # noqa: RUF012
    expected = "cohere/embed-v5.0-fast/256/search_document"


class TestCohereThree(ProviderContract):
    provider = "cohere"
    keys = {"embedder.model": "embed-english-light-v3.0"}  # noqa: RUF012
    expected = "cohere/embed-english-light-v3.0/384/search_document"


class TestOpenAI(ProviderContract):
    provider = "openai"
    expected = "openai/text-embedding-3-small/1536"


class TestOpenAIShortened(ProviderContract):
    provider = "openai"
    keys = {"embedder.model": "text-embedding-3-large", "embedder.dimensions": "700"}  # noqa: RUF012
    expected = "openai/text-embedding-3-large/700"


class TestOpenAIOfFixedLength(ProviderContract):
    provider = "openai"
    keys = {"embedder.model": "text-embedding-ada-002"}  # noqa: RUF012
    expected = "openai/text-embedding-ada-002/1536"


class TestAzure(ProviderContract):
    provider = "openai"
    path = "/azure"
    keys = {"embedder.api.version": "2024-10-21"}  # noqa: RUF012
    expected = "openai/text-embedding-3-small/1536"


class TestServerThatSpeaksLikeOpenAI(ProviderContract):
    """It answers with lists of numbers, takes no ``dimensions`` and has no keys."""

    provider = "openai"
    path = "/compatible/v1"
    keys = {"embedder.model": "some-model-96", "embedder.dimensions": "96"}  # noqa: RUF012
    expected = "openai/some-model-96/96"


class TestVoyage(ProviderContract):
    provider = "voyage"
    expected = "voyage/voyage-4/1024/document"


class TestVoyageShortened(ProviderContract):
    provider = "voyage"
    keys = {"embedder.model": "voyage-4-lite", "embedder.dimensions": "2048"}  # noqa: RUF012
    expected = "voyage/voyage-4-lite/2048/document"


@pytest.mark.parametrize("provider", PATHS)
def test_tokens_are_those_that_the_provider_bills(server: ProviderLocal, provider: str) -> None:
    server.reset()
    embedder = opened(server, provider)
    answer = embedder.embed(TEXTS, Purpose.DOCUMENT)
    embedder.close()
    assert answer.tokens == server.stats[provider]["tokens"] > 0


@pytest.mark.parametrize("provider", PATHS)
def test_a_call_is_one_call(server: ProviderLocal, provider: str) -> None:
    embedder = opened(server, provider)
    server.reset()
    for _ in range(5):
        embedder.embed(TEXTS, Purpose.DOCUMENT)
    embedder.close()
    stats = server.stats[provider]
    assert (stats["calls"], stats["texts"], stats["connections"]) == (5, 5 * len(TEXTS), 1)


@pytest.mark.parametrize("provider", PATHS)
def test_embedders_of_one_account_share_their_connections(
    server: ProviderLocal, provider: str
) -> None:
    first, second = opened(server, provider), opened(server, provider)
    server.reset()
    for embedder in (first, second, first):
        embedder.embed(TEXTS[:1], Purpose.DOCUMENT)
    first.close()
    second.embed(TEXTS[:1], Purpose.DOCUMENT)
    second.close()
    assert first.terms.account == second.terms.account
    assert server.stats[provider]["connections"] == 1


@pytest.mark.parametrize("provider", ["cohere", "voyage"])
def test_a_text_that_is_too_long_is_cut_or_refused_as_told(
    server: ProviderLocal, provider: str
) -> None:
    keys = {"cohere": {"embedder.model": "embed-english-v3.0"}}
    embedder = opened(server, provider, keys.get(provider))
    texts = ["word " * 40_000]
    assert embedder.limits.text_tokens is None
    assert embedder.embed(texts, Purpose.DOCUMENT, Overlong.TRUNCATE).tokens > 0
    with pytest.raises(RecordError) as raised:
        embedder.embed(texts, Purpose.DOCUMENT, Overlong.FAIL)
    embedder.close()
    assert "word" not in str(raised.value)


def test_openai_says_how_long_a_text_may_be_as_it_cuts_none(server: ProviderLocal) -> None:
    embedder = opened(server, "openai")
    assert embedder.limits.text_tokens == 8192
    with pytest.raises(RecordError):
        embedder.embed(["word " * 40_000], Purpose.DOCUMENT, Overlong.TRUNCATE)
    embedder.close()


def test_a_server_without_keys_needs_none(server: ProviderLocal) -> None:
    keys = {
        "embedder.model": "some-model-8",
        "embedder.dimensions": "8",
        "embedder.base.url": f"{server.url}/compatible/v1",
    }
    embedder = OpenAIEmbedder(OpenAIConfig.model_validate(keys))
    assert embedder.embed(["x"], Purpose.QUERY).vectors.shape == (1, 8)
    embedder.close()
