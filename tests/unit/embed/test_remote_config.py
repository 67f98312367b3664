"""The keys that the providers have in common."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from worker.config.parse import parse_section
from worker.embed.openai import OpenAIConfig, OpenAIEmbedder
from worker.embed.voyage import VoyageConfig, VoyageEmbedder
from worker.errors import ConfigError
from worker.plugins import EMBEDDERS, Registry

if TYPE_CHECKING:
    from worker.embed.remote import RemoteConfig

KEY = {"embedder.api.key": "sk-secret"}
PROVIDERS = ["cohere", "openai", "voyage"]


def config_of(provider: str) -> type[RemoteConfig]:
    try:
        found: type[RemoteConfig] = Registry(EMBEDDERS).load(provider).Config
    except ConfigError as error:
        pytest.skip(str(error))
    return found


def complaint(provider: str, keys: dict[str, str]) -> tuple[str, str]:
    """The key that is wrong and what is expected; one mistake at a time."""
    parsed, problems = parse_section(config_of(provider), keys, raw=keys, file="f")
    assert parsed is None
    (problem,) = problems
    assert "sk-secret" not in str(problem)
    return str(problem.key), problem.expected


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_is_all_that_is_needed(provider: str) -> None:
    config = config_of(provider).model_validate(KEY)
    assert config.known is not None
    assert config.length == config.known.default
    assert "sk-secret" not in repr(config)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_key_an_address_has_to_be_given(provider: str) -> None:
    key, expected = complaint(provider, {})
    assert key == "embedder.api.key"
    assert "embedder.base.url" in expected
    config_of(provider).model_validate({"embedder.base.url": "http://localhost:1/v1"})


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", ""])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    where, expected = complaint("openai", {"embedder.api.key": key})
    assert where == "embedder.api.key"
    assert "without blanks" in expected


@pytest.mark.parametrize(
    ("provider", "model", "length", "choices"),
    [
        ("cohere", "embed-v4.0", "1000", "one of 256, 512, 1024, 1536"),
        ("cohere", "embed-english-v3.0", "512", "1024"),
        ("openai", "text-embedding-3-small", "3072", "from 1 to 1536"),
        ("openai", "text-embedding-ada-002", "256", "1536"),
        ("voyage", "voyage-law-2", "512", "1024"),
    ],
)
def test_a_length_that_the_model_does_not_make_is_refused(
    provider: str, model: str, length: str, choices: str
) -> None:
    keys = {**KEY, "embedder.model": model, "embedder.dimensions": length}
    key, expected = complaint(provider, keys)
    assert key == "embedder.dimensions"
    assert f"{choices} for {model}" in expected


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_model_that_is_not_known_needs_its_length(provider: str) -> None:
    key, expected = complaint(provider, {**KEY, "embedder.model": "nonesuch"})
    assert key == "embedder.dimensions"
    assert "the length of the vectors that nonesuch makes" in expected
    config = config_of(provider).model_validate(
        {**KEY, "embedder.model": "nonesuch", "embedder.dimensions": "77"}
    )
    assert (config.length, config.shortened_to) == (77, None)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "https://",
        "https://u:p@host/v1",
        "http://h/v1?x=1",
        "http://[::1/v1",
        "http://h:port/v1",
        "http://h:99999/v1",
        "http://:8000/v1",
        "http://\u2024.test/v1",
    ],
)
def test_an_address_is_http_and_carries_neither_user_nor_query(url: str) -> None:
    key, expected = complaint("openai", {"embedder.base.url": url})
    assert key == "embedder.base.url"
    assert "http:// or https://" in expected


@pytest.mark.parametrize(("provider", "most"), [("cohere", 96), ("openai", 2048), ("voyage", 1000)])
def test_a_call_has_no_more_texts_than_the_provider_takes(provider: str, most: int) -> None:
    key, expected = complaint(provider, {**KEY, "embedder.texts.per.call": str(most + 1)})
    assert key == "embedder.texts.per.call"
    assert str(most) in expected


def test_the_published_limits_hold_at_the_providers_own_address_alone() -> None:
    own = VoyageEmbedder(VoyageConfig.model_validate(KEY)).terms.rates
    other = {**KEY, "embedder.base.url": "https://proxy.example/v1"}
    elsewhere = VoyageEmbedder(VoyageConfig.model_validate(other)).terms.rates
    assert (own.requests, own.inputs, own.tokens) == (2000, None, 8_000_000)
    assert (elsewhere.requests, elsewhere.inputs, elsewhere.tokens) == (None, None, None)


def test_configured_limits_replace_the_published_ones_and_zero_is_none() -> None:
    keys = {
        **KEY,
        "embedder.requests.per.minute": "10000",
        "embedder.inputs.per.minute": "5",
        "embedder.tokens.per.minute": "0",
    }
    rates = OpenAIEmbedder(OpenAIConfig.model_validate(keys)).terms.rates
    assert (rates.requests, rates.inputs, rates.tokens) == (10_000, 5, None)


def test_cohere_limits_texts_per_minute() -> None:
    config = config_of("cohere").model_validate(KEY)
    rates = config.terms("cohere", "url").rates
    assert (rates.requests, rates.inputs, rates.tokens) == (None, 2000, None)


def test_the_list_price_has_its_day_and_ones_own_has_none() -> None:
    listed = OpenAIConfig.model_validate(KEY).terms("openai", "url").price
    mine = OpenAIConfig.model_validate({**KEY, "embedder.price.usd.per.million.tokens": "0.01"})
    own = mine.terms("openai", "url").price
    assert listed is not None
    assert listed.usd_per_million_tokens == 0.02
    assert listed.as_of.startswith("20")
    assert own is not None
    assert (own.usd_per_million_tokens, own.as_of) == (0.01, "")


def test_an_account_is_provider_address_and_key_and_shows_no_key() -> None:
    def account(**more: str) -> str:
        keys = {**KEY, **{name.replace("_", "."): value for name, value in more.items()}}
        return OpenAIEmbedder(OpenAIConfig.model_validate(keys)).terms.account

    assert account() == account(embedder_model="text-embedding-3-large")
    assert (
        len({account(), account(embedder_api_key="b"), account(embedder_base_url="http://h/v1")})
        == 3
    )
    assert "sk-secret" not in account()


@pytest.mark.parametrize(
    ("model", "call"),
    [("voyage-4-large", 120_000), ("voyage-4", 320_000), ("voyage-4-lite", 1_000_000)],
)
def test_voyage_has_a_limit_of_tokens_per_call_by_model(model: str, call: int) -> None:
    config = VoyageConfig.model_validate({**KEY, "embedder.model": model})
    assert VoyageEmbedder(config).limits.tokens == call


@pytest.mark.parametrize(("model", "longest"), [("voyage-4", 32_000), ("unheard", None)])
def test_how_long_a_text_may_be_is_known_also_where_the_provider_cuts(
    model: str, longest: int | None
) -> None:
    keys = {"embedder.api.key": "k", "embedder.model": model, "embedder.dimensions": "1024"}
    limits = VoyageEmbedder(VoyageConfig.model_validate(keys)).limits
    assert (limits.longest_text, limits.text_tokens) == (longest, None)


def test_the_limit_of_a_text_can_be_said_for_a_server_of_ones_own() -> None:
    keys = {
        "embedder.base.url": "http://h/v1",
        "embedder.model": "m",
        "embedder.dimensions": "8",
        "embedder.text.tokens": "512",
    }
    limits = OpenAIEmbedder(OpenAIConfig.model_validate(keys)).limits
    assert (limits.text_tokens, limits.tokens) == (512, None)
    assert limits.longest_text == 512


@pytest.mark.parametrize(
    ("key", "address"),
    [("pa-x", "https://api.voyageai.com/v1"), ("al-x", "https://ai.mongodb.com/v1")],
)
def test_a_key_of_mongodb_atlas_goes_to_its_own_address(key: str, address: str) -> None:
    config = VoyageConfig.model_validate({"embedder.api.key": key})
    assert VoyageEmbedder(config).terms.account.startswith(f"voyage {address} ")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_plug_in_is_loaded_without_the_clients_of_the_providers(provider: str) -> None:
    if provider == "cohere" and find_spec("cohere") is None:
        pytest.skip("cohere is not installed")
    program = f"import sys, worker.embed.{provider}; sys.exit('cohere' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_its_library_a_provider_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cohere", None)
    monkeypatch.delitem(sys.modules, "worker.embed.cohere", raising=False)
    with pytest.raises(ConfigError, match=r"install vecsink\[cohere\]"):
        Registry(EMBEDDERS).load("cohere")
