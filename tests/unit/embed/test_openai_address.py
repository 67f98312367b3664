"""Where OpenAI's and Azure's embeddings are asked for."""

from __future__ import annotations

import pytest

from worker.embed.openai_address import headers_of, url_of

AZURE = "https://shop.openai.azure.com"


DATED = "embeddings?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("base", "version", "url"),
    [
        ("https://api.openai.com/v1", None, "https://api.openai.com/v1/embeddings"),
        ("http://vllm:8000/v1/", None, "http://vllm:8000/v1/embeddings"),
        (AZURE, None, f"{AZURE}/openai/deployments/m%2F1/{DATED}"),
        (AZURE, "2030", f"{AZURE}/openai/deployments/m%2F1/embeddings?api-version=2030"),
        (f"{AZURE}/openai/", None, f"{AZURE}/openai/deployments/m%2F1/{DATED}"),
        (f"{AZURE}/openai/deployments/x", None, f"{AZURE}/openai/deployments/x/{DATED}"),
        (f"{AZURE}/openai/v1", None, f"{AZURE}/openai/v1/embeddings"),
        (f"{AZURE}/openai/v1", "preview", f"{AZURE}/openai/v1/embeddings?api-version=preview"),
        ("http://proxy", "2024-10-21", f"http://proxy/openai/deployments/m%2F1/{DATED}"),
    ],
)
def test_the_address_follows_from_the_base(base: str, version: str | None, url: str) -> None:
    assert url_of(base, "m/1", version) == url


def test_azure_takes_the_key_in_a_header_of_its_own() -> None:
    assert headers_of(AZURE, "k", None) == {"api-key": "k"}
    assert headers_of("http://gateway", "k", "2024-10-21") == {"api-key": "k"}
    assert headers_of("https://api.openai.com/v1", "k", None) == {"authorization": "Bearer k"}
    assert headers_of("http://vllm/v1", "", None) == {}


def test_a_host_that_only_mentions_azure_is_not_azure() -> None:
    assert headers_of("https://openai.azure.com.example/v1", "k", None) == {
        "authorization": "Bearer k"
    }
