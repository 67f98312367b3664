"""The providers' interfaces as a client without an SDK sees them."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from worker.provider_local.faults import Faults, PerMinute
from worker.provider_local.server import ProviderLocal, Settings
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

COHERE = {"model": "embed-v4.0", "input_type": "search_document", "texts": ["x"]}
OPENAI = {"model": "text-embedding-3-small", "input": ["x"]}
VOYAGE = {"model": "voyage-4", "input": ["x"]}


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderLocal]:
    with ProviderLocal(Settings(api_key="k")) as local:
        yield local


@pytest.fixture
def server(running: ProviderLocal) -> Iterator[ProviderLocal]:
    running.reset()
    yield running
    running.faults = Faults()


@pytest.fixture
def http(server: ProviderLocal) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"authorization": "Bearer k"}) as client:
        yield client


def test_cohere_answers_by_type(http: httpx.Client) -> None:
    body = http.post("/cohere/v2/embed", json={**COHERE, "embedding_types": ["base64"]}).json()
    (packed,) = body["embeddings"]["base64"]
    expected = vectors_of(["x"], model="embed-v4.0", length=1536, input_type="search_document")
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(packed), "<f4"), expected[0])
    assert body["meta"]["billed_units"] == {"input_tokens": 1}


@pytest.mark.parametrize("kind", ["float", "base64"])
def test_openai_answers_in_the_encoding_that_was_asked_for(http: httpx.Client, kind: str) -> None:
    body = http.post("/openai/v1/embeddings", json={**OPENAI, "encoding_format": kind}).json()
    (item,) = body["data"]
    assert item["index"] == 0
    assert isinstance(item["embedding"], list if kind == "float" else str)
    assert body["usage"] == {"prompt_tokens": 1, "total_tokens": 1}


def test_azure_takes_a_deployment_a_version_and_a_key_of_its_own(server: ProviderLocal) -> None:
    url = f"{server.url}/azure/openai/deployments/text-embedding-3-small/embeddings"
    body, key = {"input": ["x"]}, {"api-key": "k"}
    assert httpx.post(url, json=body, headers=key).status_code == 404
    answer = httpx.post(url, params={"api-version": "2024-10-21"}, json=body, headers=key)
    assert answer.status_code == 200


def test_voyage_bills_all_tokens(http: httpx.Client) -> None:
    body = http.post("/voyage/v1/embeddings", json={**VOYAGE, "input": ["four", "eight ch"]}).json()
    assert body["usage"] == {"total_tokens": 3}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/cohere/v2/embed", {**COHERE, "texts": ["x"] * 97}, 400),
        ("/cohere/v2/embed", {**COHERE, "texts": []}, 400),
        ("/cohere/v2/embed", {**COHERE, "input_type": None}, 400),
        ("/cohere/v2/embed", {**COHERE, "output_dimension": 1000}, 400),
        ("/cohere/v2/embed", {**COHERE, "model": "embed-v9"}, 404),
        ("/openai/v1/embeddings", {**OPENAI, "input": ["x"] * 2049}, 400),
        ("/openai/v1/embeddings", {**OPENAI, "input": [""]}, 400),
        ("/openai/v1/embeddings", {**OPENAI, "input": ["word " * 7_000] * 40}, 400),
        ("/openai/v1/embeddings", {**OPENAI, "input": ["word " * 9_000]}, 400),
        ("/openai/v1/embeddings", {**OPENAI, "dimensions": 2000}, 400),
        ("/openai/v1/embeddings", {**OPENAI, "model": "x"}, 404),
        ("/voyage/v1/embeddings", {**VOYAGE, "input": ["x"] * 1001}, 400),
        ("/voyage/v1/embeddings", {**VOYAGE, "output_dimension": 1000}, 400),
        ("/voyage/v1/embeddings", {**VOYAGE, "model": "x"}, 400),
        ("/compatible/v1/embeddings", {**OPENAI, "dimensions": 8}, 400),
    ],
)
def test_what_a_provider_refuses_is_refused_and_not_billed(
    server: ProviderLocal, http: httpx.Client, path: str, body: Any, status: int
) -> None:
    assert http.post(path, json=body).status_code == status
    (counts,) = server.stats.values()
    assert (counts["calls"], counts["errors"], counts["texts"]) == (1, 1, 0)


def test_errors_have_each_providers_form(server: ProviderLocal) -> None:
    assert set(httpx.post(f"{server.url}/cohere/v2/embed", json=COHERE).json()) == {"id", "message"}
    openai = httpx.post(f"{server.url}/openai/v1/embeddings", json=OPENAI)
    assert openai.status_code == 401
    assert openai.json()["error"]["code"] == "invalid_api_key"
    assert set(httpx.post(f"{server.url}/voyage/v1/embeddings", json=VOYAGE).json()) == {"detail"}


def test_a_key_can_be_tried_out_for_free(server: ProviderLocal, http: httpx.Client) -> None:
    assert http.get("/cohere/v1/models").status_code == 200
    assert httpx.get(f"{server.url}/openai/v1/models").status_code == 401
    assert server.stats == {}


def test_limits_say_when_to_come_again(server: ProviderLocal, http: httpx.Client) -> None:
    server.faults = Faults(per_minute=PerMinute(requests=1))
    first = http.post("/openai/v1/embeddings", json=OPENAI)
    second = http.post("/openai/v1/embeddings", json=OPENAI)
    assert first.status_code == 200
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    assert second.status_code == 429
    assert 0 < float(second.headers["retry-after"]) <= 60
    assert second.json()["error"]["code"] == "rate_limit_exceeded"


def test_faults_are_set_and_cleared_over_http(http: httpx.Client) -> None:
    http.put("/_local/faults", json={"rules": [{"status": 500}]}).raise_for_status()
    assert http.post("/voyage/v1/embeddings", json=VOYAGE).status_code == 500
    assert http.put("/_local/faults", json={"rule": 1}).status_code == 400
    http.delete("/_local/faults").raise_for_status()
    assert http.post("/voyage/v1/embeddings", json=VOYAGE).status_code == 200


def test_texts_that_were_billed_twice_show(server: ProviderLocal, http: httpx.Client) -> None:
    for texts in (["a", "b"], ["b", "c"]):
        http.post("/cohere/v2/embed", json={**COHERE, "texts": texts})
    assert http.get("/_local/texts", params={"above": 1}).json() == {"cohere": {"b": 2}}
    assert http.get("/_local/stats").json()["cohere"]["repeated"] == 1
    assert http.delete("/_local/stats").json()["cohere"]["texts"] == 4
    assert server.stats == {}


def test_calls_side_by_side_are_counted(server: ProviderLocal) -> None:
    server.faults = Faults(latency_s=0.3)
    headers = {"authorization": "Bearer k"}

    def call(_: int) -> int:
        return httpx.post(
            f"{server.url}/voyage/v1/embeddings", json=VOYAGE, headers=headers
        ).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(call, range(4))) == {200}
    assert server.stats["voyage"]["most_at_once"] == 4
    assert server.stats["voyage"]["connections"] == 4


def test_vectors_differ_by_text_model_length_and_input_type() -> None:
    def vector(text: str = "x", model: str = "m", length: int = 70, kind: str = "d") -> bytes:
        made = vectors_of([text], model=model, length=length, input_type=kind)
        assert np.linalg.norm(made[0]) == pytest.approx(1)
        return made[0, :70].tobytes()

    made = {vector(), vector("y"), vector(model="n"), vector(length=71), vector(kind="q")}
    assert len(made) == 5
